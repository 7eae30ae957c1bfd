"""One driver for all tests here, an install in which only the measuring tools are made yet, and where installs lie."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.adapters.measure.tools import prepare
from tests.faults.interrupted import Clean, simulated
from tests.faults.scenes import Driver, driver

IN_MEMORY = Path("/dev/shm")
ROOM = 1 << 30


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory where programs may lie there: syncing a disk takes longer than all the rest of most tests here.

    What was written is there after a kill, synced or not: only a loss of power would tell.
    """
    about = os.statvfs(IN_MEMORY) if os.access(IN_MEMORY, os.W_OK) else None
    if about is None or about.f_flag & os.ST_NOEXEC or about.f_bavail * about.f_bsize < ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="bisector-faults-", dir=IN_MEMORY) as made:
        yield Path(made)


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
