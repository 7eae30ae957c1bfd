"""Killed with -9 during a build, a run and in between: resumed to the same culprit, no sample lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_store import SqlStore
from bisector.core.model.facts import BuildRecorded, Concluded, Fact
from bisector.core.model.samples import Purpose, Sample
from bisector.core.model.verdict import VerdictKind
from bisector.errors import BisectorError
from bisector.formats.facts import fact_to_text
from tests.helpers.repositories import Sandbox

pytestmark = pytest.mark.slow

BISECTOR = [sys.executable, "-c", "from bisector.cli import main; main()"]
MARK = "BISECTOR_TEST_MARK"
SCENARIO = """\
name = "killed"
[build]
steps = ["sleep 0.25", "python -m py_compile lib.py"]
env = {BISECTOR_TEST_MARK = "MARK"}
[run]
command = ["python", "{scenario}/bench.py"]
env = {PYTHONPATH = "{source}", BISECTOR_TEST_MARK = "MARK"}
timeout_seconds = 30
[[metrics]]
name = "seconds"
unit = "s"
"""
BENCH = """\
import json, random, time
from lib import LEVEL
time.sleep(0.15)
print(json.dumps({"seconds": LEVEL * (1 + 0.01 * random.random())}))
"""
SHELL = '"sh", "{scenario}/bench.sh"'
BENCH_SHELL = """\
sleep 0.15
level=$(sed 's/.*= //' lib.py)
echo '{"seconds": '$level"$(od -An -N2 -tu2 /dev/urandom | tr -d ' ' | sed 's/^/0000/; s/.*\\(....\\)$/0\\1/')"'}'
"""


class Victim:
    """A bisect in a process of its own, that can be killed and resumed."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.mark = f"{os.getpid()}-{random.getrandbits(40)}"
        self.environment: Mapping[str, str] = {
            **os.environ,
            "BISECTOR_STATE_DIR": str(top / "state"),
            "BISECTOR_CACHE_DIR": str(top / "cache"),
        }
        repository = Sandbox.make(top / "repository")
        for number in range(13):
            repository.commit(f"Change {number}", {"lib.py": f"LEVEL = {1.0 if number < 8 else 1.3}\n"})
        self.culprit = repository.sha("HEAD~4")
        (top / "scenario").mkdir()
        (top / "scenario" / "scenario.toml").write_text(SCENARIO.replace('"MARK"', f'"{self.mark}"'))
        (top / "scenario" / "bench.py").write_text(BENCH)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [*BISECTOR, *arguments]
        return subprocess.Popen(
            command, cwd=self.top, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def bisect(self, *mode: str) -> "subprocess.Popen[bytes]":
        ends = ("HEAD~12", "HEAD", "--repo", str(self.top / "repository"))
        return self.start("bisect", *ends, "--runner", "local", "--scenario", str(self.top / "scenario"), *mode)

    def facts(self) -> list[Fact]:
        database = Database(sqlite_url(self.top / "state" / "bisector.sqlite3"))
        try:
            return SqlStore(database, SystemClock()).facts("1")
        finally:
            database.close()

    def wait_for_facts(self, wanted: int = 4) -> None:
        """Until the job is well under way."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if len(self.facts()) >= wanted:
                    return
            except BisectorError:
                pass
            time.sleep(0.1)
        raise AssertionError("the job does not begin")

    def slow_down_builds(self) -> None:
        """Make every build take longer than all runs of a step, by sleeping: without Python it does little else."""
        scenario = self.top / "scenario"
        text = (scenario / "scenario.toml").read_text().replace("sleep 0.25", "sleep 2.5")
        text = text.replace(', "python -m py_compile lib.py"', "").replace('"python", "{scenario}/bench.py"', SHELL)
        (scenario / "scenario.toml").write_text(text.replace("PYTHONPATH", "SOURCE"))
        (scenario / "bench.sh").write_text(BENCH_SHELL)

    def in_the_making(self) -> list[Path]:
        """Directories of builds that are not complete."""
        try:
            places = list((self.top / "cache" / "builds").iterdir())
        except FileNotFoundError:
            return []
        return [place for place in places if not (place / "complete").exists()]

    def left_running(self) -> list[int]:
        """Processes whose environment bears the mark of this test."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim(tmp_path)


def _wait(process: "subprocess.Popen[bytes]", limit: float = 120) -> str:
    _, complaint = process.communicate(timeout=limit)
    return complaint.decode(errors="replace")


def _ended_well(
    victim: Victim, process: "subprocess.Popen[bytes]", *, or_was_done_before: bool = False
) -> Sequence[Fact]:
    """The facts of a job that came to its right end in `process`: every run once, and nothing left of it."""
    complaint = _wait(process)
    assert process.returncode == 0 or (or_was_done_before and "job 1 is done" in complaint), complaint
    facts = victim.facts()
    verdict = next(fact.verdict for fact in facts if isinstance(fact, Concluded))
    assert verdict.kind is VerdictKind.CULPRIT
    assert verdict.culprits[0].members == (8,)
    runs = Counter((s.step, s.order) for s in facts if isinstance(s, Sample) and s.purpose is not Purpose.WARMUP)
    assert set(runs.values()) == {1}
    assert victim.left_running() == []
    return facts


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_it_ends_at_the_same_culprit(victim: Victim, seed: int) -> None:
    """Kills fall where they fall: steps take about a quarter of a second, so builds and runs are both hit."""
    draw = random.Random(seed)
    process, kills, before = victim.bisect(), 0, list[str]()
    victim.wait_for_facts()
    while kills < 8:
        try:
            process.wait(timeout=1.5 + 1.5 * draw.random())
            break
        except subprocess.TimeoutExpired:
            process.kill()
            _wait(process)
            kills += 1
        kept = [fact_to_text(fact) for fact in victim.facts()]
        assert kept[: len(before)] == before, "a kept fact was lost or changed"
        before = kept
        process = victim.start("jobs", "resume", "1")
    # A kill that falls while the report is written leaves a job that is done.
    _ended_well(victim, process, or_was_done_before=True)
    assert kills >= 3


@pytest.mark.long
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two runs at once take two processors")
@pytest.mark.parametrize("mode", [("--duet",), ("--parallel", "2")], ids=["duet", "parallel"])
def test_killed_in_the_middle_of_two_runs_at_once_it_ends_at_the_same_culprit_and_none_is_without_the_other(
    victim: Victim, mode: tuple[str, ...]
) -> None:
    process, draw = victim.bisect(*mode), random.Random(7)
    victim.wait_for_facts()
    for _ in range(3):
        try:
            process.wait(timeout=1.5 + 1.5 * draw.random())
            break
        except subprocess.TimeoutExpired:
            process.kill()
            _wait(process)
        process = victim.start("jobs", "resume", "1")
    facts = _ended_well(victim, process)
    made = [fact for fact in facts if isinstance(fact, Sample) and fact.purpose is not Purpose.WARMUP]
    moments = Counter((s.step, s.order // 2, s.clock) for s in made)
    assert set(moments.values()) == {2}


def _wait_for_a_build_beside(victim: Victim) -> None:
    """Until several builds are in the making at once."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if len(victim.in_the_making()) > 1:
            return
        time.sleep(0.01)
    raise AssertionError("nothing is built beside anything")


@pytest.mark.long
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a build beside a run takes a processor of its own")
def test_killed_while_it_builds_ahead_it_leaves_nothing_and_ends_at_the_same_culprit(victim: Victim) -> None:
    victim.slow_down_builds()
    process = victim.bisect("--jobs", "4")
    for _ in range(3):
        _wait_for_a_build_beside(victim)
        process.kill()
        _wait(process)
        assert _gone(victim)
        process = victim.start("jobs", "resume", "1")
    facts = _ended_well(victim, process)
    made = [(fact.place, fact.number) for fact in facts if isinstance(fact, BuildRecorded)]
    assert len(set(made)) == len(made)
    assert any(fact.ahead for fact in facts if isinstance(fact, BuildRecorded))
    replayed = victim.start("jobs", "log", "1", "--replay")
    complaint = _wait(replayed)
    assert replayed.returncode == 0, complaint
    assert victim.left_running() == []


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a build beside a run takes a processor of its own")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_while_it_builds_ahead_it_leaves_nothing(victim: Victim, number: signal.Signals) -> None:
    victim.slow_down_builds()
    process = victim.bisect("--jobs", "4")
    _wait_for_a_build_beside(victim)
    process.send_signal(number)
    complaint = _wait(process, 20)
    assert process.returncode == 130, complaint
    assert "bisector jobs resume 1" in complaint
    assert "Traceback" not in complaint
    assert victim.left_running() == []
    assert victim.in_the_making() == []


def _gone(victim: Victim) -> bool:
    """Whether everything the killed process had started comes to its end, as the kernel tells it to."""
    deadline = time.monotonic() + 15
    while victim.left_running() and time.monotonic() < deadline:
        time.sleep(0.1)
    return victim.left_running() == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_asked_to_stop_it_leaves_nothing_running_and_says_how_to_go_on(victim: Victim, number: signal.Signals) -> None:
    process = victim.bisect()
    victim.wait_for_facts()
    process.send_signal(number)
    complaint = _wait(process, 15)
    assert process.returncode == 130, complaint
    assert "bisector jobs resume 1" in complaint
    assert "Traceback" not in complaint
    assert victim.left_running() == []
    resumed = victim.start("jobs", "resume", "1")
    complaint = _wait(resumed)
    assert resumed.returncode == 0, complaint


def test_two_processes_do_not_work_on_one_job(victim: Victim) -> None:
    process = victim.bisect()
    victim.wait_for_facts()
    second = victim.start("jobs", "resume", "1")
    complaint = _wait(second)
    assert second.returncode == 2
    assert f"process {process.pid}" in complaint
    process.kill()
    _wait(process)


def test_a_job_can_be_cancelled_from_another_process(victim: Victim) -> None:
    process = victim.bisect()
    victim.wait_for_facts(2)
    _wait(victim.start("jobs", "cancel", "1"))
    _wait(process, 30)  # a heartbeat takes 10 s to come, and what runs then is ended
    assert process.returncode == 130
    assert victim.left_running() == []
