"""What is stored, read in bulk, on every database; and the queries that the documentation gives."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import text, update

from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.world import World
from bisector.adapters.store import sql_records
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_records import SqlRecords
from bisector.adapters.store.sql_series import SqlSeries
from bisector.adapters.store.sql_store import SqlStore
from bisector.adapters.store.tables import facts as rows
from bisector.core.model.facts import HistoryListed
from bisector.core.model.samples import Sample
from bisector.core.watch.moves import Accepted, AcceptedBy
from bisector.engine.export import Export, Selection
from bisector.engine.queue import Limits, Order, Priority
from bisector.report.tables.columns import JOBS, SAMPLES
from tests.helpers.lines import name
from tests.helpers.simulated import Simulation

DOCUMENT = Path(__file__).parents[3] / "docs" / "export.md"
QUERIES = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


@dataclass
class Rig:
    """A database with a finished job and two that were only made."""

    database: Database
    clock: SimulatedClock

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database, self.clock)
        self.queue = SqlQueue(self.database, self.clock, Limits())
        self.records = SqlRecords(self.database)
        simulation = Simulation(World(candidates=8, culprit=5), store=self.store)
        self.done = simulation.run().job
        request = simulation.request()
        simulation.close()
        self.plain = self.store.create(request)
        order = Order(priority=Priority.ALERT, asked_by="monitor", host_class="big")
        self.queued = self.queue.enqueue(replace(request, good=request.bad, bad=request.good), order).job


@pytest.fixture
def rig(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    # Small pages, so that their borders are crossed.
    monkeypatch.setattr(sql_records, "PAGE", 3)
    made = Rig(Database(url), SimulatedClock())
    yield made
    made.database.close()


def test_jobs_come_in_their_order_with_how_they_were_asked_for(rig: Rig) -> None:
    found = list(rig.records.jobs())
    assert [record.row.job for record in found] == [rig.done, rig.plain, rig.queued]
    assert [record.row for record in found] == [rig.store.job(record.row.job) for record in found]
    assert [(record.asked_by, record.priority, record.host_class) for record in found] == [
        ("", None, ""),
        ("", None, ""),
        ("monitor", 20, "big"),
    ]
    assert [record.row.job for record in rig.records.jobs(jobs=[rig.plain])] == [rig.plain]
    assert list(rig.records.jobs(since=found[-1].row.created.timestamp() + 1)) == []


def test_facts_are_those_of_the_store_and_can_be_chosen_by_kind(rig: Rig) -> None:
    found = list(rig.records.facts(rig.done))
    assert [record.fact for record in found] == rig.store.facts(rig.done)
    assert [record.seq for record in found] == list(range(1, len(found) + 1))
    chosen = [record.fact for record in rig.records.facts(rig.done, (HistoryListed, Sample))]
    assert chosen == [record.fact for record in found if isinstance(record.fact, HistoryListed | Sample)]
    assert len(chosen) > 6


def test_an_answer_belongs_to_the_time_at_which_it_was_written_down(rig: Rig) -> None:
    with rig.database.writing() as connection:
        connection.execute(update(rows).where(rows.c.kind == "Concluded").values(recorded_at=1000.0))
    assert [record.row.job for record in rig.records.concluded(1000.0, 1001.0)] == [rig.done]
    assert list(rig.records.concluded(999.0, 1000.0)) == []
    assert list(rig.records.concluded(1000.5, 1e12)) == []


def test_series_come_one_after_the_other(rig: Rig) -> None:
    log = SqlSeries(rig.database, rig.clock)
    written = []
    for series in ("a/main/x/s@default", "b/main/x/s@default"):
        for number in range(5):
            record = Accepted(commit=name(number), time=float(number), by=AcceptedBy.PERSON, note=series)
            assert log.append(series, number, record)
            written.append((series, number + 1, record))
    assert [(each.series, each.seq, each.record) for each in rig.records.series()] == written


def test_the_documented_queries_say_what_the_export_says(rig: Rig) -> None:
    export = Export(rig.records, rig.store, Selection())
    samples, verdicts = QUERIES[0::2] if rig.database.is_sqlite else QUERIES[1::2]
    columns = [column.name for column in SAMPLES.columns]
    exported = [dict(zip(columns, row, strict=True)) for row in export.rows(SAMPLES)]
    with rig.database.reading() as connection:
        queried = [dict(row) for row in connection.execute(text(samples)).mappings()]
        jobs = [dict(row) for row in connection.execute(text(verdicts)).mappings()]
    assert queried == [{column: row[column] for column in queried[0]} for row in exported]
    told = [dict(zip([column.name for column in JOBS.columns], row, strict=True)) for row in export.rows(JOBS)]
    assert [(job["job"], job["state"], job["scenario"], job["verdict"], job["change"]) for job in jobs] == [
        (job["job"], job["state"], job["scenario"], job["verdict"], job["change"]) for job in told
    ]
    assert jobs[0]["verdict"] == "culprit"
