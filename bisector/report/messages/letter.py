"""For e-mail: a subject and plain text."""

from dataclasses import dataclass

from bisector.report.messages.news import News
from bisector.report.phrase import plain


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A subject on one line, and the text."""

    subject: str
    text: str


def letter_of(news: News) -> Letter:
    """The news as a letter."""
    paragraphs = [plain(news.sentence)]
    for named in news.named:
        by = f"by {named.author}" if named.author else ""
        lines = [", ".join(filter(None, (f"{named.short} {named.subject}", by, named.change)))]
        lines += [f"    {url}" for url in (named.pull_request, named.commit, named.diff) if url]
        paragraphs.append("\n".join(lines))
    if news.more:
        paragraphs.append(f"and {news.more} more")
    paragraphs += [plain(phrase) for phrase in news.also]
    if news.report:
        paragraphs.append(f"Report: {news.report}")
    paragraphs.append(f"Again: {news.reproduce}")
    return Letter(subject=f"[bisector] {news.title}", text="\n\n".join(paragraphs) + "\n")
