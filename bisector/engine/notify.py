"""Answers out: what is told, to whom, and the outbox that it goes through.

An answer is noted in the outbox once for each target, in a state that says what has become of it. One sender at a
time takes a row. It is marked again right before anything leaves this process: what is lost before that mark is done
again; what is lost after it is done again only where doing it twice makes no difference.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bisector.core.model.units import Seconds, digest
from bisector.core.model.verdict import VerdictKind
from bisector.report.document import Report
from bisector.report.messages.news import News

SILENT = frozenset({None, VerdictKind.INCONCLUSIVE, VerdictKind.FAILED, VerdictKind.CANCELLED})
"""Answers that say nothing of the code: they do not come between two that are the same."""


class Fate(StrEnum):
    """What has become of a message."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    """A sender has it; nothing has left yet."""
    SENDING = "sending"
    """It is leaving."""
    SENT = "sent"
    SKIPPED = "skipped"
    """The target does not want answers like this."""
    REPEATED = "repeated"
    """The target was told the same before."""
    UNSURE = "unsure"
    """It may have arrived: it is not sent again."""
    GIVEN_UP = "given up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A message to be noted."""

    job: str
    target: str
    subject: str
    """What it is about: a digest of repository, scenario and metric."""
    told: str
    """What it says of that: a digest of the verdict and its commits; "" for an answer that says nothing."""
    wanted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A message that this sender has. `attempt` counts from 1 and is its fence."""

    row: int
    job: str
    target: str
    subject: str
    attempt: int
    age: Seconds
    """Since it was noted."""

    @property
    def delivery(self) -> str:
        """Names this message for the receiver, the same at each attempt."""
        return digest("delivery", self.job, self.target, self.subject)[:32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many messages to a target stand so."""

    target: str
    fate: Fate
    messages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message as lists show it."""

    job: str
    target: str
    fate: Fate
    noted: Seconds
    """Since the epoch, as the next one."""
    due: Seconds
    """Of one that waits: the next attempt; else when something was last done about it."""
    attempts: int
    reason: str
    """Why the last attempt failed; "" where none did."""


class Outbox(Protocol):
    """The messages. Every method is one transaction."""

    def open_for(self, targets: Collection[str]) -> None:
        """These are told of what ends from now on; one that is known already, since it was first named."""
        ...

    def unnoted(self, targets: Collection[str]) -> list[tuple[str, str]]:
        """Jobs that ended, that no person asked for at a terminal, and the target for which they are not noted yet."""
        ...

    def note(self, notes: Collection[Note]) -> None:
        """Note messages; one that is noted already stays as it is."""
        ...

    def claim(self, targets: Collection[str], repeatable: Collection[str]) -> Claimed | None:
        """Take the next message that is due. What a sender before lost on its way, to targets that are not
        `repeatable`, is unsure from then on; what its target was told before is not told again.
        """
        ...

    def begin(self, claimed: Claimed) -> bool:
        """It is about to leave; False when another sender has it by now."""
        ...

    def settle(self, claimed: Claimed, fate: Fate, reason: str = "", *, after: Seconds = 0.0) -> None:
        """What became of it. WAITING: to be tried again `after` so many seconds."""
        ...

    def counts(self) -> list[Count]:
        """How the messages stand."""
        ...

    def messages(self, most: int, fate: Fate | None = None) -> list[Message]:
        """The messages with that fate, or all: those that are still to leave first, then the newest."""
        ...


class NotSent(Exception):
    """A message did not arrive. `reason` holds nothing secret, and nothing that the receiver said."""

    def __init__(self, reason: str, *, after: Seconds = 0.0, unsure: bool = False) -> None:
        """`after`: the receiver asks for that long. `unsure`: it may have arrived all the same."""
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.unsure = unsure


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """An answer on its way to a target."""

    report: Report
    news: News
    subject: str
    delivery: str
    forge: str
    """Kind of the forge that shows the repository; "" where none is known."""
    web: str
    """The repository's page there."""


class Notifier(Protocol):
    """Tells one target."""

    repeatable: bool
    """Whether telling twice is the same as telling once."""

    def send(self, telling: Telling) -> None:
        """Tell it; NotSent."""
        ...


def subject_of(report: Report) -> str:
    """What a report is about."""
    return digest("subject", report.repository, report.scenario, report.metric.name)


def told_by(report: Report) -> str:
    """What a report says of it."""
    if report.verdict in SILENT or report.verdict is None:
        return ""
    return digest("told", report.verdict.value, *sorted({sha for culprit in report.culprits for sha in culprit.set}))
