"""What differs between two trees, as functions are found from it: hunks, changed Python files, top-level packages."""

import re
from dataclasses import replace
from pathlib import Path

from bisector.adapters.git.command import Git
from bisector.core.explain.changes import FileChange, Hunk
from bisector.core.explain.sources import SourceChange
from bisector.core.model.units import Bytes, Sha

MOST_FILES = 500
LARGEST_DIFF: Bytes = 4 << 20
LARGEST_SOURCE: Bytes = 1 << 20
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)", re.DOTALL)
_GITLINK = "160000"
_DIFF = ("diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
_DRIVERS = f"core.attributesFile={Path(__file__).with_name('drivers.attributes')}"
_PACKAGE = re.compile(r"(?:src/|lib/|python/)?([A-Za-z_]\w*)(?:/__init__)?\.py(?:[xid]?)")
_NOT_PACKAGES = frozenset({"setup", "conftest", "tests", "test", "docs", "noxfile", "tasks", "__init__"})


def changes_between(git: Git, old: Sha, new: Sha) -> SourceChange:
    """The difference of two trees in the repository of `git`; files beyond limits are left out and counted."""
    listed = git.run(*_DIFF, "-z", "--raw", "--no-abbrev", "--end-of-options", old, new)
    words = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    changed = dict(zip(words[1::2], words[::2], strict=True))
    files: list[FileChange] = []
    sources: dict[str, str] = {}
    left_out, room = 0, LARGEST_DIFF
    for path, told in changed.items():
        status = told[-1]
        hunks = _hunks(git, (old, new), path, room) if len(files) < MOST_FILES else None
        if hunks is None:
            left_out += 1
            continue
        room -= sum(len(line) for hunk in hunks for line in hunk.lines)
        change = FileChange(path=_shown(path), hunks=hunks, removed=status == "D", submodule=_submodule(told))
        files.append(change)
        source = _source(git, new, path) if path.endswith(".py") and status != "D" else None
        if source is not None:
            sources[_shown(path)] = source
    return SourceChange(files=tuple(files), sources=sources, packages=_packages(git, new), left_out=left_out)


def content_at(git: Git, tree: Sha, path: str, most: Bytes) -> bytes | None:
    """The file at `path` of a tree; None where there is none, or it has more than `most` bytes."""
    answer = git.ask("cat-file", "-s", f"{tree}:{path}")
    if answer.status != 0 or int(answer.output) > most:
        return None
    found = git.ask("cat-file", "blob", f"{tree}:{path}")
    return found.output if found.status == 0 else None


def _submodule(told: str) -> tuple[str, str] | None:
    """The commits of a submodule in a raw line: ":160000 160000 OLD NEW M"."""
    old_mode, new_mode, old, new, _ = told.removeprefix(":").split(" ")
    if _GITLINK not in (old_mode, new_mode):
        return None
    return (old if old_mode == _GITLINK else "", new if new_mode == _GITLINK else "")


def _hunks(git: Git, trees: tuple[Sha, Sha], path: str, room: Bytes) -> tuple[Hunk, ...] | None:
    """The hunks of one file; None where they need more than `room`."""
    told = replace(git, settings=(*git.settings, _DRIVERS))
    with told.stream(*_DIFF, "-p", "--end-of-options", *trees, "--", f":(literal){path}") as stream:
        text = stream.read(room + 1)
        while stream.read(1 << 18):
            pass
    if len(text) > room:
        return None
    return parse_hunks(text.decode("utf-8", "replace"))


def parse_hunks(patch: str) -> tuple[Hunk, ...]:
    """The hunks in the patch of one file. Lines end with a newline alone, as git has it."""
    hunks: list[Hunk] = []
    lines: list[str] = []
    begun: re.Match[str] | None = None
    for line in [*patch.split("\n"), "@@ "]:
        if line.startswith("@@ "):
            if begun is not None:
                hunks.append(Hunk(start=int(begun[1]), lines=tuple(lines), context=begun[2]))
            begun, lines = _HUNK.fullmatch(line), []
        elif begun is not None and line[:1] in {" ", "+", "-"}:
            lines.append(line)
    return tuple(hunks)


def _source(git: Git, tree: Sha, path: str) -> str | None:
    content = content_at(git, tree, path, LARGEST_SOURCE)
    return None if content is None else content.decode("utf-8", "replace")


def _packages(git: Git, tree: Sha) -> tuple[str, ...]:
    """Names under which the tree's own code is imported: modules and packages at its top, or in src, lib or python."""
    listed = git.run("ls-tree", "-r", "-z", "--name-only", "--end-of-options", tree).decode("utf-8", "replace")
    found = {match[1] for path in listed.split("\0") if (match := _PACKAGE.fullmatch(path))}
    return tuple(sorted(found - _NOT_PACKAGES))


def _shown(path: str) -> str:
    """A path as text: git allows bytes that are none."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
