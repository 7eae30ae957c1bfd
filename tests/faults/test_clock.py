"""The time of day leaps by a day under workers, forth and back: no lease is lost by it, and none lasts for ever.

libfaketime does that, for a whole process; the monotonic clock goes on as it does, as it would on a real machine.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.engine.job import JobState
from tests.helpers.postgres import wait_until
from tests.helpers.workers import LEASE, Service, assert_answered

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("clock")]

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
SHARED = ("faketime_shm", "sem.faketime_sem")
"""What it leaves in memory when its process is killed."""
AWAKE = """\
import threading, time
# With a monotonic clock that is left alone, libfaketime 0.9.10 answers EINVAL to the call that Python's sleep makes.
time.sleep = lambda seconds: threading.Event().wait(seconds)
from bisector.cli import main
main()
"""
WORLD = "candidates=400,culprit=260,effect=0.05,noise=0.02,seed=5,pace=0.1"


class Leaping(Service):
    """Workers whose time of day is moved by what a file says."""

    @property
    def moved_by(self) -> Path:
        return self.top / "faketime"

    def leap(self, by: str) -> None:
        """Move the time of day of all workers, from now on."""
        pending = self.top / "faketime.new"
        pending.write_text(f"{by}\n")
        pending.replace(self.moved_by)

    def under_it(self, host: str) -> None:
        """A worker of a host of its own."""
        self.worker(
            BISECTOR_HOST_NAME=host,
            LD_PRELOAD=str(LIBRARY),
            FAKETIME_TIMESTAMP_FILE=str(self.moved_by),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )


@pytest.fixture
def leaping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leaping]:
    if LIBRARY is None:
        pytest.skip("no libfaketime (tests/environment/up.sh tools)")
    monkeypatch.setattr("tests.helpers.workers.BISECTOR", [sys.executable, "-c", AWAKE])
    made = Leaping(tmp_path, "")
    made.leap("+0")
    yield made
    made.close()
    for left in (f"{name}_{process.pid}" for process in made.running for name in SHARED):
        (Path("/dev/shm") / left).unlink(missing_ok=True)


def test_a_clock_that_leaps_by_a_day_costs_no_lease(leaping: Leaping) -> None:
    leaping.under_it("one")
    leaping.under_it("two")  # would take the job, were the lease over
    job = leaping.bisect(WORLD)
    for wanted, by in ((6, "+1d"), (12, "-1d"), (18, "+0")):
        leaping.wait_for_samples(job, wanted)
        assert leaping.state(job) is JobState.RUNNING
        leaping.leap(by)
    leaping.wait_for(job, JobState.DONE)
    entry = leaping.wiring.queue.entry(job)
    assert entry is not None
    assert (entry.attempt, entry.failures) == (1, 0), leaping.log()
    assert_answered(leaping.facts(job))


@pytest.mark.parametrize("by", ["+1d", "-1d"])
def test_a_lease_of_a_worker_that_died_before_the_clock_leapt_ends(by: str, leaping: Leaping) -> None:
    leaping.under_it("one")
    job = leaping.bisect(WORLD)
    leaping.wait_for_samples(job, 6)
    leaping.under_it("two")
    first, second = leaping.running
    assert leaping.owner(job) == first.pid
    first.kill()
    leaping.leap(by)
    # Another host cannot see that the process is gone: it waits until the lease is over.
    wait_until(lambda: leaping.owner(job) == second.pid, 4 * LEASE, f"a takeover: {leaping.log()}")
    leaping.wait_for(job, JobState.DONE)
    assert_answered(leaping.facts(job))
