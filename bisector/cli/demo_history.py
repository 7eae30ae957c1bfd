"""The made-up history behind `bisector demo`: a small text library over forty merges and commits.

A change is planted for each scenario that ships: a slower `normalise` (inside a merge), a heavy import, a copy of the
text that is kept, a needless look ahead in the C part, a query for every text that the web service shows, and a part in
each of four other languages that begins to split. Three commits do not build.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bisector.cli.demo_languages import FIRST, SLOWER
from bisector.cli.demo_shelf import SHELF, SHELF_SLOW

START = 1_735_689_600
"""Time of the first commit, in seconds since the epoch; each later one is an hour younger."""
HOUR = 3600

CLEAN = '''"""Cleaning: one form for every spelling of a word."""

import re

_MARKS = re.compile(r"[^\\w\\s]")


def normalise(word: str) -> str:
    """`word` without punctuation, in one case."""
    return _MARKS.sub("", word).casefold()
'''
CLEAN_SLOW = '''"""Cleaning: one form for every spelling of a word."""

import re
import unicodedata

_MARKS = re.compile(r"[^\\w\\s]")
SOFT_HYPHEN = "\\u00ad"


def normalise(word: str) -> str:
    """`word` without punctuation and soft hyphens, composed, in one case."""
    composed = unicodedata.normalize("NFC", word)
    return _MARKS.sub("", "".join(letter for letter in composed if letter != SOFT_HYPHEN)).casefold()
'''
WORDS = '''"""Words: splitting and counting."""

from collections import Counter
from collections.abc import Iterator

from tinytext.clean import normalise


def words(text: str) -> Iterator[str]:
    """The cleaned words of `text`."""
    return (normalise(word) for word in text.split())


def count(text: str) -> Counter[str]:
    """How often each word occurs."""
    return Counter(words(text))
'''
WORDS_KEPT = WORDS.replace(
    'def count(text: str) -> Counter[str]:\n    """How often each word occurs."""\n',
    "LAST: list[bytes] = []\n\n\n"
    'def count(text: str) -> Counter[str]:\n    """How often each word occurs; the text is kept for inspection."""\n'
    '    LAST[:] = [text.encode("utf-32-le"), text.encode("utf-32-be")]\n',
)
"""Twice four bytes a letter, copied in so little time that none of the other scenarios can see it."""
INIT = '''"""Tiny tools for text."""

from tinytext.clean import normalise
from tinytext.words import count, words

__all__ = ["count", "normalise", "words"]
'''
INIT_HEAVY = INIT.replace(
    "from tinytext.clean", "import email.message\nimport xml.dom.minidom\nimport xmlrpc.client\n\nfrom tinytext.clean"
).replace("__all__", "FORMATS = (email.message.Message, xml.dom.minidom.Document, xmlrpc.client.Binary)\n__all__")
COUNT_C = """#include "count.h"
#include <ctype.h>

/* Number of words in text. */
long count_words(const char *text) {
    long words = 0;
    int inside = 0;
    for (const char *at = text; *at; at++) {
        int letter = !isspace((unsigned char)*at);
        words += letter && !inside;
        inside = letter;
    }
    return words;
}
"""
COUNT_C_SLOW = COUNT_C.replace("#include <ctype.h>\n", "#include <ctype.h>\n#include <string.h>\n").replace(
    "*at; at++", "strnlen(at, 8) > 0; at++"
)
COUNT_H = "#ifndef COUNT_H\n#define COUNT_H\nlong count_words(const char *text);\n#endif\n"

PLANTED = {
    "python-cpu": "Drop soft hyphens from words",
    "demo": "Drop soft hyphens from words",
    "import-time": "Name the formats that are understood",
    "peak-memory": "Keep the last text for inspection",
    "python-package": "Drop soft hyphens from words",
    "compiled-c": "Stop counting where the text ends",
    "c-make": "Stop counting where the text ends",
    "c-cmake": "Stop counting where the text ends",
    "web-service": "Show the longest texts first",
    **{scenario: subject for scenario, (subject, _) in SLOWER.items()},
}
"""The commit that is planted for each scenario, by its subject."""

Files = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A commit: its subject, and the files it writes (None removes one)."""

    subject: str
    files: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """A merged branch: its name and its commits."""

    branch: str
    changes: tuple[Change, ...]


def history() -> Iterator[Change | Merge]:
    """Everything that happens after the first commit, in the order of the first-parent line."""
    yield from (_filler(number) for number in range(1, 3))
    yield _slower("go")
    yield _filler(4)
    yield Merge(branch="reports", changes=(_filler(5), _filler(6)))
    yield Change(subject=PLANTED["import-time"], files={"src/tinytext/__init__.py": INIT_HEAVY})
    yield from (_filler(number) for number in range(7, 10))
    yield Merge(branch="more-tables", changes=(_filler(10), _filler(11), _filler(12)))
    yield from (_filler(13), _slower("rust"), _filler(15))
    yield Change(subject="Begin a plug-in interface", files={"src/tinytext/plugins.py": "def load(:\n    pass\n"})
    yield Change(subject="Describe plug-ins", files={"docs/plugins.md": "A plug-in is a function.\n"})
    yield Change(subject="Mend the plug-in interface", files={"src/tinytext/plugins.py": "def load() -> None: ...\n"})
    yield from (_filler(number) for number in range(16, 19))
    yield Merge(
        branch="hyphens",
        changes=(
            _filler(19),
            Change(subject="Test hyphens", files={"tests/test_hyphens.py": "HYPHENS = '-\\u00ad'\n"}),
            Change(subject=PLANTED["python-cpu"], files={"src/tinytext/clean.py": CLEAN_SLOW}),
            Change(subject="Describe hyphens", files={"docs/hyphens.md": "Soft hyphens are dropped.\n"}),
        ),
    )
    yield from (_filler(20), _slower("java"), _filler(22))
    yield Change(subject="Try another layout", files={"src/tinytext/layout.py": "class Layout\n    pass\n"})
    yield Change(subject="Mend the layout", files={"src/tinytext/layout.py": "class Layout: ...\n"})
    yield Change(subject=PLANTED["peak-memory"], files={"src/tinytext/words.py": WORDS_KEPT})
    yield Merge(
        branch="shelf",
        changes=(
            _filler(23),
            Change(subject=PLANTED["web-service"], files={"src/tinytext/shelf.py": SHELF_SLOW}),
            _filler(24),
        ),
    )
    yield from (_filler(number) for number in range(25, 28))
    yield Merge(
        branch="c-counter",
        changes=(_filler(28), Change(subject=PLANTED["compiled-c"], files={"csrc/count.c": COUNT_C_SLOW})),
    )
    yield from (_filler(number) for number in range(29, 33))
    yield _slower("javascript-npm")
    yield from (_filler(number) for number in range(34, 36))


def _slower(scenario: str) -> Change:
    subject, files = SLOWER[scenario]
    return Change(subject=subject, files=files)


def _filler(number: int) -> Change:
    """A harmless commit: another small table, and its line in the documentation."""
    body = f'"""Table number {number}."""\n\n\ndef table_{number}(rows: list[str]) -> str:\n'
    body += '    """The rows, numbered."""\n'
    body += f'    return "\\n".join(f"{{n:>{number % 7 + 2}}} {{row}}" for n, row in enumerate(rows))\n'
    return Change(
        subject=f"Add table {number}",
        files={
            f"src/tinytext/tables/table_{number}.py": body,
            f"docs/table_{number}.md": f"Table {number} numbers its rows.\n",
        },
    )


def first_files() -> Files:
    """The files of the first commit."""
    return {
        "README.md": "# tinytext\n\nTiny tools for text: a made-up library.\n",
        "src/tinytext/__init__.py": INIT,
        "src/tinytext/clean.py": CLEAN,
        "src/tinytext/words.py": WORDS,
        "src/tinytext/shelf.py": SHELF,
        "src/tinytext/tables/__init__.py": "",
        "csrc/count.c": COUNT_C,
        "csrc/count.h": COUNT_H,
        **FIRST,
    }


class Stream:
    """A stream for `git fast-import`, written commit by commit."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._mark = 0

    def commit(self, change: Change, ref: str, parents: tuple[int, ...]) -> int:
        """Add a commit on `ref`; its mark."""
        self._mark += 1
        when = f"A. Nonymous <a@example.invalid> {START + HOUR * self._mark} +0000"
        lines = [f"commit {ref}", f"mark :{self._mark}", f"author {when}", f"committer {when}"]
        self._parts.append("\n".join(lines).encode() + b"\n" + _data(change.subject + "\n"))
        if parents:
            self._parts.append(f"from :{parents[0]}\n".encode())
        self._parts.extend(f"merge :{parent}\n".encode() for parent in parents[1:])
        for path, text in change.files.items():
            self._parts.append(f"M 100644 inline {path}\n".encode() + _data(text))
        self._parts.append(b"\n")
        return self._mark

    def reset(self, ref: str, mark: int) -> None:
        """Let `ref` name the commit of `mark`."""
        self._parts.append(f"reset {ref}\nfrom :{mark}\n\n".encode())

    @property
    def content(self) -> bytes:
        """The whole stream."""
        return b"".join(self._parts)


def _data(text: str) -> bytes:
    raw = text.encode()
    return f"data {len(raw)}\n".encode() + raw + b"\n"


def demo_stream() -> bytes:
    """The whole history for `git fast-import`: branch `main`, tag `v1.0` on its first commit."""
    stream, main = Stream(), "refs/heads/main"
    tip = stream.commit(Change(subject="Start", files=first_files()), main, ())
    stream.reset("refs/tags/v1.0", tip)
    for event in history():
        if isinstance(event, Change):
            tip = stream.commit(event, main, (tip,))
            continue
        inner, branch = tip, f"refs/heads/{event.branch}"
        for change in event.changes:
            inner = stream.commit(change, branch, (inner,))
        merged = {path: text for change in event.changes for path, text in change.files.items()}
        tip = stream.commit(Change(subject=f"Merge branch '{event.branch}'", files=merged), main, (tip, inner))
    return stream.content
