"""One contract for the log of series: in memory, SQLite and PostgreSQL."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.in_memory.series import InMemorySeries
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_series import SqlSeries
from bisector.core.model.verdict import Change
from bisector.core.watch.log import Asked, Record, Unmeasured, Wanted
from bisector.core.watch.moves import Accepted, AcceptedBy, Looked, Searched
from bisector.core.watch.nights import Night
from bisector.engine.series import SeriesLog
from bisector.errors import StoreError
from bisector.formats.series import record_from_text
from tests.adapters.store.conftest import POSTGRESQL
from tests.helpers.lines import name

CHANGE = Change(relative=0.1, low=0.05, high=0.15)
EVERY: tuple[Record, ...] = (
    Accepted(commit=name(1), time=1.5, by=AcceptedBy.PERSON, note="as it should be ✓"),
    Asked(wanted=Wanted.NIGHT, good=name(1), bad=name(2), time=2.0, job="7"),
    Night(time=2.0, tip=name(2), values=(1.0, 0.1 + 0.2), reference=(1e-300, 2.0), host="h"),
    Unmeasured(tip=name(2), time=3.0, why="it does not build", job="8"),
    Looked(good=name(1), bad=name(2), time=4.0, change=CHANGE),
    Looked(good=name(1), bad=name(2), time=4.0, change=None),
    Searched(good=name(1), bad=name(2), time=5.0, job="9", worse=True),
)


@pytest.fixture(params=["in_memory", "sqlite", POSTGRESQL])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SeriesLog]:
    if request.param == "in_memory":
        yield InMemorySeries()
        return
    url = (
        sqlite_url(tmp_path / "s.sqlite3") if request.param == "sqlite" else request.getfixturevalue("postgres").fresh()
    )
    database = Database(url)
    yield SqlSeries(database, SystemClock())
    database.close()


def test_every_kind_of_record_comes_back_as_it_was(log: SeriesLog) -> None:
    assert list(log.records("a")) == []
    for after, record in enumerate(EVERY):
        assert log.append("a", after, record)
    assert tuple(log.records("a")) == EVERY
    assert list(log.records("b")) == []
    assert log.append("b", 0, EVERY[0])
    assert list(log.names()) == ["a", "b"]


def test_a_series_that_went_on_meanwhile_takes_nothing(log: SeriesLog) -> None:
    assert log.append("a", 0, EVERY[0])
    assert not log.append("a", 0, EVERY[1])
    assert not log.append("a", 2, EVERY[1])
    assert list(log.records("a")) == [EVERY[0]]


def test_of_many_at_once_one_adds(log: SeriesLog) -> None:
    added: list[bool] = []
    threads = [threading.Thread(target=lambda: added.append(log.append("a", 0, EVERY[0]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 7 + [True]
    assert len(log.records("a")) == 1


def test_a_record_of_another_version_is_refused_by_name() -> None:
    with pytest.raises(StoreError, match="'Dreamt'"):
        record_from_text("Dreamt", "{}")
    with pytest.raises(StoreError, match="'Night'"):
        record_from_text("Night", '{"time": 1}')
