"""What a build made, as one digest: names, modes and contents, without times, byte-code and places."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from bisector.core.model.units import digest

_VOLATILE = (
    "/bisector/home/",
    "/bisector/out/",
    "/root/.cache/",
    "/run/",
    "/tmp/",  # noqa: S108  a name to leave out, not a file of ours
    "/var/cache/",
    "/var/lib/apt/",
    "/var/log/",
    "/var/tmp/",  # noqa: S108
)
_OF_THE_ENGINE = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
"""Mounted into every container by its engine; the first holds the container's own address."""
_BLOCK = 1 << 20


def content_of(entries: Iterable[tuple[str, str, str]]) -> str:
    """The digest of (path, mode and kind, digest of the file), in any order, without what says nothing of a build."""
    kept = sorted(entry for entry in entries if _tells(entry[0]))
    return digest(*(part for entry in kept for part in entry))


def parse_listing(output: bytes) -> list[tuple[str, str, str]] | None:
    """The entries that `listing` printed; None when it did not come to its end."""
    *lines, last, rest = output.split(b"\0") if b"\0" in output else [b"", b""]
    if rest or last != f"end {len(lines)}".encode():
        return None
    entries = []
    for line in lines:
        mode, kind, file_digest, path = os.fsdecode(line).split(" ", 3)
        entries.append((_printable(path), f"{mode} {kind}", file_digest))
    return entries


def tree_entries(root: Path, tops: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The entries of the directories `tops` of `root`, as if `root` were called the same everywhere."""
    for top in tops:
        for path in _files(str(root / top)):
            if _is_made(path):
                yield _entry(path, path[len(str(root)) :], os.fsencode(root))


def tree_digest(root: Path) -> str:
    """The digest of every file's name and content below `root`, whatever its mode, byte-code aside."""
    return digest(*(part for path, _, content in sorted(tree_entries(root, ("",))) for part in (path, content)))


def _tells(path: str) -> bool:
    """Whether the file at `path` in a container says something of the build."""
    return _is_made(path) and path not in _OF_THE_ENGINE and not path.startswith(_VOLATILE)


def _is_made(path: str) -> bool:
    """Whether the file is more than byte-code or pip's sums, which cover scripts that name their own directory."""
    return "/__pycache__/" not in path and not path.endswith((".pyc", ".dist-info/RECORD"))


def _files(directory: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry.path


def _entry(path: str, shown: str, place: bytes) -> tuple[str, str, str]:
    status = os.lstat(path)
    state = hashlib.blake2b(digest_size=32)
    if stat.S_ISLNK(status.st_mode):
        state.update(os.fsencode(os.readlink(path)).replace(place, b"{build}"))
    elif stat.S_ISREG(status.st_mode):
        _add_file(state, path, place)
    mode = f"{stat.S_IMODE(status.st_mode):04o} {'l' if stat.S_ISLNK(status.st_mode) else 'f'}"
    return _printable(shown), mode, state.hexdigest()


def _add_file(state: "hashlib.blake2b", path: str, place: bytes) -> None:
    """Add the file's bytes with each mention of its own build's directory replaced, also across two blocks."""
    with open(path, "rb") as file:
        pending = b""
        while block := file.read(_BLOCK):
            pending = (pending + block).replace(place, b"{build}")
            keep = len(place) - 1
            state.update(pending[:-keep])
            pending = pending[-keep:]
        state.update(pending)


def _printable(path: str) -> str:
    """A path that `digest` can encode, whatever bytes it is made of."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
