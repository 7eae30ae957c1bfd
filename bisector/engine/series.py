"""Series: what they are called, and the port to what is written down of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bisector.core.watch.log import Record


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class SeriesName:
    """One metric of one scenario on one branch, measured by one kind of host."""

    repository: str
    branch: str
    scenario: str
    metric: str
    host_class: str

    def __str__(self) -> str:
        """As people name it."""
        return f"{self.repository}/{self.branch}/{self.scenario}/{self.metric}@{self.host_class}"


class SeriesLog(Protocol):
    """What is written down of series, kept for good; it is only ever added to."""

    def records(self, series: str) -> Sequence[Record]:
        """The records of a series, oldest first; none of one that is not known."""
        ...

    def append(self, series: str, after: int, record: Record) -> bool:
        """Add a record to a series that has `after` of them, durable on return.

        False, and nothing added, where it has more by now: somebody else saw to it.
        """
        ...

    def names(self) -> Sequence[str]:
        """The series there are, in the order of their names."""
        ...
