"""What a sweep does next about one series: a function of its history and of nothing else.

A series is one metric of one scenario on one branch and one class of host. Its history is a list of entries that is
only added to, as a job's facts are: what was measured in a night, what a closer look said, which level was accepted by
whom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.scenario import Metric
from bisector.core.model.units import Seconds, Sha
from bisector.core.model.verdict import Change
from bisector.core.watch.detect import Step, Watch, newest_step
from bisector.core.watch.nights import Night


class AcceptedBy(StrEnum):
    """Why a level counts as the one to compare with."""

    START = "start"
    """The series begins with it."""
    STEP = "step"
    """A confirmed change made it; the change itself stays open until a person says otherwise."""
    PERSON = "person"
    """Somebody said that this level is as it should be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """From here on nights are measured against this commit."""

    commit: Sha
    time: Seconds
    by: AcceptedBy
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A closer look at a step: both ends measured afresh, interleaved. `change` is None where they do not differ."""

    good: Sha
    bad: Sha
    time: Seconds
    change: Change | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Searched:
    """A job was started for a confirmed step."""

    good: Sha
    bad: Sha
    time: Seconds
    job: str
    worse: bool


Entry = Night | Accepted | Looked | Searched


@dataclass(frozen=True, kw_only=True, slots=True)
class Accept:
    """Take the level of `commit` as the one to compare with."""

    commit: Sha
    by: AcceptedBy


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Measure `good` and `bad` afresh, interleaved: is the step there?"""

    good: Sha
    bad: Sha
    step: Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Start a job between `good` and `bad`."""

    good: Sha
    bad: Sha
    worse: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """Measure the branch's tip beside `reference`."""

    reference: Sha


Move = Accept | Look | Search | Measure

REST_AFTER_DENIAL = 3
"""Nights after a closer look that showed nothing, before there may be another."""


def next_move(history: Sequence[Entry], metric: Metric, tip: Sha, watch: Watch | None = None) -> Move | None:
    """What is to be done; None where all that can be is done until the next night.

    `Measure` is for the tick of the clock to ask (`due`): this answers what follows from what is there.
    """
    if not any(isinstance(entry, Accepted) for entry in history):
        return Accept(commit=tip, by=AcceptedBy.START)
    last = history[-1]
    if isinstance(last, Looked) and last.change is not None:
        return Search(good=last.good, bad=last.bad, worse=_worse(last.change, metric))
    if isinstance(last, Searched):
        return Accept(commit=last.bad, by=AcceptedBy.STEP)
    if not isinstance(last, Night) or _resting(history):
        return None
    nights = since_accepted(history)
    step = newest_step(nights, metric, watch)
    if step is None:
        return None
    return Look(good=nights[step.last_old].tip, bad=nights[-1].tip, step=step)


def due(history: Sequence[Entry]) -> Measure:
    """What the night measures; ValueError before a level was accepted."""
    return Measure(reference=level(history).commit)


def level(history: Sequence[Entry]) -> Accepted:
    """The level that nights are compared with; ValueError where none was accepted yet."""
    for entry in reversed(history):
        if isinstance(entry, Accepted):
            return entry
    raise ValueError("no level was accepted yet")


def since_accepted(history: Sequence[Entry]) -> tuple[Night, ...]:
    """The nights that refer to the present level and were measured on the newest one's host, oldest first."""
    nights: list[Night] = []
    for entry in reversed(history):
        if isinstance(entry, Accepted):
            break
        if isinstance(entry, Night) and (not nights or entry.host == nights[0].host):
            nights.append(entry)
    return tuple(reversed(nights))


def open_changes(history: Sequence[Entry]) -> tuple[Searched, ...]:
    """Searched changes for the worse that no person has acknowledged since, oldest first."""
    found: list[Searched] = []
    for entry in history:
        if isinstance(entry, Searched) and entry.worse:
            found.append(entry)
        elif isinstance(entry, Accepted) and entry.by is AcceptedBy.PERSON:
            found.clear()
    return tuple(found)


def _worse(change: Change, metric: Metric) -> bool:
    return (change.relative > 0) == (metric.better == "lower")


def _resting(history: Sequence[Entry]) -> bool:
    """Whether a closer look showed nothing within the last few nights."""
    nights = 0
    for entry in reversed(history):
        if isinstance(entry, Accepted):
            return False
        if isinstance(entry, Looked):
            return entry.change is None and nights < REST_AFTER_DENIAL
        nights += isinstance(entry, Night)
    return False
