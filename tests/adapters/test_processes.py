"""Processes by name, and stopped workers that have the database locked."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bisector.adapters.processes import LinuxProcesses, StoppedWorkers

HOLDER = """
import sqlite3, sys
from pathlib import Path
from contextlib import nullcontext
from bisector.adapters.processes import StoppedWorkers
database, workers, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
with StoppedWorkers(database, workers).one_of_us() if kind == "worker" else nullcontext():
    link = sqlite3.connect(database, isolation_level=None)
    link.execute("BEGIN EXCLUSIVE")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_process_is_told_from_another_with_its_number() -> None:
    processes = LinuxProcesses()
    boot, namespace, pid, started = processes.here().split(" ")
    assert processes.lives(processes.here()) is True
    assert processes.lives(f"{boot} {namespace} {pid} {int(started) + 1}") is False
    assert processes.lives(f"another-boot {namespace} {pid} {started}") is False
    assert processes.lives(f"{boot} pid:[1] {pid} {started}") is None
    assert not processes.kill(f"{boot} {namespace} {pid} {int(started) + 1}")


def test_a_stopped_process_is_killed_and_a_dead_one_is_not_there() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        stat = Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()
        boot, namespace, *_ = LinuxProcesses().here().split(" ")
        name = f"{boot} {namespace} {sleeper.pid} {stat[19]}"
        sleeper.send_signal(signal.SIGSTOP)
        assert LinuxProcesses().lives(name) is True
        assert LinuxProcesses().kill(name)
        assert sleeper.wait(timeout=20) == -signal.SIGKILL
        assert LinuxProcesses().lives(name) is False


@contextmanager
def holder(top: Path, kind: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has the database locked."""
    command = [sys.executable, "-c", HOLDER, str(top / "b.sqlite3"), str(top / "workers"), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == "ready\n"
        yield made
        made.kill()


@pytest.mark.parametrize(
    ("kind", "stopped", "killed"), [("worker", True, True), ("worker", False, False), ("person", True, False)]
)
def test_only_a_stopped_worker_is_ended(tmp_path: Path, kind: str, stopped: bool, killed: bool) -> None:
    with holder(tmp_path, kind) as process:
        if stopped:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        ended = StoppedWorkers(tmp_path / "b.sqlite3", tmp_path / "workers").end()
        assert ended == ((process.pid,) if killed else ())
        if killed:
            assert process.wait(timeout=20) == -signal.SIGKILL
        else:
            assert process.poll() is None
