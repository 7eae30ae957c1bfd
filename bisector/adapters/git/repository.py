"""The repository under investigation."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from bisector.adapters.git import archive, branch, changes, elsewhere, history, parts, snapshot, transplant
from bisector.adapters.git.address import Address, is_address
from bisector.adapters.git.checkout import Checkout, find_checkout
from bisector.adapters.git.commits import read_commit
from bisector.adapters.git.elsewhere import Allowed, with_submodules
from bisector.adapters.git.mirror import Mirror
from bisector.adapters.git.names import full_name, resolve_name
from bisector.adapters.git.origin import Origin
from bisector.core.explain.sources import SourceChange
from bisector.core.model.builds import Elsewhere
from bisector.core.model.facts import HistoryListed
from bisector.core.model.history import Commit, Line
from bisector.core.model.trials import Transplant
from bisector.core.model.units import Bytes, Sha, digest, parse_sha
from bisector.engine.stop import StopSignal
from bisector.errors import RefError, UsageError

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class GitRepository:
    """Implements `bisector.engine.ports.Repository` for a path or an address, with a mirror under the cache.

    The person's repository is only ever read: refs are resolved and fetched from it, its work tree's files are read.
    """

    def __init__(
        self,
        location: str,
        cache: Path,
        stop: StopSignal,
        *,
        environment: Mapping[str, str] = NO_VARIABLES,
        submodule_urls: tuple[str, ...] = (),
    ) -> None:
        """Nothing is opened yet. Of `environment` an address uses what says how to reach it: proxies, ssh's agent.

        `submodule_urls` are the beginnings of addresses that submodules may be fetched from.
        """
        self._submodule_urls = submodule_urls
        self._given = location
        self._mirrors = cache.absolute() / "mirrors"
        self._stop = stop
        self._environment = environment

    @property
    def location(self) -> str:
        """Where the repository is, for whoever comes later or stands elsewhere: absolute, without credentials."""
        return self._source.location

    def resolve(self, ref: str) -> Commit:
        """The commit `ref` names, fetched into the mirror; RefError when it names none."""
        known = full_name(ref)
        if known is not None and self._mirror.holds(known):
            sha = resolve_name(self._mirror.git, known, where=self.location)
        else:
            sha = self._source.look_up(ref, self._mirror)
        return read_commit(self._mirror.git, sha)

    def contains(self, branch: str, commit: Sha) -> bool:
        """Whether `commit` is in the history of `branch` as it is now; RefError when there is no such branch."""
        tip = self.resolve(branch).sha
        return self._mirror.holds(commit) and history.is_ancestor(self._mirror.git, commit, tip)

    def merge_base(self, one: Sha, other: Sha) -> Sha:
        """The youngest commit that both, which were resolved, have in their histories; RefError where there is none."""
        return history.merge_bases(self._mirror.git, one, other)[0]

    def snapshot(self) -> Sha:
        """The tree of the work tree as it is, uncommitted and untracked (not ignored) files included."""
        if not isinstance(self._source, Checkout):
            raise UsageError("only a repository on this machine has a work tree", where=self.location)
        # With HEAD here only what changed is written, and what a sparse checkout leaves out is known.
        with suppress(RefError):
            self._source.look_up("HEAD", self._mirror)
        tree = snapshot.snapshot(self._source, self._mirror)
        self._mirror.hold(tree)
        return tree

    def pin(self, job: str, commits: Iterable[Sha]) -> None:
        """Keep `commits` and their history (or trees, as `snapshot` gives them) in the mirror until `unpin(job)`."""
        names = list(commits)
        for name in names:
            if not self._mirror.has_tree(name):
                self._bring(name)
        self._mirror.pin(job, names)

    def unpin(self, job: str) -> None:
        """Let go of what `job` pinned; nothing happens when it pinned nothing, and the repository need not be there."""
        known = self._mirror_of(self._place)
        if known.exists():
            Mirror(path=known.resolve(), stop=self._stop).unpin(job)

    def list_history(
        self, good: Sha, bad: Sha, *, every_commit: bool, paths: Sequence[str], suspects: Sequence[str] = ()
    ) -> HistoryListed:
        """The candidates between two commits; RefError when there are none."""
        self._bring(good)
        self._bring(bad)
        git = self._mirror.git
        return history.list_history(git, good, bad, every_commit=every_commit, paths=paths, suspects=suspects)

    def list_branch(self, merge: Sha, *, in_context: bool) -> tuple[Line, int]:
        """The commits that `merge` brought in, and how many of them conflict with its first parent."""
        self._bring(merge)
        line, conflicts = branch.list_branch(self._mirror.git, merge, in_context=in_context)
        if in_context:
            self._mirror.hold_context(merge, line.trees)
        return line, conflicts

    def archive(self, tree: str) -> AbstractContextManager[BinaryIO]:
        """A tar stream of `tree`: every file of it, without `.git`, with one fixed modification time."""
        return archive.archive(self._mirror.git, tree)

    def changes(self, old: str, new: str) -> SourceChange:
        """What differs between two trees that were listed, with what tells which functions it is in."""
        return changes.changes_between(self._mirror.git, parse_sha(old), parse_sha(new))

    def content(self, tree: str, path: str, most: Bytes) -> bytes | None:
        """The file at `path` of a tree that was listed; None where there is none of at most so many bytes."""
        return changes.content_at(self._mirror.git, parse_sha(tree), path, most)

    def transplant(self, commit: Sha, onto: Sha, *, undo: bool) -> Transplant:
        """What `commit` changed against its first parent, put onto `onto`, or with `undo` taken out of it."""
        self._bring(commit)
        self._bring(onto)
        return self._held(transplant.transplant(self._mirror, commit, onto, undo=undo))

    def patched(self, patch: bytes, onto: Sha) -> Transplant:
        """The tree of `onto` with `patch`, as `git apply` reads it; UsageError when it is no patch."""
        self._bring(onto)
        return self._held(transplant.patched(self._mirror, patch, read_commit(self._mirror.git, onto).tree))

    def patched_tree(self, patch: bytes, tree: str) -> Transplant:
        """`tree` with `patch`. It is not kept: whoever wants it again has it made again."""
        return transplant.patched(self._mirror, patch, parse_sha(tree))

    def elsewhere(self, tree: str) -> Elsewhere:
        """What `tree` refers to and does not hold: submodules, files of Git LFS."""
        return elsewhere.elsewhere(self._mirror.git, parse_sha(tree))

    def with_submodules(self, tree: str) -> str:
        """`tree` with the files of its submodules; RefError where one cannot be had or its address is not allowed."""
        return with_submodules(self._mirror, parse_sha(tree), self._allowed)

    def with_files(self, tree: str, files: Mapping[str, bytes | None]) -> str:
        """`tree` with these files in place of its own, without those that are None. Nothing keeps it until it is
        pinned."""
        return parts.with_files(self._mirror, parse_sha(tree), files)

    def with_submodules_at(self, tree: str, commits: Mapping[str, Sha]) -> str:
        """`tree` with its submodules at these paths at other commits."""
        return parts.with_submodules_at(self._mirror, parse_sha(tree), commits)

    def submodule_commits(self, tree: str, path: str, old: Sha, new: Sha) -> tuple[str, tuple[Commit, ...]]:
        """Where a submodule of `tree` comes from, and the commits of its first-parent line after `old`, up to `new`."""
        return parts.submodule_commits(self._mirror, parse_sha(tree), path, (old, new), self._allowed)

    def bundled(self, old: str, new: str) -> bytes:
        """A git bundle of two commits that hold nothing but these trees, the second after the first."""
        return transplant.bundled(self._mirror, parse_sha(old), parse_sha(new))

    def uncommitted(self) -> bytes:
        """What the work tree has that HEAD has not, as a patch; empty when they are the same."""
        return transplant.difference(self._mirror.git, self.resolve("HEAD").tree, self.snapshot())

    @property
    def _allowed(self) -> Allowed:
        return Allowed(
            places=self._submodule_urls,
            base=self.location,
            environment=self._environment,
            mirrors=self._mirrors,
        )

    def _held(self, made: Transplant) -> Transplant:
        if made.tree:
            self._mirror.hold(parse_sha(made.tree))
        return made

    def _bring(self, commit: Sha) -> None:
        if not self._mirror.holds(commit):
            self._mirror.bring(self._source.origin(), commit)

    @cached_property
    def _place(self) -> str:
        """What was given, in full: by this the mirror is found without a look at the repository."""
        return Address(self._given, {}).location if is_address(self._given) else str(Path(self._given).resolve())

    @cached_property
    def _source(self) -> "Checkout | Address | _Gone":
        if is_address(self._given):
            return Address(self._given, self._environment)
        if not Path(self._place).is_dir():
            return _Gone(self._place)
        trust = self._mirror_of(self._place).with_suffix(".gitconfig")
        return find_checkout(Path(self._place), trust, self._stop)

    @cached_property
    def _mirror(self) -> Mirror:
        first, *others = (self._mirror_of(place) for place in (*self._source.places, self._place))
        if isinstance(self._source, _Gone) and not first.exists():
            raise self._source.error()
        mirror = Mirror.open(first.resolve(), self._source.object_format, self._stop)
        for other in others:
            if other != first:
                with suppress(FileExistsError):
                    other.symlink_to(first.name)
        return mirror

    def _mirror_of(self, place: str) -> Path:
        return self._mirrors / f"{digest('mirror', place)}.git"


class _Gone:
    """A path where no repository is, or is any more; its mirror may still be there."""

    object_format = "sha1"

    def __init__(self, place: str) -> None:
        self.location = place
        self.places = (place,)

    def error(self) -> UsageError:
        return UsageError("the repository is not there", where=self.location, then="Name one with --repo PATH")

    def origin(self) -> Origin:
        raise self.error()

    def look_up(self, ref: str, mirror: Mirror) -> Sha:
        del ref, mirror
        raise self.error()
