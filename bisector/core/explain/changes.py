"""Which functions a change touches: its diff against the sources, and how a profile's frames are found among them."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bisector.core.explain.stacks import Frame

MODULE = "<module>"
_NESTED = re.compile(r"(?:\.<locals>)?\.?<(?:genexpr|listcomp|dictcomp|setcomp|lambda)>$")
_DEFINITIONS = (
    re.compile(r"^\s*(?:async\s+)?def\s+(\w+)"),
    re.compile(r"^\s*func\s+(?:\([^)]{0,200}\)\s*)?(\w+)"),
    re.compile(r"^\s*(?:pub(?:\([^)]{0,40}\))?\s+)?(?:const\s+|async\s+|unsafe\s+|extern\s+\S+\s+)*fn\s+(\w+)"),
    re.compile(r"^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*(\w+)"),
    re.compile(r"^(?!\s|#|//|/\*|\}|\{|return\b|else\b|case\b)[^;=]{0,200}?([\w~]+)\s*\([^;]*$"),
)
"""How a line that begins a function looks in Python, Go, Rust, JavaScript, and C or C++ (in the first column)."""
_ATTRIBUTE = re.compile(
    r"__attribute__\s*\(\([^()]*(?:\([^()]*\)[^()]*)*\)\)\s*|\[\[[^\]]*\]\]\s*|__declspec\s*\([^()]*\)\s*"
)
"""What may stand before a function of C and C++ and looks like a call."""
_CONTROL = frozenset(("if", "for", "while", "switch", "return", "sizeof", "catch"))
LONGEST_LINE = 1000
"""Characters of a line that are looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hunk:
    """A stretch of a diff: lines with their mark (" ", "+", "-"), where it begins in the new file, and the function
    that git says it is in ("" for none)."""

    start: int
    lines: tuple[str, ...]
    context: str = ""

    def changed(self) -> Iterator[tuple[int, str]]:
        """Lines that were added or removed, with the line of the new file they stand at or were in front of."""
        number = self.start
        for line in self.lines:
            if line[:1] in {"+", "-"}:
                yield number, line
            if line[:1] != "-":
                number += 1


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """What a commit changes in one file; `path` is its path after the commit, `removed` where it deletes it.

    `submodule` is, where it is one, the commit of it before and after ("" where it is none on that side).
    """

    path: str
    hunks: tuple[Hunk, ...]
    removed: bool = False
    submodule: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TouchedFunction:
    """A function with changed lines. `name` is qualified by its classes where that is known, `line` where it begins
    after the change (0: unknown), `last` where it ends."""

    path: str
    name: str
    line: int
    last: int
    lines: tuple[tuple[int, str], ...]

    def is_frame(self, frame: Frame) -> bool:
        """Whether a frame is this function."""
        source = frame.module.endswith((".py", ".js", ".ts", ".go", ".rs", ".c", ".cc", ".cpp", ".h", ".mjs"))
        if source and not _same_end(frame.module, self.path):
            return False
        if not source and self.path.endswith(".py"):
            return False
        name = _NESTED.sub("", frame.name)
        if not name:
            # A comprehension of a tool that tells no more: its line says whose it is.
            return self.line <= frame.line <= self.last
        mine, theirs = _parts(self.name), _parts(name)
        shared = min(len(mine), len(theirs))
        return mine[-shared:] == theirs[-shared:]


@dataclass(frozen=True, kw_only=True, slots=True)
class Touched:
    """Everything a culprit touches."""

    functions: tuple[TouchedFunction, ...]

    def find(self, frame: Frame) -> TouchedFunction | None:
        """The touched function a frame is, or None."""
        return next((function for function in self.functions if function.is_frame(frame)), None)


def touched_functions(changes: Sequence[FileChange], sources: Mapping[str, str]) -> Touched:
    """The functions that `changes` touch. `sources` are the files after the change, by path, as far as they are known.

    Python is parsed; everywhere else, and where a file does not parse, the diff's own lines have to tell.
    """
    found: list[TouchedFunction] = []
    for change in changes:
        if change.removed:
            continue
        spans = _python_spans(sources.get(change.path, "")) if change.path.endswith(".py") else None
        owners = _by_span(change, spans) if spans is not None else _by_lines(change)
        grouped: dict[tuple[str, int, int], list[tuple[int, str]]] = {}
        for owner, line in owners:
            grouped.setdefault(owner, []).append(line)
        found += [
            TouchedFunction(path=change.path, name=name, line=first, last=last, lines=tuple(lines))
            for (name, first, last), lines in grouped.items()
        ]
    return Touched(functions=tuple(found))


Owner = tuple[str, int, int]
Owned = Iterator[tuple[Owner, tuple[int, str]]]


def _by_span(change: FileChange, spans: Sequence[Owner]) -> Owned:
    """Each changed line with the innermost function that holds it."""
    for hunk in change.hunks:
        for number, line in hunk.changed():
            holding = [span for span in spans if span[1] <= number <= span[2]]
            yield min(holding, key=lambda span: span[2] - span[1], default=(MODULE, 0, 0)), (number, line)


def _by_lines(change: FileChange) -> Owned:
    """Each changed line with the function that the lines above it in the hunk, or git's header, say it is in."""
    for hunk in change.hunks:
        name, number = _defined(hunk.context) or MODULE, hunk.start
        for line in hunk.lines:
            name = _defined(line[1:]) or name
            if line[:1] in {"+", "-"}:
                yield (name, 0, 0), (number, line)
            if line[:1] != "-":
                number += 1


def _defined(line: str) -> str | None:
    """The function that begins on a line, if one does."""
    text = _ATTRIBUTE.sub("", line[:LONGEST_LINE])
    for pattern in _DEFINITIONS:
        if (found := pattern.match(text)) and found[1] not in _CONTROL:
            return found[1]
    return None


def _python_spans(source: str) -> list[Owner] | None:
    """Qualified name, first and last line of every function; None where the text is not Python as we know it."""
    if not source:
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return list(_spans(tree, ""))


def _spans(node: ast.AST, prefix: str) -> Iterator[Owner]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min((decorator.lineno for decorator in child.decorator_list), default=child.lineno)
            yield f"{prefix}{child.name}", min(first, child.lineno), child.end_lineno or child.lineno
            yield from _spans(child, f"{prefix}{child.name}.<locals>.")
        else:
            yield from _spans(child, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix)


def _parts(name: str) -> list[str]:
    """The parts of a qualified name in any of the languages: "ns::T::f(int)", "pkg.(*T).f", "T.f.<locals>.g"."""
    bare = name if name == MODULE else re.sub(r"\([^()*]*\)(?:\s*const)?$", "", name[:LONGEST_LINE])
    return [part.strip("(*)&") for part in re.split(r"\.<locals>\.|::|\.|/", bare) if part.strip("(*)&")] or [name]


def _same_end(one: str, other: str) -> bool:
    """Whether two paths are one file told from different directories."""
    mine, theirs = one.split("/"), other.split("/")
    shared = min(len(mine), len(theirs))
    return mine[-shared:] == theirs[-shared:]
