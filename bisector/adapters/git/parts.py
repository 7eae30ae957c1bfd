"""Trees in which only some of what a commit moves has moved, and the commits that a submodule went on by."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bisector.adapters.git.command import GitFailed, redact
from bisector.adapters.git.elsewhere import Allowed, addresses
from bisector.adapters.git.history import first_parents, short
from bisector.adapters.git.mirror import Mirror
from bisector.core.model.history import Commit
from bisector.core.model.units import Sha
from bisector.errors import InfraFault, RefError, UsageError

FILE, LINK = "100644", "160000"


def with_files(mirror: Mirror, tree: Sha, files: Mapping[str, bytes | None]) -> str:
    """`tree` with these files in place of its own, without those that are None: by an index, so that no file of it is
    written."""
    entries = {}
    for path, content in files.items():
        blob = None if content is None else mirror.git.run("hash-object", "-w", "--stdin", given=content)
        entries[path] = None if blob is None else (FILE, blob.decode().strip())
    return _with(mirror, tree, entries)


def with_submodules_at(mirror: Mirror, tree: Sha, commits: Mapping[str, Sha]) -> str:
    """`tree` with its submodules at these paths at other commits."""
    return _with(mirror, tree, {path: (LINK, commit) for path, commit in commits.items()})


def submodule_commits(
    mirror: Mirror, tree: Sha, path: str, ends: tuple[Sha, Sha], allowed: Allowed
) -> tuple[str, tuple[Commit, ...]]:
    """What `Repository.submodule_commits` promises, for a tree that is in `mirror`."""
    old, new = ends
    url = addresses(mirror.git, tree).get(os.fsencode(path))
    if url is None:
        raise RefError(f"the submodule {path} has no address in .gitmodules")
    try:
        own = allowed.own_mirror(url, new, mirror.stop)
        if not own.holds(old):
            own = allowed.own_mirror(url, old, mirror.stop)
    except UsageError as error:
        raise RefError(f"the submodule {path} cannot be had: {error.what}") from None
    except GitFailed as error:
        raise InfraFault(f"the submodule {path} cannot be fetched: {error.what}", where=error.where) from error
    stretch = first_parents(own.git, old, new)
    if stretch.base != old:
        raise RefError(f"the submodule {path} did not go on from {short(old)} to {short(new)}, but left its line")
    return redact(allowed.full(url)), stretch.commits


def _with(mirror: Mirror, tree: Sha, entries: Mapping[str, tuple[str, str] | None]) -> str:
    """`tree` with these entries: mode and object by path, None for one that goes."""
    with mirror.room() as room:
        git = replace(mirror.git, environment={"GIT_INDEX_FILE": str(Path(room) / "index")})
        git.run("read-tree", tree)
        gone = "".join(f"0 {'0' * len(tree)}\t{path}\0" for path in entries)
        come = "".join(f"{entry[0]} {entry[1]}\t{path}\0" for path, entry in entries.items() if entry is not None)
        git.run("update-index", "-z", "--index-info", given=(gone + come).encode("utf-8", "surrogateescape"))
        return git.run("write-tree").decode().strip()
