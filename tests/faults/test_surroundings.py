"""What a job stands on gives way: the disk is full, the database is locked, the history is rewritten, a person stops.

Told in one message, without a traceback; once it is as it was, the job ends as if nothing had happened.
"""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.interrupted import Clean, local, problems_of, simulated
from tests.faults.scenes import Driver, Ended, Scene
from tests.helpers.repositories import run_git

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("more faults")]

NO_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
ROOM = {"state": 64 << 10, "files": 4 << 10}
"""Bytes that are left on a full disk: less than a job needs, more than nothing."""


def assert_told(ended: Ended, code: int, *said: str) -> None:
    assert ended.code == code, ended.output
    assert "Traceback" not in ended.output
    for words in said:
        assert words in ended.output


def assert_as_if_nothing_had_happened(scene: Scene, clean: Clean) -> None:
    ended = scene.go_on()
    assert problems_of(scene, ended.code, ended.output, clean) == []


@contextmanager
def small_disk(at: Path, mebibytes: int) -> Iterator[None]:
    at.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "bisector-test", str(at)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(disk: Path, room: int) -> Path:
    """A file that leaves so much of the disk."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - room)
    return ballast


@NO_ROOT
@pytest.mark.parametrize("where", [pytest.param("state", marks=pytest.mark.long), "files"])
def test_a_full_disk_is_told_and_the_job_goes_on_once_there_is_room(
    where: str, forked: Driver, undisturbed: Clean, tmp_path: Path
) -> None:
    scene, clean = simulated(forked, tmp_path), undisturbed
    disk = scene.place / "state" / ("" if where == "state" else "files")
    scene.set_up()
    with small_disk(disk, 8):
        assert scene.type("jobs", "list").code == 0
        ballast = fill(disk, ROOM[where])
        full = scene.type(*scene.command)
        assert_told(full, 5, "space", "bisector jobs resume 1")
        ballast.unlink()
        assert_as_if_nothing_had_happened(scene, clean)


@contextmanager
def locked(database: Path, seconds: float) -> Iterator[None]:
    """Somebody else has the database to themselves for so long."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as link:
            link.execute("BEGIN EXCLUSIVE")
            taken.set()
            over.wait(seconds)
            link.execute("ROLLBACK")

    holding = threading.Thread(target=hold)
    holding.start()
    taken.wait()
    try:
        yield
    finally:
        over.set()
        holding.join()


def paused_at(scene: Scene, place: int) -> Path:
    """A job that was killed at a place; its database."""
    scene.set_up()
    assert scene.type(*scene.command, at=place).code == -signal.SIGKILL
    return scene.place / "state" / "bisector.sqlite3"


@pytest.mark.long
def test_a_database_locked_for_three_seconds_is_waited_for(forked: Driver, undisturbed: Clean, tmp_path: Path) -> None:
    scene, clean = simulated(forked, tmp_path), undisturbed
    with locked(paused_at(scene, 60), 3):
        began = time.monotonic()
        assert_as_if_nothing_had_happened(scene, clean)
        assert time.monotonic() - began > 2


@pytest.mark.long
def test_a_database_locked_for_a_minute_is_told_and_nothing_is_lost(
    forked: Driver, undisturbed: Clean, tmp_path: Path
) -> None:
    scene, clean = simulated(forked, tmp_path), undisturbed
    with locked(paused_at(scene, 60), 60):
        assert_told(scene.type("jobs", "resume", "1"), 5, "locked")
    assert_as_if_nothing_had_happened(scene, clean)


@pytest.mark.long
@pytest.mark.parametrize("place", [30, 90, 150])
def test_a_history_that_is_rewritten_and_collected_meanwhile_is_kept(
    place: int, forked: Driver, tmp_path: Path
) -> None:
    scene = local(forked, tmp_path)
    clean = Clean(scene)
    shop = tmp_path / "shop"
    scene.set_up()
    scene.type(*scene.command, at=place)
    for order in ("reset --hard HEAD~4", "reflog expire --expire=now --all", "gc --quiet --prune=now"):
        run_git(shop, *order.split())
    ended = scene.type("jobs", "resume", scene.job)
    assert problems_of(scene, ended.code, ended.output, clean) == []


@pytest.mark.parametrize("place", [90, *(pytest.param(n, marks=pytest.mark.long) for n in range(10, 210, 25))])
@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="INT"), pytest.param(signal.SIGTERM, id="TERM", marks=pytest.mark.long)],
)
def test_stopped_by_a_person_anywhere_it_says_how_to_go_on_and_does(
    number: signal.Signals, place: int, forked: Driver, undisturbed: Clean, tmp_path: Path
) -> None:
    scene, clean = simulated(forked, tmp_path), undisturbed
    scene.set_up()
    stopped = scene.type(*scene.command, at=place, how=number)
    if stopped.code != 0:  # so late that there was nothing left to stop
        assert_told(stopped, 130, "bisector jobs resume 1")
    assert_as_if_nothing_had_happened(scene, clean)
