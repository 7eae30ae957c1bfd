"""Contract: runs made together run at the same moment, on processors of their own, and end together."""

import contextlib
import os
import time
from collections.abc import Iterator

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import RunRecipe
from bisector.engine.ports import RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, EnvironmentFault, InfraFault
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory, marker, processes, stopping_when

CPUS = "import os; print(*sorted(os.sched_getaffinity(0)))"
needs_two = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two runs at once take two processors")


@contextlib.contextmanager
def lanes(lab: Laboratory, build: Build, *command: str, stop: StopSignal | None = None) -> Iterator[list[Session]]:
    """Two sessions of one build, each in a lane of its own."""
    recipe = RunRecipe(command=command, timeout_seconds=60.0, memory_bytes=256 * MEBIBYTE)
    with contextlib.ExitStack() as stack:
        orders = [RunOrder(recipe=recipe, files=None, lane=lane) for lane in (0, 1)]
        yield [stack.enter_context(lab.runner.open(build, order, stop or StopSignal())) for order in orders]


def records(found: tuple[RunRecord | InfraFault, ...]) -> list[RunRecord]:
    assert all(isinstance(each, RunRecord) for each in found)
    return [each for each in found if isinstance(each, RunRecord)]


@needs_two
def test_two_lanes_share_no_processor(lab: Laboratory, plain: Build) -> None:
    with lanes(lab, plain, "python3", "-c", CPUS) as sessions:
        first, second = (set(each.stdout.split()) for each in records(lab.runner.run_together(sessions)))
    assert len(first) == len(second) == 1
    assert not first & second
    assert lab.runner.processors() >= 2


@needs_two
def test_they_run_at_the_same_moment(lab: Laboratory, plain: Build) -> None:
    script = "import time; begun = time.monotonic(); time.sleep(1.5); print(begun, time.monotonic())"
    with lanes(lab, plain, "python3", "-c", script) as sessions:
        made = records(lab.runner.run_together(sessions))
    (one, ended), (other, other_ended) = (map(float, each.stdout.split()) for each in made)
    assert max(one, other) < min(ended, other_ended), "one had ended when the other began"


@needs_two
def test_what_one_does_wrong_is_its_own_outcome(lab: Laboratory, plain: Build) -> None:
    script = "import os, sys; sys.exit(3 * (max(os.sched_getaffinity(0)) == os.cpu_count() - 1))"
    with lanes(lab, plain, "python3", "-c", script) as sessions:
        made = records(lab.runner.run_together(sessions))
    assert [each.outcome for each in made] == [Outcome.BENCH_FAILED, Outcome.OK]


@needs_two
def test_a_stop_ends_both(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    begun = time.monotonic()
    with (
        stopping_when(mark) as stop,
        pytest.raises(Cancelled),
        lanes(lab, plain, "sh", "-c", f"sleep {mark}", stop=stop) as sessions,
    ):
        lab.runner.run_together(sessions)
    assert processes(mark) == []
    assert time.monotonic() - begun < 60


def test_a_lane_that_the_machine_does_not_have_is_refused(lab: Laboratory, plain: Build) -> None:
    recipe = RunRecipe(command=("true",), cpus=os.cpu_count() or 1)
    order = RunOrder(recipe=recipe, files=None, lane=1)
    with pytest.raises(EnvironmentFault, match="2 lanes"), lab.runner.open(plain, order, StopSignal()):
        pass
