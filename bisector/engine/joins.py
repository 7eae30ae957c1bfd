"""Alerts that join a job which is about what they are about: the values and the port.

An alert joins a job that still waits, of the same repository and scenario, where both may mean one change. It is not
given up: when the job has ended it is looked whether that answered the alert; where it did not, the alert gets a job of
its own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bisector.core.model.request import Request
from bisector.engine.queue import Order


class JoinFate(StrEnum):
    """What has become of an alert that joined a job."""

    WAITING = "waiting"
    ANSWERED = "answered"
    OWN = "own"
    """The job did not answer it: it has one of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """An alert that joined a job, with the request that it would have made."""

    row: int
    job: str
    request: Request
    order: Order
    since: datetime
    fate: JoinFate = JoinFate.WAITING
    own: str = ""
    """The job of its own, where it has one."""
    said: str = ""
    """What the job said of it besides its own answer, as a phrase."""


class Joins(Protocol):
    """Who joined what. Every method is one transaction."""

    def waiting_like(self, request: Request, order: Order) -> list[tuple[str, Request]]:
        """Jobs of the same repository and kind of host that wait, with the same priority or a higher one."""
        ...

    def join(self, job: str, request: Request, order: Order) -> bool:
        """Note that an alert joins a job; the same alert joins it once.

        False when the job waits no longer, or when a job is on its way that asks the very same.
        """
        ...

    def of(self, job: str) -> tuple[Joined, ...]:
        """The alerts that joined a job, in their order."""
        ...

    def to_settle(self) -> tuple[str, ...]:
        """Jobs that neither wait nor are worked on any more, of which alerts that joined still wait."""
        ...

    def settle(self, joined: Joined, fate: JoinFate, *, own: str = "", said: str = "") -> None:
        """What became of an alert; one that is settled stays as it is."""
        ...
