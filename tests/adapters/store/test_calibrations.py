"""What is known of noise, kept by scenario and host: in memory and in SQLite."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect

from bisector.adapters.clock import SystemClock
from bisector.adapters.in_memory.machine import SimulatedClock
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.migrate import differences, upgrade
from bisector.adapters.store.sql_store import SqlStore
from bisector.core.model.calibration import Calibration
from bisector.engine.ports import Store

FOUND = Calibration(
    metric="seconds",
    runs=10,
    builds=4,
    level=0.123,
    sigma=0.02,
    tau=0.0,
    between=4e-4,
    autocorrelation=-0.1,
    drift=0.0,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(sqlite_url(tmp_path / "state" / "bisector.sqlite3"))
    yield opened
    opened.close()


@pytest.fixture(params=["in_memory", "sqlite"])
def store(request: pytest.FixtureRequest, database: Database) -> Store:
    return InMemoryStore(SimulatedClock()) if request.param == "in_memory" else SqlStore(database, SystemClock())


def test_what_was_kept_comes_back_for_that_scenario_host_and_metric_alone(store: Store) -> None:
    store.keep_calibration("a" * 64, "host", FOUND)
    assert store.calibration("a" * 64, "host", "seconds") == FOUND
    assert store.calibration("b" * 64, "host", "seconds") is None
    assert store.calibration("a" * 64, "other", "seconds") is None
    assert store.calibration("a" * 64, "host", "bytes") is None


def test_the_newest_takes_the_place_of_the_one_before(store: Store) -> None:
    store.keep_calibration("a", "h", FOUND)
    store.keep_calibration("a", "h", replace(FOUND, sigma=0.5))
    store.keep_calibration("a", "h", replace(FOUND, metric="bytes"))
    found = store.calibration("a", "h", "seconds")
    assert found is not None
    assert found.sigma == 0.5


def test_a_metric_with_a_long_name_is_kept(store: Store) -> None:
    long = replace(FOUND, metric="é" * 300)
    store.keep_calibration("a", "h", long)
    assert store.calibration("a", "h", long.metric) == long


def test_a_database_of_the_first_revision_is_brought_up_to_date(database: Database) -> None:
    upgrade(database, "0001")
    with database.unchecked() as connection:
        assert "calibrations" not in inspect(connection).get_table_names()
    upgrade(database)
    with database.unchecked() as connection:
        assert "calibrations" in inspect(connection).get_table_names()
        assert differences(connection) == []
