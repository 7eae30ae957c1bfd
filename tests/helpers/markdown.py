"""The few parts of Markdown that the tests of the documents look at: blocks, headings, links, commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from textwrap import dedent

FENCE = re.compile(r"^ *```(\w*)\s*$")
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)?$")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+)>?(?: +\"[^\"]*\")?\)")
SOURCE = re.compile(r"\b(?:src|srcset|href)=\"([^\"]+)\"")
CODE = re.compile(r"(`+)(?:(?!\1).)+\1")
ASIDE = re.compile(r"\s{2,}\S.*$|\s+#\s.*$")
"""What follows a command on its line: a remark after `#`, or a column of words."""
CARRIERS = {"setpriv", "nohup", "nice", "time"}
STOPS = re.compile(r"[|&;<>()]+")


@dataclass(frozen=True, kw_only=True)
class Block:
    """Lines of code: of a fence with its language, or indented by four blanks with none."""

    language: str
    line: int
    text: str


def blocks(text: str) -> list[Block]:
    """Every block of code, in order."""
    found: list[Block] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened:
            inside = list(takewhile(lambda line: not FENCE.match(line), lines[number + 1 :]))
            found.append(Block(language=opened[1], line=number + 2, text=dedent("\n".join(inside))))
            number += len(inside) + 2
        elif lines[number].startswith("    ") and (number == 0 or not lines[number - 1].strip()):
            inside = list(takewhile(lambda line: line.startswith("    ") or not line.strip(), lines[number:]))
            found.append(Block(language="", line=number + 1, text="\n".join(line[4:] for line in inside)))
            number += len(inside)
        else:
            number += 1
    return found


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of fences, with their numbers."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line


def anchors(text: str) -> set[str]:
    """What `#…` may point at: the headings, as GitHub makes anchors of them."""
    found: set[str] = set()
    for _, line in prose(text):
        heading = HEADING.match(line)
        if heading is None:
            continue
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        taken = slug
        number = 0
        while taken in found:
            number += 1
            taken = f"{slug}-{number}"
        found.add(taken)
    return found


def links(text: str) -> Iterator[tuple[int, str]]:
    """Every target of a link or a picture, with its line."""
    for number, line in prose(text):
        plain = CODE.sub("", line)
        for target in (*LINK.findall(plain), *SOURCE.findall(plain)):
            yield number, target


def commands(block: Block, program: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every call of `program` in the block, as its arguments, with its line."""
    text = re.sub(r"\\\n", lambda _: "\0", block.text)
    number = block.line
    for line in text.split("\n"):
        began, number = number, number + 1 + line.count("\0")
        call = re.sub(r"^[$#] ", "", re.sub("\0 *", "", line)).strip()
        if block.language == "console" and not re.match(r"[$#] ", line):
            continue  # What a command printed.
        yield from ((began, found) for found in _calls(ASIDE.sub("", call), program))


def _calls(line: str, program: str) -> Iterator[tuple[str, ...]]:
    """The calls in one shell line; nothing of a line that is no shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return
    while words:
        call = list(takewhile(lambda word: not STOPS.fullmatch(word), words))
        words = words[len(call) + 1 :]
        while call and (re.match(r"[A-Z_]+=", call[0]) or call[0] in {"sudo", "then", "if", "do"}):
            call = call[1:]
        places = [place for place, word in enumerate(call) if word.rpartition("/")[2] == program]
        # `docker run … bisector …`, `setpriv … bin/bisector …`: what is called is the last word of that name.
        starts = [place for place in places if place == 0 or call[0] in CARRIERS or call[:2] == ["docker", "run"]]
        if starts and len(call) > starts[-1]:
            yield tuple(call[starts[-1] + 1 :])
