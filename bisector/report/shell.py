"""Commands as a shell reads them: quoted, on one line, and harmless to show."""

import shlex
from collections.abc import Iterable

from bisector.report.text import harmless

LONGEST = 20_000
"""Characters of a command line that are shown; no person would paste a longer one."""


def command_line(words: Iterable[str]) -> str:
    """`words` as one line for a shell. A word that no terminal should see as it is becomes $'…' with its bytes."""
    line = " ".join(_quoted(word) for word in words)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _quoted(word: str) -> str:
    if harmless(word) == word and "\t" not in word:
        return shlex.quote(word)
    return "$'" + "".join(_escaped(character) for character in word) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isascii() and character.isprintable():
        return character
    # surrogateescape stands for a byte that is not UTF-8: the path or argument had it, so the command gets it back.
    raw = character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in raw)
