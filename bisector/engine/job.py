"""A job's states and what each leads to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bisector.core.model.request import Request
from bisector.errors import InvalidTransition


class JobState(StrEnum):
    """Where a job stands. Its phase and answer are computed from its facts."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    """Stopped by a fault of the machine or by its death; resumable."""
    CANCELLED = "cancelled"
    """Stopped by a person; resumable."""
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """A job as lists show it."""

    job: str
    state: JobState
    request: Request
    created: datetime
    sentence: str = ""
    facts: int = 0


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(JobState),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED}),
    JobState.DONE: frozenset(),
}


def check_transition(job: str, before: JobState, after: JobState) -> None:
    """InvalidTransition unless `before` leads to `after`.

    From running to running is a takeover, from running to queued a worker's making room.
    """
    if after not in TRANSITIONS[before]:
        allowed = ", ".join(sorted(TRANSITIONS[before])) or "nothing"
        raise InvalidTransition(f"job {job} is {before} and cannot become {after}", where=f"allowed: {allowed}")
