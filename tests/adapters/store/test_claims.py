"""Four processes take jobs from one queue: each job once, none left, no error."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import SqlStore
from bisector.engine.job import JobState
from bisector.engine.queue import Limits, Order
from tests.helpers.asking import REQUEST

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("jobs", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_no_job_is_taken_twice_and_none_is_left(url: str, jobs: int) -> None:
    database = Database(url)
    queue = SqlQueue(database, SystemClock(), Limits())
    made = [queue.enqueue(REQUEST, Order()).job for _ in range(jobs)]
    command = [sys.executable, "-m", "tests.adapters.store.claiming", url]
    takers = [
        subprocess.Popen([*command, f"host{n}"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    ended = [(*taker.communicate(timeout=600), taker.returncode) for taker in takers]
    assert [error for _, error, code in ended if code or error] == []
    taken = Counter(line.split()[0] for out, _, _ in ended for line in out.splitlines())
    assert taken == Counter(made)
    store = SqlStore(database, SystemClock())
    assert {row.state for row in store.jobs()} == {JobState.DONE}
    assert queue.entries() == []
    database.close()
