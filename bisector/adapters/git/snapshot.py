"""The work tree as it is, written into the mirror as a tree.

Files are read and hashed by us: `git add` would run filters, refresh the person's index and write to their objects.
"""

import itertools
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bisector.adapters.git.checkout import Checkout
from bisector.adapters.git.command import LONG, Git
from bisector.adapters.git.mirror import Mirror
from bisector.core.model.units import Sha, parse_sha
from bisector.errors import UsageError

FILE, EXECUTABLE, LINK, SUBMODULE = b"100644", b"100755", b"120000", b"160000"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A path for the tree: what is known of it already has a `name`, what is to be read has the place to read it."""

    path: bytes
    mode: bytes
    name: bytes = b""
    read_from: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Indexed:
    """What the person's index says of a path; `left_out` of the work tree by a sparse checkout."""

    mode: bytes
    name: bytes
    left_out: bool


class _WorkTree:
    """A work tree, looked at without following links."""

    def __init__(self, git: Git, top: Path) -> None:
        """`git` finds the repository and tells what the person ignores; `top` is where the files are."""
        self._git = replace(git.personal(), directory=top)
        self._top = os.fsencode(top)
        answer = self._git.ask("config", "--type=bool", "--get-regexp", r"^core\.(filemode|symlinks)$")
        told = answer.output.split(b"\n")
        self._modes_count = b"core.filemode false" not in told
        self._links_count = b"core.symlinks false" not in told
        self._numbers = itertools.count()
        self._real: dict[bytes, bool] = {b"": True}

    def entries(self, links: Path) -> Iterator[_Entry]:
        """Every path of the tree; what links point to is written to files in `links`, to be read like any other."""
        index = self._index()
        for path in sorted({*index, *self._untracked()}):
            entry = self._entry(path, index.get(path), links)
            if entry is not None:
                yield entry

    def _index(self) -> Mapping[bytes, _Indexed]:
        found = {}
        for record in self._git.run("ls-files", "-z", "--stage", "-t").split(b"\0")[:-1]:
            about, path = record.split(b"\t", 1)
            tag, mode, name, _ = about.split(b" ")
            found[path] = _Indexed(mode=mode, name=name, left_out=tag == b"S")
        return found

    def _untracked(self) -> Iterator[bytes]:
        """A repository inside this one is listed as a directory; it is no part of it."""
        listed = self._git.run("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")[:-1]
        return (path for path in listed if not path.endswith(b"/"))

    def _entry(self, path: bytes, indexed: _Indexed | None, links: Path) -> _Entry | None:
        place = os.path.join(self._top, path)
        try:
            mode = os.lstat(place).st_mode if self._is_real(os.path.dirname(path)) else 0
        except (FileNotFoundError, NotADirectoryError):
            mode = 0
        if indexed is not None and (
            (indexed.left_out and mode == 0) or (indexed.mode == SUBMODULE and stat.S_ISDIR(mode))
        ):
            return _Entry(path=path, mode=indexed.mode, name=indexed.name)
        if stat.S_ISLNK(mode):
            target = links / f"{next(self._numbers)}"
            target.write_bytes(os.readlink(place))
            return _Entry(path=path, mode=LINK, read_from=os.fsencode(target))
        if stat.S_ISREG(mode):
            return _Entry(path=path, mode=self._mode(mode, indexed), read_from=place)
        return None

    def _mode(self, mode: int, indexed: _Indexed | None) -> bytes:
        known = indexed.mode if indexed is not None else FILE
        if known == LINK and not self._links_count:
            return LINK
        if not self._modes_count:
            return known if known == EXECUTABLE else FILE
        return EXECUTABLE if mode & stat.S_IXUSR else FILE

    def _is_real(self, directory: bytes) -> bool:
        """Whether no part of the way to `directory` is a link: what lies behind one is not in the work tree."""
        if directory not in self._real:
            above = self._is_real(os.path.dirname(directory))
            self._real[directory] = above and not os.path.islink(os.path.join(self._top, directory))
        return self._real[directory]


def snapshot(checkout: Checkout, mirror: Mirror) -> Sha:
    """The tree of the work tree: tracked files as they are, untracked ones that are not ignored, links, submodules."""
    if checkout.work_tree is None:
        raise UsageError("the repository has no work tree to take as it is", where=str(checkout.top))
    with mirror.room() as room:
        links = Path(room) / "links"
        links.mkdir()
        entries = list(_WorkTree(checkout.git, checkout.work_tree).entries(links))
        names = _hashed(mirror.git, [entry.read_from for entry in entries if entry.read_from])
        index = b"".join(
            b"%s %s\t%s\0" % (entry.mode, next(names) if entry.read_from else entry.name, entry.path)
            for entry in entries
        )
        git = replace(mirror.git, environment={"GIT_INDEX_FILE": str(Path(room) / "index")})
        git.run("update-index", "-z", "--index-info", given=index)
        return parse_sha(git.run("write-tree").decode().strip())


def _hashed(git: Git, places: Sequence[bytes]) -> Iterator[bytes]:
    """The names of the files' contents, which are in the repository of `git` from now on."""
    lines = b"".join(_line(place) + b"\n" for place in places)
    return iter(git.run("hash-object", "-w", "--no-filters", "--stdin-paths", given=lines, limit=LONG).split())


def _line(path: bytes) -> bytes:
    """`path` quoted as git reads it, where a quote or a line's end in it would be misread."""
    if not path.startswith(b'"') and min(path) >= 32:
        return path
    return b'"%s"' % b"".join(b"\\%03o" % byte if byte < 32 or byte in b'"\\' else b"%c" % byte for byte in path)
