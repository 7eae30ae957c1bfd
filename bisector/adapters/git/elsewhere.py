"""What a tree refers to and does not hold: submodules, and files that Git LFS keeps elsewhere.

Also whether any file system can hold it.

Submodules are fetched into our own mirror and put into a tree of ours, so that nothing of git's own handling of them,
which has run a stranger's code more than once, is ever used. Their addresses are what the commit says: only those
that the operator's settings allow are reached for.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bisector.adapters.git.address import Address, is_address
from bisector.adapters.git.checkout import find_checkout
from bisector.adapters.git.command import Git, GitFailed, redact
from bisector.adapters.git.commits import read_commit
from bisector.adapters.git.mirror import Mirror
from bisector.adapters.git.origin import Origin
from bisector.core.model.builds import Elsewhere
from bisector.core.model.units import Bytes, Sha, digest
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault, RefError, UsageError

POINTER = b"version https://git-lfs.github.com/spec/"
LARGEST_POINTER: Bytes = 1024
"""By the specification of Git LFS."""
SUBMODULE = b"160000"
LINK = b"120000"
MODULES = b".gitmodules"
MOST_POINTERS = 10_000
LONGEST_NAME: Bytes = 255
"""Of a file or directory, on the file systems of Linux."""
LONGEST_PATH: Bytes = 4095 - 255
"""Linux takes 4,095 bytes, of which some are the directory's that a checkout lies in."""
_SHOWN = 60
_SECTION = re.compile(r"submodule\.(?P<name>.+)\.(?P<key>path|url)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """The beginnings of addresses, or directories of this machine, that submodules may come from, and how to get there.

    `base` is where the repository itself is: what relative addresses are relative to. Each submodule has a mirror of
    its own below `mirrors`: what the repository calls its branches is not mixed with what they call theirs.
    """

    places: tuple[str, ...]
    base: str
    environment: Mapping[str, str]
    mirrors: Path

    def bring(self, mirror: Mirror, url: str, commit: Sha) -> None:
        """Bring a submodule's commit into `mirror`."""
        own = self.own_mirror(url, commit, mirror.stop)
        mirror.bring(Origin(url=str(own.path), protocols="file"), commit)

    def own_mirror(self, url: str, commit: Sha, stop: StopSignal) -> Mirror:
        """The mirror of a submodule, with a commit and its history in it."""
        full = self.full(url)
        origin = self._origin(full, stop)
        object_format = "sha1" if len(commit) == 40 else "sha256"
        own = Mirror.open(self.mirrors / f"{digest('submodule', full)}.git", object_format, stop)
        own.bring(origin, commit)
        return own

    def full(self, url: str) -> str:
        """The address of a submodule, a relative one seen from the repository's own."""
        return _joined(self.base, url) if url.startswith(("./", "../")) else url

    def _origin(self, full: str, stop: StopSignal) -> Origin:
        """What to fetch from for a submodule's address; RefError where the settings do not allow it."""
        try:
            address = is_address(full)
        except UsageError as error:
            raise RefError(error.what) from None
        if address and ".." not in full.split("/") and any(_begins(full, place) for place in self.places):
            return Address(full, self.environment).origin()
        own = Path(full).resolve()
        if not address and any(place.startswith("/") and own.is_relative_to(place) for place in self.places):
            return find_checkout(own, self.mirrors / f"{digest('mirror', str(own))}.gitconfig", stop).origin()
        raise RefError(f"it comes from {redact(full)}, which the setting submodule_urls does not allow")


def elsewhere(git: Git, tree: Sha) -> Elsewhere:
    """What `tree` refers to and does not hold."""
    listed = list(_listed(git, tree))
    unfit = _unfit(git, listed)
    if unfit:
        return Elsewhere(unfit=unfit)
    submodules = tuple(os.fsdecode(path) for mode, _, _, path in listed if mode == SUBMODULE)
    attributes = [name for _, name, _, path in listed if path.rpartition(b"/")[2] == b".gitattributes"]
    if not any(b"filter=lfs" in content for content in _contents(git, attributes)):
        return Elsewhere(submodules=submodules)
    small = [(name, path) for _, name, size, path in listed if len(POINTER) < size < LARGEST_POINTER][:MOST_POINTERS]
    contents = _contents(git, [name for name, _ in small])
    lfs = (os.fsdecode(path) for (_, path), content in zip(small, contents, strict=True) if content.startswith(POINTER))
    return Elsewhere(submodules=submodules, lfs=tuple(lfs))


def with_submodules(mirror: Mirror, tree: Sha, allowed: Allowed) -> Sha:
    """`tree` with the files of its submodules in it."""
    wanted = {path: Sha(name) for mode, name, _, path in _listed(mirror.git, tree) if mode == SUBMODULE}
    urls = addresses(mirror.git, tree)
    trees = {path: _fetched(mirror, path, commit, urls.get(path), allowed) for path, commit in wanted.items()}
    with mirror.room() as room:
        git = replace(mirror.git, environment={"GIT_INDEX_FILE": str(Path(room) / "index")})
        git.run("read-tree", tree)
        gone = b"".join(b"0 %s\t%s\0" % (b"0" * len(tree), path) for path in wanted)
        come = b"".join(
            b"%s %s\t%s/%s\0" % (mode, name.encode(), path, below)
            for path, own in trees.items()
            for mode, name, _, below in _listed(git, own)
        )
        git.run("update-index", "-z", "--index-info", given=gone + come)
        return Sha(git.run("write-tree").decode().strip())


def addresses(git: Git, tree: Sha) -> dict[bytes, str]:
    """Where the submodules of `tree` come from, as it says, by path."""
    listed = _listed(git, tree)
    modules = next((name for mode, name, _, path in listed if path == MODULES and mode != LINK), None)
    return _urls(git, modules) if modules is not None else {}


def _fetched(mirror: Mirror, path: bytes, commit: Sha, url: str | None, allowed: Allowed) -> Sha:
    """The tree of a submodule's commit, from the mirror once it is there."""
    name = os.fsdecode(path)
    if not mirror.holds(commit):
        if url is None:
            raise RefError(f"the submodule {name} has no address in .gitmodules")
        try:
            allowed.bring(mirror, url, commit)
        except UsageError as error:
            raise RefError(f"the submodule {name} cannot be had: {error.what}") from None
        except GitFailed as error:
            raise InfraFault(f"the submodule {name} cannot be fetched: {error.what}", where=error.where) from error
    return read_commit(mirror.git, commit).tree


def _listed(git: Git, tree: Sha) -> Iterator[tuple[bytes, str, int, bytes]]:
    """Mode, object, size and path of everything in `tree`; what is no file has the size 0."""
    for record in git.run("ls-tree", "-r", "-l", "-z", "--full-tree", tree).split(b"\0")[:-1]:
        about, _, path = record.partition(b"\t")
        mode, _, name, size = about.split()
        yield mode, name.decode(), int(size) if size.isdigit() else 0, path


def _unfit(git: Git, listed: Sequence[tuple[bytes, str, int, bytes]]) -> str:
    """Why no file system holds a tree: git lets any name be of any length, and a link lead to any bytes."""
    for _, _, _, path in listed:
        if len(path) > LONGEST_NAME and (len(path) > LONGEST_PATH or max(map(len, path.split(b"/"))) > LONGEST_NAME):
            return f"the name {_shown(path)} is longer than file systems take"
    links = [(name, size, path) for mode, name, size, path in listed if mode == LINK]
    read = iter(_contents(git, [name for name, size, _ in links if 0 < size <= LONGEST_PATH]))
    for _, size, path in links:
        if not 0 < size <= LONGEST_PATH or b"\0" in next(read):
            return f"the link {_shown(path)} leads to what can be no name"
    return ""


def _shown(path: bytes) -> str:
    """As much of a name as tells which it is."""
    name = os.fsdecode(path)
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def _contents(git: Git, names: Sequence[str]) -> list[bytes]:
    """The contents of blobs, in their order."""
    if not names:
        return []
    output = git.run("cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
    found = []
    for _ in names:
        header, _, output = output.partition(b"\n")
        size = int(header.split()[2])
        found.append(output[:size])
        output = output[size + 1 :]
    return found


def _urls(git: Git, modules: str) -> dict[bytes, str]:
    """The addresses in a `.gitmodules`, by path. Nothing is included from elsewhere, and only these two keys count."""
    answer = git.ask(
        "config", "--blob", modules, "--no-includes", "--null", "--get-regexp", r"^submodule\..*\.(path|url)$"
    )
    values: dict[str, dict[str, str]] = {}
    for entry in os.fsdecode(answer.output).split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        matched = _SECTION.fullmatch(key)
        if matched is not None:
            values.setdefault(matched["name"], {})[matched["key"]] = value
    return {os.fsencode(each["path"]): each["url"] for each in values.values() if {"path", "url"} <= each.keys()}


def _joined(base: str, relative: str) -> str:
    """A relative address seen from `base`, as git resolves it: each "../" takes one part away."""
    head, slash, path = base.partition("://") if "://" in base else ("", "", base)
    parts = path.rstrip("/").split("/")
    for part in PurePosixPath(relative).parts:
        if part == "..":
            if len(parts) < 2:
                raise RefError(f"the address {relative!r} leads out of {redact(base)}")
            parts.pop()
        elif part != ".":
            parts.append(part)
    return f"{head}{slash}{'/'.join(parts)}"


def _begins(url: str, place: str) -> bool:
    """Whether `url` is `place` or below it: "https://host/a" does not allow "https://host/ab"."""
    return url == place or url.startswith(place if place.endswith(("/", ":")) else f"{place}/")
