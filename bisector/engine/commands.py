"""Commands in comments: the values and the ports.

Each comment that asks for something has one row, named by the comment itself, for as long as its answer changes. What
the answer is to say follows from the row and the state of its job; a row is taken by one server at a time, and showing
the same answer again is the same as showing it once, so that a server may die anywhere.
"""

from dataclasses import dataclass
from typing import Protocol

from bisector.core.model.units import Seconds, Sha
from bisector.formats.alerts.comments import Comment


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """A comment that asks for something, and the configured repository it is about."""

    repository: str
    comment: Comment


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A comment that this server sees to. `attempt` is its fence."""

    row: int
    noted: Noted
    attempt: int
    failures: int
    """In a row, before this attempt."""
    job: str = ""
    """What came of it; "" nothing yet."""
    answer: int | None = None
    """Our comment, once it is known."""


def asked_by(noted: Noted) -> str:
    """What the queue calls whoever wrote a comment: no other comment bears it, so that its job is found again."""
    comment = noted.comment
    return f"comment {comment.comment} by {comment.login[:100]} on #{comment.issue} of {noted.repository}"[:200]


class Commands(Protocol):
    """The comments. Every method is one transaction."""

    def note(self, noted: Noted) -> bool:
        """Note a comment; False for one that is noted already."""
        ...

    def claim(self) -> Taken | None:
        """Take the next one that is new, or whose job is no longer as our answer says."""
        ...

    def follow(self, taken: Taken, job: str) -> bool:
        """A job came of it, whose answer is to be shown; False when another server has it by now."""
        ...

    def still_ours(self, taken: Taken) -> bool:
        """Right before something leaves: False when another server has it by now."""
        ...

    def shown(self, taken: Taken, state: str, answer: int, *, last: bool) -> None:
        """Our answer speaks of the job in `state` now; the `last` one that there will be."""
        ...

    def close(self, taken: Taken, reason: str) -> None:
        """Nothing more is done on it."""
        ...

    def put_off(self, taken: Taken, reason: str, after: Seconds) -> None:
        """It could not be done: to be tried again."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request as it is now."""

    head: Sha
    base: str
    """The branch it is to go to."""
    foreign: bool
    """Whether its commits are in another repository, whose owner need not be trusted here."""
    pushed: Seconds
    """When something was last pushed to the head's repository, since the epoch; 0 where that is gone."""


class Forge(Protocol):
    """Where the comments are. `where` is the path of a repository there. Every method may raise NotSent."""

    def may_write(self, where: str, login: str, user: int) -> bool:
        """Whether the user of that name, who has to be the one with that number, may write to the repository."""
        ...

    def pull_request(self, where: str, number: int) -> PullRequest:
        """The pull request of that number."""
        ...

    def answer(self, where: str, issue: int, mark: str, body: str, known: int | None) -> int:
        """Our comment with that mark on the issue says `body` from now on: edited where it is there, else made."""
        ...
