"""A commit put onto another, or taken out of it, and patches: as trees of the mirror, without a work tree."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bisector.adapters.git.archive import IDENTITY
from bisector.adapters.git.command import LONG, Git, GitFailed
from bisector.adapters.git.commits import read_commit
from bisector.adapters.git.mirror import CHECKING, FETCHING, Mirror
from bisector.adapters.git.origin import Origin
from bisector.core.model.idle import is_idle
from bisector.core.model.trials import Transplant
from bisector.core.model.units import Bytes, Sha
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, UsageError

LARGEST_PATCH: Bytes = 64 << 20
BUNDLED = ("refs/bundle/parent", "refs/bundle/culprit")
MOST_TOLD = 50
"""Files in conflict that are told."""
_USAGE, _CONFLICT = 129, 1
_REFUSED = re.compile(r"error: (?:patch failed: (?P<at>.+):\d+|(?P<path>.+): (?:patch does not apply|.*))")
_NO_PATCH = ("No valid patches in input", "corrupt patch", "unrecognized input", "lacks filename information")


def transplant(mirror: Mirror, commit: Sha, onto: Sha, *, undo: bool) -> Transplant:
    """What `commit` changed against its first parent, onto the tree of `onto`; with `undo` the other way about.

    A revert is a merge whose base is the commit and whose other side is its parent. Which base a merge takes git 2.39
    cannot be told: so three commits are made whose history says it. Files that nothing but people read, like a
    changelog, are left as they are where they conflict.
    """
    git = mirror.git
    changed = read_commit(git, commit)
    before = read_commit(git, changed.parents[0]).tree if changed.parents else _empty(git)
    base, other = (changed.tree, before) if undo else (before, changed.tree)
    git = replace(git, environment={**git.environment, **IDENTITY})
    start = _commit(git, base)
    ours, theirs = _commit(git, read_commit(git, onto).tree, start), _commit(git, other, start)
    answer = git.ask("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, limit=LONG)
    if answer.status == _USAGE:
        raise EnvironmentFault("this git cannot merge without a work tree", then="Install git 2.39 or newer")
    if answer.status not in {0, _CONFLICT}:
        raise git.failure("merge-tree", answer.complaint)
    tree, *names = answer.output.decode("utf-8", "surrogateescape").split("\0")
    if answer.status == 0:
        return Transplant(tree=tree)
    files = tuple(dict.fromkeys(filter(None, names)))
    if all(map(is_idle, files)):
        return Transplant(tree=_with_ours(mirror, Sha(tree), read_commit(git, onto).tree, files))
    return Transplant(conflicts=tuple(path.encode("utf-8", "replace").decode() for path in files[:MOST_TOLD]))


def _with_ours(mirror: Mirror, merged: Sha, ours: Sha, files: Sequence[str]) -> str:
    """The tree of a merge with `files` as they are in `ours`: no build or run notices what a changelog says."""
    with mirror.room() as room:
        git = replace(mirror.git, environment={"GIT_INDEX_FILE": str(Path(room) / "index")})
        git.run("read-tree", merged)
        gone = "".join(f"0 {'0' * len(ours)}\t{path}\0" for path in files)
        kept = git.run("ls-tree", "-r", "-z", "--full-tree", ours, "--", *files)
        index = b"".join(
            b"%s %s\t%s\0" % (*about.split()[::2], path)
            for about, _, path in (record.partition(b"\t") for record in kept.split(b"\0")[:-1])
        )
        git.run("update-index", "-z", "--index-info", given=gone.encode("utf-8", "surrogateescape") + index)
        return git.run("write-tree").decode().strip()


def patched(mirror: Mirror, patch: bytes, tree: Sha) -> Transplant:
    """`tree` with `patch`: applied to an index of its own, so that no file is written."""
    if len(patch) > LARGEST_PATCH:
        raise UsageError(f"the patch is larger than {LARGEST_PATCH >> 20} MiB")
    with mirror.room() as room:
        git = replace(mirror.git, environment={"GIT_INDEX_FILE": str(Path(room) / "index")})
        git.run("read-tree", tree)
        answer = git.ask("apply", "--cached", "--whitespace=nowarn", "-", given=patch, limit=LONG)
        if answer.status == 0:
            return Transplant(tree=git.run("write-tree").decode().strip())
    said = " / ".join(answer.complaint)
    if answer.status != 1 or any(sign in said for sign in _NO_PATCH):
        raise UsageError(f"git cannot read the patch: {said}", then="Make one with `git diff`, seen from the top")
    found = (_REFUSED.match(line) for line in answer.complaint)
    files = dict.fromkeys(match["at"] or match["path"] for match in found if match)
    return Transplant(conflicts=tuple(files)[:MOST_TOLD] or (said,))


def difference(git: Git, old: Sha, new: Sha) -> bytes:
    """What differs between two trees, as a patch that makes the one of the other."""
    options = ("-r", "-p", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
    return git.run("diff-tree", *options, "--end-of-options", old, new, limit=LONG)


def bundled(mirror: Mirror, old: Sha, new: Sha) -> bytes:
    """A git bundle of two commits that hold nothing but these trees, the second after the first."""
    with mirror.alone() as own, mirror.room() as room:
        git = replace(own, environment={**own.environment, **IDENTITY})
        before = _commit(git, old)
        after = _commit(git, new, before)
        file = Path(room) / "history.bundle"
        orders = f"update {BUNDLED[0]} {before}\nupdate {BUNDLED[1]} {after}\n"
        git.run("update-ref", "--stdin", given=orders.encode())
        try:
            git.run("bundle", "create", "--quiet", str(file), *BUNDLED, limit=LONG)
        finally:
            git.run("update-ref", "--stdin", given="".join(f"delete {ref}\n" for ref in BUNDLED).encode())
        return file.read_bytes()


def unbundled(directory: Path, file: Path, stop: StopSignal) -> None:
    """A bare repository in the new `directory` with the two commits of a bundle, as branches `parent` and `culprit`.

    Everything in it is checked by git as what any other fetch brings; nothing is checked out.
    """
    directory.mkdir(parents=True)
    object_format = "sha256" if b"@object-format=sha256" in file.read_bytes()[:200] else "sha1"
    git = Git(directory=directory, stop=stop)
    git.run("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", str(directory))
    fetching = Origin(url=str(file), protocols="file").apply(replace(git, settings=FETCHING, git_dir=directory))
    refs = [f"+{ref}:refs/heads/{ref.rpartition('/')[2]}" for ref in BUNDLED]
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    try:
        fetching.run("fetch", *options, "source", *refs, limit=LONG)
        # Older versions of git take in the objects of a bundle without the checks that a fetch makes.
        replace(git, settings=CHECKING, git_dir=directory).run("fsck", "--strict", "--no-dangling", limit=LONG)
    except GitFailed as refused:
        raise UsageError(f"the history in the bundle cannot be used: {' / '.join(refused.lines)}") from None


def _commit(git: Git, tree: Sha, *parents: Sha) -> Sha:
    options = [word for parent in parents for word in ("-p", parent)]
    return Sha(git.run("commit-tree", tree, *options).decode().strip())


def _empty(git: Git) -> Sha:
    """The tree without a file, against which a first commit is a change."""
    return Sha(git.run("mktree").decode().strip())
