"""Trees that are no commit of the history: one end with a commit taken out of it, put on top of it, or patched.

What they are asked: measured beside both ends, how much of the change between those do they give back?
"""

from dataclasses import dataclass

from bisector.core.model.history import Commit, LineName, Place
from bisector.core.model.trial import Trial, TrialKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Transplant:
    """What came of putting a change onto a commit: the tree, or the files in which the two conflict ("" then)."""

    tree: str = ""
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialMade:
    """A trial's tree was made (a fact). `commit` stands for it where one is named; its tree is "" in a conflict."""

    place: Place
    trial: Trial
    commit: Commit
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Restoration:
    """How much of the change between two ends a trial gives back, as a share of it on the logarithmic scale.

    1 is all of it: the level of the other end. `low` to `high` holds it at the asked confidence; all three are None
    where nothing could be measured. `needed` is the share from which on the change counts as given back. `restored`
    is None where the runs cannot tell. `left` is how far the trial still is from the end it should reach, as a share
    of that level.
    """

    place: Place
    kind: TrialKind
    share: float | None = None
    low: float | None = None
    high: float | None = None
    needed: float = 1.0
    restored: bool | None = None
    left: tuple[float, float, float] | None = None
    """Relative difference to that end, its lower and its upper bound."""
    runs: int = 0
    """Runs of the trial itself."""
    conflicts: tuple[str, ...] = ()
    problem: str = ""
    """Why there is no share, or no answer."""


HEAD_PLACE = Place(line=LineName.TRIED, index=0)
"""Where the tip of the branch is measured."""
TRIED = Place(line=LineName.TRIED, index=1)
"""Where the only trial of a job that tries something is measured."""


def without(index: int) -> Place:
    """Where bad without the candidate at `index` of the main line is measured."""
    return Place(line=LineName.TRIED, index=index)
