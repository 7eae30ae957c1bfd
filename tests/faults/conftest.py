"""One driver for all tests here, and an install in which only the measuring tools are made yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.adapters.measure.tools import prepare
from tests.faults.interrupted import Clean, simulated
from tests.faults.scenes import Driver, driver


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    before: Path = tmp_path_factory.mktemp("before")
    prepare(before / "cache")  # compiled once: it takes longer than all the rest
    with driver(before) as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(forked: Driver, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """What a bisect on the simulated world leaves that nothing interrupts; nothing in it depends on where it lies."""
    return Clean(simulated(forked, tmp_path_factory.mktemp("undisturbed")))
