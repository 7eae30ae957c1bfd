"""A worker that is stopped anywhere, and wakes up when another host has done its job, adds nothing to it."""

import signal
from pathlib import Path

import pytest

from tests.faults.interrupted import SIMULATED
from tests.faults.kept import differences, kept_in
from tests.faults.scenes import Driver, Scene

# Not in CI: where the stop falls into a heartbeat's transaction of another thread, the database stays locked, and the
# other host waits for as long as the first one is stopped. `tests/e2e/test_workers.py` stops a worker in CI.
pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.xdist_group("faults")]

LEASE = "1"
PLACES = (20, 40, 64, 90, 120, 150)


def woken_too_late(forked: Driver, top: Path, *, at: int = 40, mutant: str = "deaf") -> list[str]:
    """What a worker changes that is stopped outside of a transaction and wakes up when its job is done elsewhere."""
    scene = Scene(forked, top, ())
    url = f"sqlite:///{scene.place}/state/bisector.sqlite3"
    scene.environment = {"BISECTOR_DATABASE_URL": url, "BISECTOR_LEASE_SECONDS": LEASE, "BISECTOR_HOST_NAME": "one"}
    scene.set_up()
    (scene.place / "state").mkdir()
    assert scene.type(*SIMULATED, "--detach").code == 0
    stopped = scene.type("worker", at=at, how=signal.SIGSTOP, mutant=mutant)
    assert stopped.code is None, stopped.output
    assert stopped.places[-1].startswith("after"), "it has the database locked"
    own = scene.environment
    scene.environment = {**own, "BISECTOR_HOST_NAME": "two", "BISECTOR_STATE_DIR": str(top / "two")}
    other = scene.type("worker")
    assert other.code == 0, other.output
    done = kept_in(scene.place)
    assert done["jobs"][0][1] == "done", other.output
    assert forked.wake(stopped.process) == 0, (top / "output").read_text()
    return differences(done, kept_in(scene.place))


@pytest.mark.parametrize("at", PLACES)
def test_a_worker_that_wakes_up_after_another_host_did_its_job_adds_nothing(
    at: int, forked: Driver, tmp_path: Path
) -> None:
    assert woken_too_late(forked, tmp_path, at=at) == []
