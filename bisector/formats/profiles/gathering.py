"""Collects the stacks of one file while it is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Capture, Frame, Stacks, Unit, captured, integers, numbers
from bisector.formats.profiles.problem import ProfileProblem

MEASURED_IN: Mapping[str, tuple[Unit, float]] = {
    "nanoseconds": (Unit.SECONDS, 1e-9),
    "microseconds": (Unit.SECONDS, 1e-6),
    "milliseconds": (Unit.SECONDS, 1e-3),
    "seconds": (Unit.SECONDS, 1.0),
    "bytes": (Unit.BYTES, 1.0),
}
"""What formats call the units of their weights, and how many of ours one is."""

HEAVIEST = 1e15
"""No weight is larger: sums of more would lose their digits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How a file is to be read: names of frames, the rate of sampling where the tool does not tell it, and the units of
    work the run did."""

    names: Names = field(default_factory=Names)
    rate_hz: float | None = None
    work: float = 1.0


class Gathering:
    """Stacks with their weights, frames by number. What cannot be used is counted in `lost`."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.frames: list[Frame] = []
        self.lost = 0
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._flat: list[int] = []
        self._lengths: list[int] = []
        self._weights: list[float] = []

    def frame(self, name: str, path: str = "", line: int = 0) -> int:
        """The number of a frame as a tool tells it."""
        number = self._numbers.setdefault((name, path, line), len(self.frames))
        if number == len(self.frames):
            self.frames.append(self.reading.names.frame(name, path, line))
        return number

    def add(self, stack: Iterable[int], weight: float) -> None:
        """A stack, outermost frame first. One that is empty or of an impossible weight is lost."""
        start = len(self._flat)
        if not 0 <= weight <= HEAVIEST:
            self.lost += 1
            return
        self._flat.extend(stack)
        length = len(self._flat) - start
        if length:
            self._lengths.append(length)
            self._weights.append(weight)
        else:
            self.lost += 1

    def __len__(self) -> int:
        return len(self._lengths)

    def capture(self, tool: str, unit: Unit, *, samples: int | None, scale: float = 1.0) -> Capture:
        """The capture of all stacks, their weights times `scale`; ProfileProblem where there are none."""
        if not self._lengths:
            raise ProfileProblem("there are no samples in it")
        stacks = Stacks(
            frames=self.frames,
            flat=integers(self._flat),
            lengths=integers(self._lengths),
            weights=numbers(self._weights) * scale,
        )
        return captured(stacks, tool=tool, unit=unit, samples=samples, work=self.reading.work, lost=self.lost)

    def counted(self, tool: str) -> Capture:
        """The capture of stacks whose weights are counts of samples: in seconds where the rate is known."""
        total = sum(self._weights)
        whole = all(weight.is_integer() for weight in self._weights)
        samples = int(total) if whole and total else None
        rate = self.reading.rate_hz
        if rate is None:
            return self.capture(tool, Unit.SAMPLES, samples=samples)
        return self.capture(tool, Unit.SECONDS, samples=samples, scale=1.0 / rate)
