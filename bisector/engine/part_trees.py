"""The part of a repository that makes trees in which only some of what a commit moves has moved."""

from collections.abc import Mapping
from typing import Protocol

from bisector.core.model.history import Commit
from bisector.core.model.units import Sha


class PartTrees(Protocol):
    """Trees of ours, made in our mirror: `bisector.engine.ports.Repository` has them."""

    def with_files(self, tree: str, files: Mapping[str, bytes | None]) -> str:
        """`tree` with these files in place of its own, without those that are None."""
        ...

    def with_submodules_at(self, tree: str, commits: Mapping[str, Sha]) -> str:
        """`tree` with its submodules at these paths at other commits."""
        ...

    def submodule_commits(self, tree: str, path: str, old: Sha, new: Sha) -> tuple[str, tuple[Commit, ...]]:
        """Where a submodule of `tree` comes from, and the commits of its first-parent line after `old`, up to `new`;
        RefError where the one does not come after the other, or it cannot or must not be fetched."""
        ...
