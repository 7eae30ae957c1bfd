"""What the facts amount to: the answer, or the honest reason why there is none."""

from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.history import Place
from bisector.core.model.packages import PackageMove
from bisector.core.model.trials import Restoration


class VerdictKind(StrEnum):
    """The closed set of answers."""

    CULPRIT = "culprit"
    CULPRIT_SET = "culprit_set"
    SEVERAL = "several"
    NOT_REPRODUCED = "not_reproduced"
    ENVIRONMENT_CHANGED = "environment_changed"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RESTORED = "restored"
    """What was tried gives the change back."""
    NOT_RESTORED = "not_restored"


class Reason(StrEnum):
    """Why the answer is a set, or none."""

    UNTESTABLE = "untestable"
    BUDGET = "budget"
    CONFIDENCE = "confidence"
    NO_CHANGE = "no_change"
    BELOW_MIN_EFFECT = "below_min_effect"
    OPPOSITE_DIRECTION = "opposite_direction"
    ON_GOOD_BRANCH = "on_good_branch"
    CREEP = "creep"
    """The level moves in many small steps, none of which is worth naming."""
    CONFLICT = "conflict"
    """What is to be tried conflicts with the commit it is put onto."""
    LAYOUT = "layout"
    """Two builds of one commit differ as much as the culprit from its parent."""
    SAME_BUILD = "same_build"
    """What would be named has the very build of its parent."""
    PACKAGES = "packages"
    """Builds made at different times hold different packages, and those make the difference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A relative change, bad over good minus one, with the interval that holds it at the asked confidence."""

    relative: float
    low: float
    high: float


class InnerKind(StrEnum):
    """What descending into a merge found."""

    COMMIT = "commit"
    COMMIT_SET = "set"
    INTERACTION = "interaction"
    """No single commit the merge brought in gives half of its change."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerAnswer:
    """Which of the commits a merge brought in made its change; `members` are indexes on the inner line."""

    kind: InnerKind
    members: tuple[int, ...] = ()
    probability: float = 0.0
    change: Change | None = None
    in_context: bool = True
    """Judged on top of the merge's first parent; else on the branch itself, because the two conflict."""


class Doubt(StrEnum):
    """Why a culprit looks odd, though it was measured twice."""

    DOCUMENTATION = "documentation"
    """It changes only what nothing but people read."""
    TESTS = "tests"
    """It changes only tests, beside that."""
    PLATFORM = "platform"
    """It changes only what is for another system, beside that."""
    UNSEEN = "unseen"
    """No profile of either side shows a file that it changes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """Two builds of the culprit's parent, measured in turns with the culprit.

    `same_build` is that they came out equal: then nothing had to be run. `difference` is between the two, `culprit`
    that of the culprit to both; `luck` is whether the first can explain the second.
    """

    same_build: bool
    difference: Change | None = None
    culprit: Change | None = None
    runs: int = 0
    luck: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Culprit:
    """A candidate, or a set that cannot be told apart, with its probability. `place` is the likeliest member's."""

    place: Place
    members: tuple[int, ...]
    probability: float
    change: Change | None
    verified: bool
    inner: InnerAnswer | None = None
    revert: Restoration | None = None
    """What bad is without it, where that was measured."""
    control: Control | None = None
    """How far two builds of its parent differ, where that is known."""
    suspicious: Doubt | None = None
    """Why it looks odd all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartsAnswer:
    """Which of the parts of a change made it; `members` are indexes on the line of the parts.

    `alone` is how much of the change the part makes without those before it, where that was measured. `problem` is why
    no part can be named.
    """

    place: Place
    kind: InnerKind
    members: tuple[int, ...] = ()
    probability: float = 0.0
    change: Change | None = None
    alone: Restoration | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """Two commits built again, because their builds held different packages and one of them was made earlier.

    `moves` is what differs between the earlier builds and those made in this job, `again` which of the two commits
    that holds for. `change` is between the builds at hand and `left` between those made today; `share` is the part of
    the first that the second is, on the logarithmic scale, between `low` and `high`. `caused` is whether it was the
    packages: None where the runs cannot tell.
    """

    old: Place
    new: Place
    moves: tuple[PackageMove, ...]
    again: tuple[Place, ...]
    change: Change
    left: Change
    share: float
    low: float | None
    high: float | None
    caused: bool | None
    runs: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer. `change` is between the ends; `excluded` is the smallest change the measurements rule out.

    `culprits` go the way that was asked for; `opposite` are changes the other way, which take a part of it back.
    """

    kind: VerdictKind
    reason: Reason | None = None
    culprits: tuple[Culprit, ...] = ()
    opposite: tuple[Culprit, ...] = ()
    change: Change | None = None
    excluded: float | None = None
    no_change: float = 0.0
    """Probability that there is no change between the ends."""
    explanation: str = ""
    trial: Restoration | None = None
    """What came of the one thing that the job was to try."""
    head: Restoration | None = None
    """What the tip of the branch gives back, where it was asked about: nothing, as long as the change is there."""
    rebuilt: Rebuilt | None = None
    """What building two commits again gave, where that was what it took to know."""
    parts: PartsAnswer | None = None
    """Which of the packages or of a submodule's commits it was, where a culprit moves nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricVerdict:
    """The answer for a further metric, and how sure it had to be for all answers together to be as sure as asked."""

    metric: str
    verdict: Verdict
    confidence: float
