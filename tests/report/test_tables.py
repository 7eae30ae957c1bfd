"""Tables for other programs: columns as documented, rows that say what the job knows, CSV that reads back."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

import pytest

from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import BuildRecorded, Fact
from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome, Sample
from bisector.core.model.verdict import Change
from bisector.core.watch.log import Asked, Record, Unmeasured, Wanted
from bisector.core.watch.moves import Accepted, AcceptedBy, Looked, Searched
from bisector.core.watch.nights import Night
from bisector.engine.export import Export, Selection
from bisector.engine.records import FactRecord, JobRecord, SeriesRecord
from bisector.report.tables.as_csv import csv_lines
from bisector.report.tables.columns import BUILDS, CULPRITS, JOBS, SAMPLES, SERIES, TABLES, Cell, Column, Kind, Table
from bisector.report.tables.rows import FactRows, JobTold, Row, culprit_rows, job_row
from bisector.report.tables.series import SeriesTold, series_rows
from tests.helpers.lines import name
from tests.report import worlds

DOCUMENT = Path(__file__).parents[2] / "docs" / "export.md"


def named(table: Table, row: Row) -> dict[str, Cell]:
    return dict(zip([column.name for column in table.columns], row, strict=True))


def told(investigation: Investigation) -> JobTold:
    return JobTold(state="done", created=1000.0, investigation=investigation, sentence="found", concluded=2000.0)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_documented_columns_are_those_there_are(table: Table) -> None:
    section = DOCUMENT.read_text().split(f"### {table.name}\n", 1)[1].split("\n#", 1)[0]
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", section, re.MULTILINE)
    assert listed == [(column.name, column.kind.value, column.about) for column in table.columns]
    assert table.about in section


def test_a_row_with_a_column_too_many_or_too_few_is_refused() -> None:
    values: dict[str, Cell] = dict.fromkeys((column.name for column in BUILDS.columns), None)
    assert len(BUILDS.row(values)) == len(BUILDS.columns)
    with pytest.raises(ValueError, match="not a row of builds"):
        BUILDS.row({**values, "more": 1})
    with pytest.raises(ValueError, match="not a row of builds"):
        BUILDS.row({column: value for column, value in values.items() if column != "job"})


def test_a_job_and_its_culprit() -> None:
    found = worlds.finished(worlds.MERGE)
    verdict = found.verdict
    assert verdict is not None
    job = named(JOBS, job_row(told(found)))
    assert (job["verdict"], job["culprits"], job["candidates"]) == ("culprit", 1, 64)
    assert (job["created_at"], job["concluded_at"], job["runs"]) == (1000.0, 2000.0, found.runs())
    (row,) = culprit_rows(told(found))
    culprit = named(CULPRITS, row)
    commit = found.line.commit(40)
    assert (culprit["commit"], culprit["parent"], culprit["is_merge"]) == (commit.sha, commit.parents[0], True)
    assert (culprit["set"], culprit["set_size"], culprit["verified"]) == (commit.sha, 1, True)
    assert culprit["committed_at"] == commit.time
    assert culprit["inner_commit"] in {each.sha for each in found.line_of(LineName.INNER).candidates}


def test_what_takes_a_part_back_and_a_set_are_told_apart() -> None:
    rows = [named(CULPRITS, row) for row in culprit_rows(told(worlds.finished(worlds.TWICE)))]
    assert [row["direction"] for row in rows] == ["asked", "asked", "opposite"]
    (row,) = (named(CULPRITS, row) for row in culprit_rows(told(worlds.finished(worlds.BROKEN))))
    assert str(row["set"]).count(" ") + 1 == row["set_size"] != 1
    assert list(culprit_rows(told(worlds.finished(worlds.STEADY)))) == []
    assert list(culprit_rows(told(worlds.compared(World(candidates=1, culprit=1))))) == []


def test_every_run_and_build_has_its_commit() -> None:
    request, facts = worlds.facts_of(worlds.MERGE)
    samples, builds = FactRows("1", request), FactRows("1", request)
    runs, made = [], []
    for seq, fact in enumerate(facts, start=1):
        runs += [named(SAMPLES, row) for row in samples.samples(seq, 5.0, fact)]
        made += [named(BUILDS, row) for row in builds.builds(seq, 5.0, fact)]
    found = Investigation.replay("1", request, facts)
    own = [(seq, fact) for seq, fact in enumerate(facts, start=1) if isinstance(fact, Sample)]
    assert [(row["seq"], row["commit"], row["value"]) for row in runs] == [
        (seq, found.commit(fact.place).sha, fact.values["seconds"]) for seq, fact in own
    ]
    assert {row["line"] for row in runs} == {"main", "inner"}
    kept = [fact for fact in facts if isinstance(fact, BuildRecorded)]
    assert [row["commit"] for row in made] == [found.commit(fact.place).sha for fact in kept]
    assert {row["outcome"] for row in made} == {"ok", "build_failed"}


def test_a_run_without_a_value_has_a_row_and_two_metrics_have_two() -> None:
    request, facts = worlds.facts_of(worlds.STEADY)
    sample = next(fact for fact in facts if isinstance(fact, Sample))
    rows = FactRows("1", request)
    for fact in facts[: facts.index(sample)]:
        assert not list(rows.samples(1, 1.0, fact))
    failed = replace(sample, outcome=Outcome.TIMEOUT, values={}, usage=None, reason="\x1b[31mtoo\nlong")
    (row,) = (named(SAMPLES, row) for row in rows.samples(7, 1.0, failed))
    assert (row["metric"], row["value"], row["outcome"], row["compared"]) == (None, None, "timeout", False)
    assert (row["wall_seconds"], row["reason"]) == (None, "\\x1b[31mtoo long")
    twice = replace(sample, values={"seconds": 1.5, "bytes": 7.0})
    assert [row[SAMPLES.columns.index(_column("value"))] for row in rows.samples(8, 1.0, twice)] == [1.5, 7.0]


def _column(wanted: str) -> Column:
    return next(column for column in SAMPLES.columns if column.name == wanted)


def test_builds_taken_over_before_the_line_is_listed_are_those_of_that_line() -> None:
    """What is at hand already is written down before the list of commits."""
    request, facts = worlds.facts_of(worlds.STEADY)
    listed = next(index for index, fact in enumerate(facts) if type(fact).__name__ == "HistoryListed")
    build = next(fact for fact in facts if isinstance(fact, BuildRecorded))
    earlier: list[Fact] = [*facts[:listed], build, *facts[listed:]]
    rows = FactRows("1", request)
    made = [named(BUILDS, row) for seq, fact in enumerate(earlier) for row in rows.builds(seq, 1.0, fact)]
    assert made[0]["seq"] == listed
    assert made[0]["commit"] == made[1]["commit"] is not None
    stopped = FactRows("1", request)
    assert not [row for seq, fact in enumerate(earlier[: listed + 1]) for row in stopped.builds(seq, 1.0, fact)]
    assert [named(BUILDS, row)["commit"] for row in stopped.builds_left()] == [None]


def test_a_series_is_told_in_its_parts_with_the_job_of_each_night() -> None:
    request, _ = worlds.facts_of(worlds.STEADY)
    night = Night(time=30.0, tip=name(3), values=(1.0, 3.0, 2.0), reference=(1.0,), host="h")
    change = Change(relative=0.5, low=0.4, high=0.6)
    records: list[Record] = [
        Accepted(commit=name(1), time=10.0, by=AcceptedBy.START),
        Asked(wanted=Wanted.NIGHT, good=name(1), bad=name(3), time=30.0, job="4"),
        night,
        Asked(wanted=Wanted.LOOK, good=name(1), bad=name(3), time=31.0, job="5"),
        Looked(good=name(1), bad=name(3), time=32.0, change=change),
        Searched(good=name(1), bad=name(3), time=33.0, job="6", worse=True),
        Unmeasured(tip=name(4), time=40.0, why="no\nluck"),
    ]
    series = "shop/feature/x@2/simulated/seconds@big"
    written = [(seq, float(seq), record) for seq, record in enumerate(records, start=1)]
    rows = [named(SERIES, row) for row in series_rows(SeriesTold(name=series, records=written, request=request))]
    assert {(row["repository"], row["branch"], row["scenario"], row["host_class"]) for row in rows} == {
        ("simulated", "feature/x@2", "simulated", "big")
    }
    assert [row["kind"] for row in rows] == ["accepted", "asked", "night", "asked", "looked", "searched", "unmeasured"]
    measured = rows[2]
    assert (measured["commit"], measured["reference"], measured["job"]) == (name(3), name(1), 4)
    assert (measured["tip_median"], measured["tip_runs"], measured["unit"]) == (median((1.0, 2.0, 3.0)), 3, "s")
    assert (rows[4]["change"], rows[4]["job"]) == (0.5, None)
    assert (rows[5]["worse"], rows[5]["job"], rows[6]["note"]) == (True, 6, "no luck")
    (bare, *_) = series_rows(SeriesTold(name=series, records=written, request=None))
    assert (named(SERIES, bare)["repository"], named(SERIES, bare)["scenario"]) == ("shop", None)


ODD = Table(
    name="odd",
    about="",
    columns=tuple(Column(name=kind.value, kind=kind, about="") for kind in Kind),
)


def test_csv_reads_back_as_what_was_written() -> None:
    values: list[Row] = [
        ('a "quoted", text', 3, 0.1 + 0.2, True, 1.5e9 + 0.25),
        ("=1+1", -1, 1e-300, False, 0.0),
        (None, None, None, None, None),
        ("", 0, 3.0, True, 1e18),
    ]
    text = "".join(csv_lines(ODD, values))
    first, *rows = csv.reader(io.StringIO(text))
    assert first == ["text", "integer", "real", "boolean", "moment"]
    assert rows[0] == ['a "quoted", text', "3", "0.30000000000000004", "true", "2017-07-14T02:40:00.250000Z"]
    assert float(rows[1][2]) == 1e-300
    assert rows[2] == [""] * 5
    assert rows[3][4] == ""


class Endless:
    """A database with jobs without end."""

    def __init__(self, request: Request, facts: list[Fact], store: InMemoryStore) -> None:
        self.asked = 0
        self._request, self._facts, self._store = request, facts, store

    def jobs(self, since: float = 0.0, jobs: object = ()) -> Iterator[JobRecord]:
        for _ in count():
            self.asked += 1
            yield JobRecord(row=self._store.job(self._store.create(self._request)))

    def concluded(self, since: float, until: float) -> Iterator[JobRecord]:
        return iter(())

    def facts(self, job: str, kinds: object = ()) -> Iterator[FactRecord]:
        return (FactRecord(seq=seq, at=1.0, fact=fact) for seq, fact in enumerate(self._facts, start=1))

    def series(self) -> Iterator[SeriesRecord]:
        return iter(())


def test_no_more_than_one_job_is_read_ahead() -> None:
    request, facts = worlds.facts_of(worlds.STEADY)
    store = InMemoryStore(SimulatedClock())
    endless = Endless(request, facts, store)
    lines = csv_lines(SAMPLES, Export(endless, store, Selection()).rows(SAMPLES))
    for _ in range(3):
        next(lines)
    assert endless.asked == 1
    other = Export(endless, store, Selection(repositories=(request.repository,))).rows(JOBS)
    assert named(JOBS, next(other))["state"] == "queued"
    assert endless.asked == 2
