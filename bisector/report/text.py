"""Text of strangers made harmless to show: commit messages, names, what a benchmark printed.

Nothing here knows about HTML or Markdown; their own escaping comes on top.
"""

import re
import unicodedata

SHORT = 10
"""Digits of a commit's name in running text."""
_KEPT = frozenset("\t")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that move, hide or reorder text: controls, format characters (bidi among them), surrogates."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show as nothing at all."""
_MARKS = frozenset({"Mn", "Me"})
MOST_MARKS = 3
"""Combining marks that may follow each other; real scripts need no more, and a tower of them covers other lines."""
_LOOKED_AT = 8
"""Times the wanted length that is read at most: a message may be a megabyte of blanks."""

_SECRETS = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^/\s@]{1,500}@"), r"\1***@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{12,}"), r"\1 ***"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|pypi-|AKIA)[A-Za-z0-9_-]{12,}"), "***"),
    (re.compile(r"(?i)\b((?:api[_-]?key|token|secret|passw(?:or)?d)\s*[=:]\s*)[^\s&;,]{3,}"), r"\1***"),
)
"""What looks like a credential, and what is shown for it."""


def harmless(text: str) -> str:
    """`text` with every control, bidi and other invisible character written out as an escape."""
    shown, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        hidden = category in _INVISIBLE or character in _FILLERS or _is_noncharacter(character)
        shown.append(_escape(character) if (hidden and character not in _KEPT) or marks > MOST_MARKS else character)
    return "".join(shown)


def one_line(text: str, longest: int = 200) -> str:
    """`text` harmless and on one line, cut in the end with an ellipsis when it is longer than `longest`."""
    head = text[: longest * _LOOKED_AT]
    line = harmless(" ".join(head.split()))
    if len(line) <= longest and len(head) == len(text):
        return line
    return line[: longest - 1] + "…"


def redacted(text: str) -> str:
    """`text` without what looks like a credential: names and passwords in URLs, tokens, keys."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text


def displayed(text: str, longest: int = 200) -> str:
    """What a program printed or a person configured, without credentials, harmless and on one line."""
    return one_line(redacted(text[: longest * _LOOKED_AT]), longest)


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: wide characters two, combining marks none."""
    return sum(_columns_of(character) for character in text)


def fit(text: str, width: int) -> str:
    """`text` cut to `width` columns with an ellipsis, or filled up with blanks."""
    taken = columns(text)
    if taken <= width:
        return text + " " * (width - taken)
    kept, left = [], max(width - 1, 0)
    for character in text:
        left -= _columns_of(character)
        if left < 0:
            break
        kept.append(character)
    cut = "".join(kept) + ("…" if width > 0 else "")
    return cut + " " * (width - columns(cut))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _is_noncharacter(character: str) -> bool:
    """Code points that are never text; XML forbids two of them outright."""
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
