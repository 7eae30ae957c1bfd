"""Text of strangers made harmless to show: commit messages, names, what a benchmark printed.

Nothing here knows about HTML or Markdown; their own escaping comes on top.
"""

import unicodedata

_KEPT = frozenset("\t")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that move, hide or reorder text: controls, format characters (bidi among them), surrogates."""


def harmless(text: str) -> str:
    """`text` with every control, bidi and other invisible character written out as an escape."""
    return "".join(_shown(character) for character in text)


def one_line(text: str, longest: int = 200) -> str:
    """`text` harmless and on one line, cut in the end with an ellipsis when it is longer than `longest`."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _shown(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _INVISIBLE:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
