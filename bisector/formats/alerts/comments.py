"""GitHub's `issue_comment`: what of a comment that was just written concerns us."""

import re
from dataclasses import dataclass

from bisector.core.model.units import Seconds
from bisector.formats.alerts.reading import Ignored, Shape, load, seconds, shaped

LONGEST_LINE = 500
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,99})(?:\[bot\])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment that speaks to us. Every field is what GitHub signed; `line` is a stranger's."""

    repository: str
    """As GitHub names it: owner/name."""
    issue: int
    pull_request: bool
    """Whether the issue is one."""
    comment: int
    login: str
    user: int
    """The author's number, which a renamed account keeps."""
    written: Seconds
    """Since the epoch."""
    line: str
    """The first line."""


class _User(Shape):
    login: str
    id: int
    type: str = "User"


class _Comment(Shape):
    id: int
    body: str | None = ""
    user: _User | None = None
    created_at: str


class _Issue(Shape):
    number: int
    pull_request: dict[str, object] | None = None


class _Repository(Shape):
    full_name: str


class _Event(Shape):
    action: str
    issue: _Issue
    comment: _Comment
    repository: _Repository


def read_comment(body: bytes, name: str) -> Comment:
    """The comment in the body of an event, where its first line speaks to `name`; Ignored, or AlertProblem."""
    event = shaped(_Event, load(body))
    if event.action != "created":
        # What was written once is asked once: a comment that is edited, by whomever, asks nothing anew.
        raise Ignored(f"nothing is done when a comment is {event.action[:80]!r}")
    line = (event.comment.body or "").strip().split("\n", 1)[0].strip()
    if not speaks_to(line, name):
        raise Ignored("the comment does not speak to us")
    user = event.comment.user
    if user is None or user.type == "Bot" or not _LOGIN.fullmatch(user.login):
        raise Ignored("the comment was not written by a person")
    written = seconds(event.comment.created_at)
    return Comment(
        repository=event.repository.full_name,
        issue=event.issue.number,
        pull_request=event.issue.pull_request is not None,
        comment=event.comment.id,
        login=user.login,
        user=user.id,
        written=written or 0.0,
        line=line[:LONGEST_LINE],
    )


def speaks_to(line: str, name: str) -> bool:
    """Whether a line begins with the mention of `name`."""
    return line.split(maxsplit=1)[:1] != [] and line.split(maxsplit=1)[0].lower() == f"@{name.lower()}"
