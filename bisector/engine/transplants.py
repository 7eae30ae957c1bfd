"""The part of a repository that makes trees which no commit has."""

from typing import Protocol

from bisector.core.model.trials import Transplant
from bisector.core.model.units import Sha


class Transplants(Protocol):
    """Changes put onto another commit than their own, in our mirror: `bisector.engine.ports.Repository` has them."""

    def transplant(self, commit: Sha, onto: Sha, *, undo: bool) -> Transplant:
        """What `commit` changed against its first parent, put onto `onto`, or with `undo` taken out of it."""
        ...

    def patched(self, patch: bytes, onto: Sha) -> Transplant:
        """The tree of `onto` with `patch`, as `git apply` reads it; UsageError when it is no patch."""
        ...

    def bundled(self, old: str, new: str) -> bytes:
        """A git bundle of two commits that hold nothing but these trees, the second after the first."""
        ...

    def uncommitted(self) -> bytes:
        """What the work tree has that HEAD has not, as a patch; empty when they are the same."""
        ...
