"""What was written down of a series as rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import assert_never

from bisector.core.model.request import Request
from bisector.core.model.units import Seconds
from bisector.core.watch.log import Asked, Record, Unmeasured, Wanted
from bisector.core.watch.moves import Accepted, Looked, Searched
from bisector.core.watch.nights import Night
from bisector.report.tables.columns import SERIES, Cell
from bisector.report.tables.rows import LONGEST_TEXT, Row, change_cells, question_cells
from bisector.report.text import one_line


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesTold:
    """A series with all that was written down of it: number, moment of writing, record."""

    name: str
    records: Sequence[tuple[int, Seconds, Record]]
    request: Request | None
    """That of a job that measured for it; None where none did: then less is known of it."""


def series_rows(told: SeriesTold) -> Iterator[Row]:
    """The rows of a series, oldest first."""
    unknown: dict[str, Cell] = dict.fromkeys(column.name for column in SERIES.columns)
    known = {**unknown, "series": one_line(told.name, LONGEST_TEXT), **_question(told)}
    level: str | None = None
    asked: str | None = None
    for seq, at, record in told.records:
        values = {**known, "series": one_line(told.name, LONGEST_TEXT), "seq": seq, "recorded_at": at}
        yield SERIES.row(
            {**values, "kind": type(record).__name__.lower(), "at": record.time, **_cells(record, level, asked)}
        )
        if isinstance(record, Accepted):
            level = record.commit
        asked = record.job if isinstance(record, Asked) and record.wanted is Wanted.NIGHT else None


def _cells(record: Record, level: str | None, asked: str | None) -> dict[str, Cell]:
    match record:
        case Night():
            return {
                "commit": record.tip,
                "reference": level,
                "tip_median": median(record.values),
                "reference_median": median(record.reference),
                "tip_runs": len(record.values),
                "reference_runs": len(record.reference),
                "job": _number(asked),
                "host": record.host or None,
            }
        case Unmeasured():
            note = one_line(record.why, LONGEST_TEXT)
            return {"commit": record.tip, "reference": level, "job": _number(record.job), "note": note}
        case Accepted():
            why = one_line(record.note, LONGEST_TEXT) or None
            return {"commit": record.commit, "accepted_by": record.by.value, "note": why}
        case Looked():
            return {"commit": record.bad, "reference": record.good, **change_cells(record.change)}
        case Searched():
            job = _number(record.job)
            return {"commit": record.bad, "reference": record.good, "worse": record.worse, "job": job}
        case Asked():
            return {"commit": record.bad, "reference": record.good, "job": _number(record.job)}
    assert_never(record)


def _number(job: str | None) -> int | None:
    return int(job) if job else None


def _question(told: SeriesTold) -> dict[str, Cell]:
    """A series' name in its parts. Branches and metrics may have any sign in them: a job tells where they end."""
    repository, _, rest = told.name.partition("/")
    rest, _, host_class = rest.rpartition("@")
    found: dict[str, Cell] = {"repository": repository, "host_class": host_class}
    if told.request is None:
        return found
    scenario = told.request.scenario_text or told.request.scenario.name
    for metric in told.request.scenario.metrics:
        ending = f"/{scenario}/{metric.name}"
        if rest.endswith(ending):
            found |= {**question_cells(told.request, metric), "scenario": scenario}
            found |= {"branch": one_line(rest.removesuffix(ending), LONGEST_TEXT)}
    return found
