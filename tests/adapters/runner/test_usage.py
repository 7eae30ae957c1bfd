"""Contract: what a run used, as the kernel counts it."""

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome, Usage
from bisector.engine.ports import RunRecord
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
HOG = "hog = bytearray(200 << 20)"


def used(record: RunRecord) -> Usage:
    assert record.outcome is Outcome.OK, record.reason
    assert record.usage is not None
    return record.usage


def test_sleeping_takes_time_and_no_processor(lab: Laboratory, plain: Build) -> None:
    usage = used(lab.run(plain, "sleep", "0.2"))
    assert 0.2 <= usage.wall < 0.6
    assert usage.cpu < 0.05


def test_a_loop_takes_processor_time(lab: Laboratory, plain: Build) -> None:
    usage = used(lab.run(plain, "python3", "-c", BUSY))
    assert 0.3 <= usage.cpu < 0.6
    assert usage.wall >= 0.3


def test_a_childs_processor_time_counts(lab: Laboratory, plain: Build) -> None:
    assert used(lab.run(plain, "sh", "-c", f"python3 -c '{BUSY}'; true")).cpu >= 0.3


def test_peak_memory_is_what_was_touched(lab: Laboratory, plain: Build) -> None:
    assert 200 * MEBIBYTE < used(lab.run(plain, "python3", "-c", HOG)).peak_memory < 240 * MEBIBYTE


def test_a_childs_peak_counts(lab: Laboratory, plain: Build) -> None:
    assert 200 * MEBIBYTE < used(lab.run(plain, "sh", "-c", f"python3 -c '{HOG}'; true")).peak_memory < 240 * MEBIBYTE


def test_a_small_program_has_a_small_peak(lab: Laboratory, plain: Build) -> None:
    """Whatever the size of the process that asked for the run: it must not be the floor under the figure."""
    assert used(lab.run(plain, "sh", "-c", ":")).peak_memory < 4 * MEBIBYTE


def test_runs_get_the_last_processors(lab: Laboratory, plain: Build) -> None:
    script = "import os; print(sorted(os.sched_getaffinity(0)), os.cpu_count())"
    text = lab.run(plain, "python3", "-c", script, cpus=1).stdout.decode()
    cpus, _, count = text.rpartition(" ")
    assert cpus == f"[{int(count) - 1}]"


def test_more_processors_than_there_are_means_all(lab: Laboratory, plain: Build) -> None:
    script = "import os; print(len(os.sched_getaffinity(0)) == os.cpu_count())"
    assert lab.run(plain, "python3", "-c", script, cpus=1000).stdout == b"True\n"
