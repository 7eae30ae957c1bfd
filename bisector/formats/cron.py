"""When a sweep is due: cron expressions in UTC, as five fields or six (seconds first)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from cronsim import CronSim, CronSimError

from bisector.core.model.units import Seconds

SAMPLED = 60
"""Ticks that the rate is read from."""
YEAR: Seconds = 365.25 * 86400
READ_FROM: Seconds = 1_704_067_200.0
"""The first of January of 2024: the rate is the same whenever it is asked for."""


def check_cron(text: str) -> str:
    """The expression as it is; ValueError for one that is none, or that never comes."""
    if next(_ticks(text, READ_FROM), None) is None:
        raise ValueError(f"there is no such time: {text!r}")
    return text


def next_tick(text: str, after: Seconds) -> Seconds:
    """The first tick later than `after`, both since the epoch; ValueError where none ever comes."""
    found = next(_ticks(text, after), None)
    if found is None:
        raise ValueError(f"there is no such time: {text!r}")
    return found


def newest_tick(text: str, after: Seconds, now: Seconds) -> Seconds | None:
    """The last tick later than `after` that `now` has reached: several that were missed are one. None without."""
    found = next(_ticks(text, int(now) + 1, backwards=True), None)
    return found if found is not None and found > after else None


def ticks_a_year(text: str) -> float:
    """How often it comes, read from its next ticks."""
    ticks = list(islice(_ticks(text, READ_FROM), SAMPLED))
    if len(ticks) < 2:
        return 1.0
    return (len(ticks) - 1) / (ticks[-1] - ticks[0]) * YEAR


def _ticks(text: str, start: Seconds, *, backwards: bool = False) -> Iterator[Seconds]:
    """The ticks after `start`, or before it from the last to the first."""
    try:
        for tick in CronSim(text, datetime.fromtimestamp(start, UTC), reverse=backwards):
            yield tick.timestamp()
    except CronSimError:
        raise ValueError(f"not a cron expression: {text!r}") from None
