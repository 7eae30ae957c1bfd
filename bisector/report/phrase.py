"""Running text of ours with text of strangers in it, kept apart until it is shown.

A phrase marks each quotation with two control characters. Nobody can forge them: `harmless` writes every control
character of a quotation out as an escape. What shows a phrase decides how a quotation is set off: a code span in
Markdown, an isolated element in HTML, nothing at all in plain text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NewType

from bisector.report.text import one_line

Phrase = NewType("Phrase", str)
_OPEN, _CLOSE = "\x02", "\x03"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_PLAIN_WORDS = re.compile(r"[A-Za-zµ ,;'/%-]*")
"""Text that can do nothing in any format: no mention, link, number, mark-up or control."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of a phrase: our own words, or a quotation."""

    text: str
    quoted: bool

    @property
    def names_commit(self) -> bool:
        """Whether it is the name of a commit, or the beginning of one."""
        return self.quoted and _COMMIT.fullmatch(self.text) is not None


def quote(text: str, longest: int = 200) -> str:
    """`text` of a stranger as part of a phrase: harmless, on one line, marked."""
    line = one_line(text, longest)
    return f"{_OPEN}{line}{_CLOSE}" if line else ""


def told(text: str, longest: int = 400) -> str:
    """`text` that may be ours or a stranger's, as part of a phrase: marked, unless it is plain words."""
    return text if len(text) <= longest and _PLAIN_WORDS.fullmatch(text) else quote(text, longest)


def plain(phrase: str) -> str:
    """A phrase as plain text."""
    return phrase.replace(_OPEN, "").replace(_CLOSE, "")


def pieces(phrase: str) -> Iterator[Piece]:
    """The parts of a phrase in their order, none of them empty."""
    for number, part in enumerate(phrase.split(_OPEN)):
        quoted, mark, rest = part.partition(_CLOSE) if number else ("", "", part)
        if quoted:
            yield Piece(text=quoted, quoted=bool(mark))
        if rest:
            yield Piece(text=rest, quoted=False)
