"""Files kept beside the database, and the locks."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from bisector.adapters.locks import FileLocks
from bisector.adapters.store.artifacts import ArtifactFiles
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, EnvironmentFault, JobError, ScenarioError


def scenario(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "scenario.toml").write_text("name = 'x'")
    (directory / "bench.py").write_text("print(1)")
    (directory / "data").mkdir()
    (directory / "data" / "big.txt").write_text("data")
    return directory


def test_a_scenario_is_kept_as_it_is(tmp_path: Path) -> None:
    files = ArtifactFiles(tmp_path / "state")
    made = scenario(tmp_path / "scenario")
    digest = files.keep_scenario(made)
    (made / "bench.py").write_text("print(2)")
    kept = files.scenario(digest)
    assert kept is not None
    assert (kept / "bench.py").read_text() == "print(1)"
    assert (kept / "data" / "big.txt").read_text() == "data"
    assert files.keep_scenario(made) != digest


def test_the_recipe_is_no_part_of_the_files(tmp_path: Path) -> None:
    files = ArtifactFiles(tmp_path / "state")
    made = scenario(tmp_path / "scenario")
    digest = files.keep_scenario(made)
    (made / "scenario.toml").write_text("name = 'y'")
    assert files.keep_scenario(made) == digest


def test_a_scenario_of_a_recipe_alone_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text("name = 'x'")
    files = ArtifactFiles(tmp_path / "state")
    assert files.keep_scenario(tmp_path) == ""
    assert files.scenario("") is None


def test_the_executable_bit_counts(tmp_path: Path) -> None:
    files = ArtifactFiles(tmp_path / "state")
    made = scenario(tmp_path / "scenario")
    before = files.keep_scenario(made)
    os.chmod(made / "bench.py", 0o755)
    assert files.keep_scenario(made) != before


def test_a_link_out_of_the_scenario_is_refused(tmp_path: Path) -> None:
    made = scenario(tmp_path / "scenario")
    (made / "link").symlink_to("/etc/passwd")
    with pytest.raises(ScenarioError, match="leads out"):
        ArtifactFiles(tmp_path / "state").keep_scenario(made)


def test_kept_files_that_are_gone_are_missed(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="gone"):
        ArtifactFiles(tmp_path).scenario("0" * 64)


def test_two_holders_of_a_job_are_told_apart(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    with locks.job("1"):
        assert locks.working_on("1") == os.getpid()
        with pytest.raises(JobError, match=f"process {os.getpid()}"), locks.job("1"):
            pass
        with locks.job("2"):
            pass
    assert locks.working_on("1") is None
    with locks.job("1"):
        pass


HOLD = """
import sys
from pathlib import Path
from threading import Event, Thread
from bisector.adapters.locks import FileLocks
with FileLocks(Path(sys.argv[1])).job("1"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_holder_lets_go_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        locks = FileLocks(tmp_path)
        assert locks.working_on("1") == holder.pid
        holder.kill()
        holder.wait()
        with locks.job("1"):
            pass


def test_waiting_for_the_measuring_slot_can_be_stopped(tmp_path: Path) -> None:
    locks, stop, told = FileLocks(tmp_path), StopSignal(), []

    def waiting(owner: int | None) -> None:
        told.append(owner)
        stop.set("enough")

    with locks.measuring(StopSignal(), waiting), pytest.raises(Cancelled), locks.measuring(stop, waiting):
        pass
    assert told == [os.getpid()]


def test_who_waits_for_the_measuring_slot_has_it_next(tmp_path: Path) -> None:
    locks, waits, has, enough = FileLocks(tmp_path), Event(), Event(), Event()

    def measure_after_waiting() -> None:
        with locks.measuring(StopSignal(), lambda owner: waits.set()):
            has.set()
            enough.wait(30)

    waiter = Thread(target=measure_after_waiting)
    with locks.measuring(StopSignal(), lambda owner: None):
        waiter.start()
        assert waits.wait(30)
    # Free now, and not for somebody who only looks in: a worker between two jobs, say.
    with locks.measuring_if_free() as free:
        assert not free
    assert has.wait(30)
    enough.set()
    waiter.join(30)
    with locks.measuring_if_free() as free:
        assert free
