"""A worker that is stopped anywhere adds nothing to its job once another one did it, and keeps nobody from doing it."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.interrupted import SIMULATED
from tests.faults.kept import differences, doubled, kept_in
from tests.faults.scenes import Driver, Ended, Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

LEASE = "1"
PLACES = (20, 40, 64, 90, 120, 150)
LOCKED: dict[str, dict[str, Any]] = {
    "in a heartbeat": {"at": 1, "of_heart": True},
    "in a later one": {"at": 7, "of_heart": True},
    "in a transaction": {"at": 41, "mutant": "deaf"},
}
"""Where it has the database locked."""
ENDED = "a stopped worker that had the database locked"


def stopped_at(scene: Scene, top: Path, **where: Any) -> tuple[Ended, Ended]:
    """A worker that is stopped at a place, and one of another host, with a state directory of its own, after it."""
    url = f"sqlite:///{scene.place}/state/bisector.sqlite3"
    scene.environment = {"BISECTOR_DATABASE_URL": url, "BISECTOR_LEASE_SECONDS": LEASE, "BISECTOR_HOST_NAME": "one"}
    scene.set_up()
    (scene.place / "state").mkdir()
    assert scene.type(*SIMULATED, "--detach").code == 0
    stopped = scene.type("worker", how=signal.SIGSTOP, **where)
    assert stopped.code is None, stopped.output
    own = scene.environment
    scene.environment = {**own, "BISECTOR_HOST_NAME": "two", "BISECTOR_STATE_DIR": str(top / "two")}
    other = scene.type("worker")
    assert other.code == 0, other.output
    return stopped, other


def woken_too_late(forked: Driver, top: Path, *, at: int = 40, mutant: str = "deaf") -> list[str]:
    """What a worker changes that is stopped outside of a transaction and wakes up when its job is done elsewhere.

    Its heart beats in another thread: where that was in a transaction, the other worker had to end it to go on.
    """
    scene = Scene(forked, top, ())
    stopped, other = stopped_at(scene, top, at=at, mutant=mutant)
    assert stopped.places[-1] != "before commit", "it has the database locked"
    done = kept_in(scene.place)
    assert done["jobs"][0][1] == "done", other.output
    assert forked.wake(stopped.process) == (-signal.SIGKILL if ENDED in other.output else 0), other.output
    return differences(done, kept_in(scene.place))


@pytest.mark.long
@pytest.mark.parametrize("at", PLACES)
def test_a_worker_that_wakes_up_after_another_host_did_its_job_adds_nothing(
    at: int, forked: Driver, tmp_path: Path
) -> None:
    assert woken_too_late(forked, tmp_path, at=at) == []


@pytest.mark.parametrize(
    "where", [name if name == "in a heartbeat" else pytest.param(name, marks=pytest.mark.long) for name in LOCKED]
)
def test_a_worker_stopped_with_the_database_locked_is_ended_by_the_next_one(
    where: str, forked: Driver, tmp_path: Path
) -> None:
    scene = Scene(forked, tmp_path, ())
    stopped, other = stopped_at(scene, tmp_path, **LOCKED[where])
    assert stopped.places[-1] == "before commit"
    assert f"process {stopped.process} was ended: {ENDED}" in other.output
    kept = kept_in(scene.place)
    assert kept["jobs"][0][1] == "done", other.output
    assert doubled(kept) == []
    assert forked.wake(stopped.process) == -signal.SIGKILL
