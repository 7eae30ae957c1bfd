"""What the planner asks for next. A step names places, never commits or paths; it carries its reason."""

from dataclasses import dataclass

from bisector.core.model.history import Place
from bisector.core.model.parts import PartKind
from bisector.core.model.profiles import CaptureSlot
from bisector.core.model.samples import Purpose
from bisector.core.model.trial import Trial
from bisector.core.model.verdict import Culprit, MetricVerdict, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One run of a round: where, of which build of that commit, and why."""

    place: Place
    purpose: Purpose
    number: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ListHistory:
    """List the candidates between the ends."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlace:
    """Build the commit at `place`; `number` counts builds made afresh on purpose.

    With `clean` a build that failed is made once more, from nothing that is kept of other builds.
    """

    place: Place
    reason: str
    number: int = 0
    clean: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """Run the slots in this order, each in a fresh process.

    `parallel` at a time, at the same moment and on processors of their own: the first so many slots, the next so many
    and so on. With `duet` two at a time, the second of each being the reference.
    """

    slots: tuple[Slot, ...]
    reason: str
    duet: bool = False
    parallel: int = 1

    @property
    def width(self) -> int:
        """How many runs go on at the same moment."""
        return 2 if self.duet else self.parallel

    def moment(self, order: int) -> int:
        """In which of the round's moments slot `order` is run."""
        return order // self.width

    def partner(self, order: int) -> int | None:
        """The slot that is run together with slot `order`."""
        return order ^ 1 if self.duet and order ^ 1 < len(self.slots) else None

    def lane(self, order: int) -> int:
        """Which group of processors slot `order` gets: all of them in turns, since no two are quite alike."""
        return (order + self.moment(order)) % self.width


@dataclass(frozen=True, kw_only=True, slots=True)
class ListBranch:
    """List the commits that the merge at `merge` brought in, in its context or, failing that, on their branch."""

    merge: Place
    in_context: bool
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ListParts:
    """List the parts of what the commit at `place` changes against the one at `parent`.

    In context both are known to show the change; else what lies outside the repository made it.
    """

    place: Place
    parent: Place
    what: PartKind
    in_context: bool
    reason: str
    with_part: int = 0
    """The package whose company is to be listed; 0 for all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NameCulprit:
    """Hold on to a culprit that was found and verified, and go on with what lies on both sides of it.

    `old` and `new` are the indexes on the main line whose difference it stands for.
    """

    culprit: Culprit
    old: int
    new: int
    reason: str
    metric: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileSides:
    """Profile both places of each of `pairs` (old, new), slot by slot, about `samples` samples a sampled capture."""

    pairs: tuple[tuple[Place, Place], ...]
    slots: tuple[CaptureSlot, ...]
    samples: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MakeTrial:
    """Make the tree of `trial`, on top of the commit at `onto`, to be built and measured as `place`."""

    place: Place
    trial: Trial
    onto: Place
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LookAtChange:
    """Look which files the commit at `place` changes against the one at `parent`."""

    place: Place
    parent: Place
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Conclude:
    """End the job with this verdict."""

    verdict: Verdict
    reason: str
    others: tuple[MetricVerdict, ...] = ()


Step = (
    ListHistory
    | BuildPlace
    | Measure
    | ListBranch
    | ListParts
    | NameCulprit
    | ProfileSides
    | MakeTrial
    | LookAtChange
    | Conclude
)
