"""What came of profiling: which profilers there were, each capture, and what the culprit changed. All of it facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.history import Place
from bisector.core.model.packages import PackageMove
from bisector.core.model.profiles import CAPTURE_VERSION, CaptureKind, CaptureSlot, Format, ProfilerName
from bisector.core.model.units import Seconds

Pending = tuple[int, CaptureSlot, ProfilerName | None]
"""A slot by its order, and with what it is to be filled: None for a count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfilersSeen:
    """The profilers that step `step` may use, the first one first, and why these; `refused` cannot be had here."""

    step: int
    able: tuple[ProfilerName, ...]
    refused: Mapping[str, str]
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Profiled:
    """One capture, or why there is none (`problem`). It fills slot `order` of step `step`.

    `files` are the artifacts that hold what the profiler wrote, as it wrote it; together they are of `runs` runs and
    hold `samples` samples. `source` and `scenario` are the directories the checkout and the scenario's files lay in.
    `cpu` is the processor time of a run that was made beside it, without the profiler; None where there was none.
    """

    step: int
    order: int
    place: Place
    kind: CaptureKind
    tool: str
    format: Format
    files: tuple[str, ...] = ()
    runs: int = 0
    samples: int = 0
    rate_hz: int = 0
    source: str = ""
    scenario: str = ""
    seconds: Seconds = 0.0
    problem: str = ""
    blind: bool = False
    """The profiler worked, but most of the processor time went into processes that it cannot look into."""
    version: int = CAPTURE_VERSION
    cpu: Seconds | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangesKept:
    """What lies between the sources of two places, kept as the artifact `changes`; or why it could not be had."""

    step: int
    old: Place
    new: Place
    changes: str = ""
    problem: str = ""


class ChangeKind(StrEnum):
    """What a culprit is."""

    COMMIT = "commit"
    DEPENDENCY = "dependency"
    """It only moves packages: nothing else that a build or a run could notice."""
    SUBMODULE = "submodule"
    """It only moves submodules."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmoduleMove:
    """A submodule of another commit; None where it is not there on that side."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeSeen:
    """Which files a culprit changes against its parent (`left_out` more are not listed), and whether a profile of
    either side shows one of them; None where no profile can tell."""

    place: Place
    files: tuple[str, ...]
    left_out: int = 0
    profiled: bool | None = None
    kind: ChangeKind = ChangeKind.COMMIT
    packages: tuple[PackageMove, ...] = ()
    """Packages that it wants in other versions, by the files that say so."""
    submodules: tuple[SubmoduleMove, ...] = ()
    parent: Place | None = None
    """What it was compared with; None for its parent, in facts of before anything else was asked for."""

    def is_of(self, place: Place, parent: Place) -> bool:
        """Whether it is about the change from `parent` to `place`."""
        return self.place == place and self.parent in (None, parent)


def pending_captures(
    slots: Sequence[CaptureSlot], seen: ProfilersSeen | None, captures: Iterable[Profiled]
) -> tuple[Pending, ...]:
    """The slots that still want a capture. One failure of a profiler gives every sampled slot to the next one, so that
    both sides are always seen with the same; a count is tried once."""
    if seen is None:
        return ()
    taken = [capture for capture in captures if capture.step == seen.step]
    name = in_use(seen, taken)
    sampled = {capture.order for capture in taken if capture.tool == name}
    counted = {capture.order for capture in taken if capture.kind is not CaptureKind.SAMPLED}
    pending: list[Pending] = []
    for order, slot in enumerate(slots):
        if slot.kind is not CaptureKind.SAMPLED:
            if order not in counted:
                pending.append((order, slot, None))
        elif name is not None and order not in sampled:
            pending.append((order, slot, name))
    return tuple(pending)


def in_use(seen: ProfilersSeen, captures: Iterable[Profiled]) -> ProfilerName | None:
    """The profiler that step `seen` is of has come to: the first that has not failed; None when all have.

    After one that is blind to what takes the time, only one that looks into any process is of use.
    """
    taken = [capture for capture in captures if capture.step == seen.step]
    failed = {capture.tool for capture in taken if capture.problem}
    useful = seen.able
    if any(capture.blind for capture in taken):
        useful = tuple(name for name in seen.able if name is ProfilerName.PERF)
    return next((name for name in useful if name not in failed), None)
