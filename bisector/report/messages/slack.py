"""For Slack's incoming webhooks, and for what understands the same."""

from typing import Any

from bisector.report.messages.news import Named, News
from bisector.report.phrase import Phrase, pieces, plain

LONGEST_HEADER = 150
LONGEST_SECTION = 3000


def slack_message(news: News) -> dict[str, Any]:
    """The message: a header, the sentence, the culprits, and a button to the report. Below Slack's limits."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(news.title, LONGEST_HEADER), "emoji": False}},
        _section(_phrase(news.sentence)),
        *(_section(_culprit(named)) for named in news.named),
    ]
    if news.more:
        blocks.append(_section(f"and {news.more} more"))
    blocks += [_section(_phrase(phrase)) for phrase in news.also]
    if news.report:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Report"}, "url": news.report}
        blocks.append({"type": "actions", "elements": [button]})
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"job {_escaped(news.job)}"}]})
    return {"text": _cut(f"{news.title}. {plain(news.sentence)}", LONGEST_SECTION), "blocks": blocks}


def _phrase(phrase: Phrase) -> str:
    return "".join(_quoted(piece.text) if piece.quoted else _escaped(piece.text) for piece in pieces(phrase))


def _culprit(named: Named) -> str:
    sha = f"<{named.commit}|{named.short}>" if named.commit else named.short
    links = [f"<{url}|{what}>" for url, what in ((named.diff, "diff"), (named.pull_request, "pull request")) if url]
    parts = [f"*{sha}* {_quoted(named.subject)}", f"by {_quoted(named.author)}" if named.author else "", named.change]
    return ", ".join(filter(None, parts)) + (f" ({', '.join(links)})" if links else "")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, LONGEST_SECTION)}}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    """Strangers' text as code, where nothing is a mention, a link or mark-up; Slack has no escape for a backtick."""
    shown = _escaped(text.replace("`", "ˋ"))
    return f"`{shown}`" if shown else ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
