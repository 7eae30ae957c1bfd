"""Marks for monitoring: the values and the ports.

While a worker has a job, each configured target bears a mark of it: a stretch in Grafana, a silence in Alertmanager.
A mark always has an end that is told with it; it is put off while the work goes on, and brought forward when that is
over. If nobody is there to do so, the mark ends by itself.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from bisector.core.model.units import Seconds

LASTS: Seconds = 600.0
"""How long a mark lasts after it was told last."""
RENEWED: Seconds = 300.0
"""What is left of it when its end is put off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch of work on a job, as a target is told of it. Times are since the epoch."""

    job: str
    fence: int
    """Of the lease: a job that is taken again is marked again."""
    text: str
    begin: Seconds
    end: Seconds

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"bisector job {self.job} lease {self.fence}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A mark that this server sees to. `attempt` is its fence."""

    target: str
    job: str
    fence: int
    begin: Seconds
    now: Seconds
    attempt: int
    ended: Seconds | None
    """When the work ended; None while it lasts."""
    outside: str
    """What the target calls it; "" where that is not known."""
    failures: int


class Marks(Protocol):
    """The marks. Every method is one transaction."""

    def claim(self, targets: Collection[str]) -> Due | None:
        """Take the next mark that is to be made, put off, or ended."""
        ...

    def made(self, due: Due, outside: str, until: Seconds) -> None:
        """The target bears it, until then."""
        ...

    def close(self, due: Due, reason: str) -> None:
        """Nothing more is done about it: it has ended, or is not wanted."""
        ...

    def put_off(self, due: Due, reason: str, after: Seconds) -> None:
        """It could not be done: to be tried again."""
        ...


class Marker(Protocol):
    """Marks at one target. Every method may raise NotSent."""

    def make(self, stretch: Stretch, *, again: bool) -> str:
        """Make a mark; what the target calls it. `again`: it may have been made before, by somebody who was lost."""
        ...

    def change(self, outside: str, stretch: Stretch) -> str:
        """Tell another end; what the target calls it from now on."""
        ...

    def end(self, outside: str, stretch: Stretch) -> None:
        """It is over."""
        ...
