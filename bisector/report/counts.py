"""What stands beside a metric that is counted instead of timed."""

from dataclasses import dataclass

from bisector.core.model.units import Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedPart:
    """A metric that is a counter: by which tool it was counted, and the wall times of both sides that stand beside it.

    `alone` is whether those are of runs of their own, since the tool makes times its own.
    """

    by: str | None
    alone: bool
    old: tuple[Seconds, ...]
    new: tuple[Seconds, ...]
