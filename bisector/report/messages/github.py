"""For GitHub: one comment that is found again and edited in place, and a commit's status."""

from collections.abc import Mapping
from typing import Any

from bisector.core.model.verdict import VerdictKind
from bisector.report.document import Report
from bisector.report.markdown import phrase_text, render_markdown
from bisector.report.messages.news import News
from bisector.report.phrase import plain

LONGEST_COMMENT = 65_536
LONGEST_DESCRIPTION = 140
STATES: Mapping[VerdictKind | None, str] = {
    None: "pending",
    VerdictKind.CULPRIT: "failure",
    VerdictKind.CULPRIT_SET: "failure",
    VerdictKind.SEVERAL: "failure",
    VerdictKind.NOT_RESTORED: "failure",
    VerdictKind.NOT_REPRODUCED: "success",
    VerdictKind.RESTORED: "success",
}
"""A status's state by the verdict; what says nothing of the commit is an error, GitHub's word for that."""
CONTEXT = "bisector"


def marker(key: str) -> str:
    """The line, not shown, that a comment is found again by. ValueError for a key that could end it."""
    if not key or not all(character.isalnum() or character in "._/@+-" for character in key) or "--" in key:
        raise ValueError(f"not a key for a comment: {key[:80]!r}")
    return f"<!-- bisector:{key} -->"


def github_comment(report: Report, news: News, key: str) -> str:
    """The whole report as a comment, cut where it is longer than a comment may be, and then with a link to the rest."""
    body = f"{marker(key)}\n{render_markdown(report)}"
    link = "".join(f"\n- {phrase_text(phrase)}" for phrase in news.also) + "\n" if news.also else ""
    link += f"\n[The whole report]({news.report})\n" if news.report else ""
    if len(body.encode()) + len(link.encode()) <= LONGEST_COMMENT:
        return body + link
    # Cut between paragraphs, outside of fenced blocks, so that what stands is whole.
    kept, size, room = [], 0, LONGEST_COMMENT - len(link.encode()) - 64
    for paragraph in body.split("\n\n"):
        size += len(paragraph.encode()) + 2
        if size > room:
            break
        kept.append(paragraph)
    while kept and "\n\n".join(kept).count("```") % 2:
        kept.pop()
    return "\n\n".join([*kept, "(The rest did not fit here.)"]) + "\n" + link


def github_status(news: News) -> dict[str, Any]:
    """The status of the bad commit."""
    text = plain(news.sentence)
    status = {
        "state": STATES.get(news.verdict, "error"),
        "description": text if len(text) <= LONGEST_DESCRIPTION else text[: LONGEST_DESCRIPTION - 1] + "…",
        "context": f"{CONTEXT}/{news.scenario}",
    }
    return {**status, "target_url": news.report} if news.report else status
