"""Word of waiting jobs, carried from whoever queues them to workers on other hosts: the value and both ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bisector.core.model.units import Seconds
from bisector.engine.queue import Priority


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Word that a job waits, for whoever carries it to a worker."""

    job: str
    attempt: int
    """How often it had been taken when it began to wait: word of an earlier wait is out of date."""
    priority: Priority
    host_class: str
    host: str
    """The machine it is for; "" any of the class."""
    rest: Seconds = 0.0
    """How long it is not to be taken yet."""


class Dispatcher(Protocol):
    """Carries word of waiting jobs to workers. Where there is none workers look by themselves."""

    def announce(self, connection: object, message: Message) -> None:
        """Send word in the transaction of `connection`, the database driver's own: it is sent if that commits."""
        ...


class Inbox(Protocol):
    """The other end of a dispatcher, in a worker."""

    def run(self, take: Callable[[str | None], object], goes_on: Callable[[], bool]) -> None:
        """Call `take` with one job after the other that word is had of, and with None now and then.

        Until `goes_on` says no, or the database goes away: StoreError.
        """
        ...
