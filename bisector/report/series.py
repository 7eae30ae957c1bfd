"""What sweeps did, and what is known of a series, in words."""

from collections.abc import Sequence
from typing import assert_never

from bisector.core.model.scenario import Metric
from bisector.core.watch import moves
from bisector.core.watch.log import Asked, Record, Unmeasured, Wanted
from bisector.core.watch.moves import Accepted, AcceptedBy, Looked, Searched
from bisector.core.watch.nights import Night, Series
from bisector.report.numbers import change as change_text
from bisector.report.numbers import minute, percent
from bisector.report.text import one_line

SHORT = 12


def record_line(record: Record) -> str:
    """One record of a series as a line of a log."""
    match record:
        case Night():
            return f"measured {record.tip[:SHORT]}, {len(record.values)} runs beside {len(record.reference)}"
        case Accepted():
            return accepted_line(record)
        case Looked():
            between = f"{record.good[:SHORT]} and {record.bad[:SHORT]}"
            if record.change is None:
                return f"a closer look shows no change between {between}"
            return f"a closer look shows {change_text(record.change)} between {between}"
        case Searched():
            kind = "regression" if record.worse else "improvement"
            return f"{kind}: job {record.job} searches {record.good[:SHORT]}..{record.bad[:SHORT]}"
        case Asked():
            what = "measures" if record.wanted is Wanted.NIGHT else "looks closer at"
            return f"job {record.job} {what} {record.bad[:SHORT]} beside {record.good[:SHORT]}"
        case Unmeasured():
            return f"nothing measured: {one_line(record.why, 200)}"
    assert_never(record)


def accepted_line(accepted: Accepted) -> str:
    """Which level counts, and who said so."""
    why = {
        AcceptedBy.START: "the series begins with it",
        AcceptedBy.STEP: "a confirmed change made it",
        AcceptedBy.PERSON: "acknowledged",
    }[accepted.by]
    note = f": {one_line(accepted.note, 200)}" if accepted.note else ""
    return f"level of {accepted.commit[:SHORT]} ({why}{note})"


def series_lines(metric: Metric, history: Sequence[moves.Entry], next_tick: float) -> tuple[str, ...]:
    """A series for a list: its level, its last night, and when it is looked at again."""
    again = f"next look {minute(int(next_tick))}"
    if not history:
        return (f"not begun; {again}",)
    nights = moves.since_accepted(history)
    last = ""
    if nights:
        shift = last_shift(nights, metric)
        last = f"last night {minute(int(nights[-1].time))}: {nights[-1].tip[:SHORT]}, {shift} to that level"
    return tuple(filter(None, (accepted_line(moves.level(history)), last, again)))


def open_lines(history: Sequence[moves.Entry]) -> tuple[tuple[str, str], ...]:
    """The changes for the worse that nobody acknowledged: the job, and what it searches."""
    return tuple((change.job, record_line(change)) for change in moves.open_changes(history))


def last_shift(nights: Sequence[Night], metric: Metric) -> str:
    """How far the newest night lies from the accepted level."""
    series = Series.of(nights, metric)
    return percent(series.relative(float(series.offsets[-1]), metric), signed=True)
