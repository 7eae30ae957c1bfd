"""The simulated history as a repository."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from bisector.adapters.in_memory import profiles
from bisector.adapters.in_memory.world import World
from bisector.core.explain.changes import FileChange
from bisector.core.explain.sources import SourceChange
from bisector.core.model.builds import Elsewhere
from bisector.core.model.facts import HistoryListed
from bisector.core.model.history import Commit, Line, linear_line
from bisector.core.model.trials import Transplant
from bisector.core.model.units import Bytes, Sha
from bisector.errors import RefError, UsageError


class SimulatedRepository:
    """Implements `bisector.engine.ports.Repository`. Refs are "good", "bad", an index of the line, or a name."""

    def __init__(self, world: World) -> None:
        """A repository whose only line is that of `world`."""
        self.world = world
        self.pinned: dict[str, tuple[Sha, ...]] = {}

    @property
    def location(self) -> str:
        """The settings of the world: it can be made again from them."""
        return f"simulated:{self.world.text()}"

    @property
    def further_metrics(self) -> tuple[str, ...]:
        """What the world's runs yield besides their time."""
        return self.world.metric_names

    def resolve(self, ref: str) -> Commit:
        """The commit `ref` names; RefError when it names none."""
        line = self.world.line
        if ref.endswith("^"):
            return line[max(line.index(self.resolve(ref[:-1])) - 1, 0)]
        if ref in {"good", "bad"}:
            return line[0 if ref == "good" else -1]
        if ref.isdecimal() and int(ref) < len(line):
            return line[int(ref)]
        for commit in line:
            if len(ref) >= 7 and commit.sha.startswith(ref):
                return commit
        raise RefError(f"{ref!r} names no commit", then=f"There are good, bad and 0 to {len(line) - 1}")

    def contains(self, branch: str, commit: Sha) -> bool:
        """Whether `commit` is on the line, up to `branch`."""
        tip = self.resolve(branch)
        return any(known.sha == commit for known in self.world.line[: self.world.line.index(tip) + 1])

    def merge_base(self, one: Sha, other: Sha) -> Sha:
        """On one line it is the older of the two."""
        return min(one, other, key=lambda sha: self.world.line.index(self.resolve(sha)))

    def snapshot(self) -> Sha:
        """The work tree is that of the last commit."""
        return self.world.line[-1].tree

    def pin(self, job: str, commits: Iterable[Sha]) -> None:
        """Note what `job` pins."""
        self.pinned[job] = tuple(commits)

    def unpin(self, job: str) -> None:
        """Forget what `job` pinned."""
        self.pinned.pop(job, None)

    def list_history(
        self, good: Sha, bad: Sha, *, every_commit: bool, paths: Sequence[str], suspects: Sequence[str] = ()
    ) -> HistoryListed:
        """The candidates between two commits; RefError when there are none. A suspect is the index of a candidate."""
        del paths
        names = [commit.sha for commit in self.world.line]
        first, last = names.index(good), names.index(bad)
        if first >= last:
            raise RefError("there is no commit between the ends", then="Is the good commit the older one?")
        line = replace(
            linear_line(self.world.line[first], self.world.line[first + 1 : last + 1]),
            idle=frozenset(index - first for index in self.world.idle if first < index <= last),
            suspected=frozenset(int(suspect) - first for suspect in suspects if first < int(suspect) <= last),
        )
        if every_commit:
            line = replace(
                line,
                links=tuple((index - 1,) if index > 1 else () for index in range(1, line.size + 1)),
            )
        return HistoryListed(line=line)

    def list_branch(self, merge: Sha, *, in_context: bool) -> tuple[Line, int]:
        """The commits that `merge` brought in, none of which ever conflicts."""
        line = self.world.line
        index = next(i for i, commit in enumerate(line) if commit.sha == merge)
        branch = self.world.branch_of(index)
        trees = tuple(self.world.context_tree(index, commit) for commit in branch)
        if not in_context:
            return Line(
                base=line[max(index - 2, 0)], candidates=branch, trees=(line[max(index - 2, 0)].tree, *trees)
            ), 0
        candidates = (*branch, line[index])
        return Line(
            base=line[index - 1], candidates=candidates, trees=(line[index - 1].tree, *trees, line[index].tree)
        ), 0

    def changes(self, old: str, new: str) -> SourceChange:
        """The planted change, where it is in one of the trees and not in the other."""
        if self.world.is_idle(new):
            return SourceChange(files=(FileChange(path="docs/guide.md", hunks=()),), sources={}, packages=())
        return profiles.changes(planted=self.world.has_change(old) != self.world.has_change(new))

    def content(self, tree: str, path: str, most: Bytes) -> bytes | None:
        """There are no files."""
        del tree, path, most
        return None

    def transplant(self, commit: Sha, onto: Sha, *, undo: bool) -> Transplant:
        """`onto` without a commit of the line, or with it; the world says which of them conflict."""
        names = [each.sha for each in self.world.line]
        index, place = names.index(commit), names.index(onto)
        if index in self.world.conflicting:
            return Transplant(conflicts=("app.py",))
        return Transplant(tree=self.world.trial_tree(place, index, undo=undo))

    def patched(self, patch: bytes, onto: Sha) -> Transplant:
        """A patch is the factor by which it changes the level, or the word "conflict"."""
        if patch == b"conflict":
            return Transplant(conflicts=("app.py",))
        try:
            factor = float(patch)
        except ValueError:
            raise UsageError("git cannot read the patch: it is no number") from None
        return Transplant(tree=self.world.patched_tree([each.sha for each in self.world.line].index(onto), factor))

    def patched_tree(self, patch: bytes, tree: str) -> Transplant:
        """A tree without files has nothing that a patch applies to."""
        del patch, tree
        return Transplant(conflicts=("app.py",))

    def elsewhere(self, tree: str) -> Elsewhere:
        """Nothing."""
        del tree
        return Elsewhere()

    def with_submodules(self, tree: str) -> str:
        """The same tree: it has none."""
        return tree

    def with_files(self, tree: str, files: Mapping[str, bytes | None]) -> str:
        """There are no files."""
        del files
        raise RefError("a simulated world has no files", where=tree)

    def with_submodules_at(self, tree: str, commits: Mapping[str, Sha]) -> str:
        """There are none."""
        del commits
        return tree

    def submodule_commits(self, tree: str, path: str, old: Sha, new: Sha) -> tuple[str, tuple[Commit, ...]]:
        """There are none."""
        del path, old, new
        raise RefError("a simulated world has no submodules", where=tree)

    def bundled(self, old: str, new: str) -> bytes:
        """The names of the trees: all there is of them."""
        return f"{old} {new}".encode()

    def uncommitted(self) -> bytes:
        """Nothing."""
        return b""

    @contextmanager
    def archive(self, tree: str) -> Iterator[BinaryIO]:
        """The tree's name instead of its files: all that the simulated runner wants to know."""
        yield BytesIO(tree.encode())
