"""Contract: whoever stops, and however, nothing is left running and nothing half-made counts."""

import time

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from tests.adapters.runner.laboratory import Laboratory, marker, processes, stopping_when, wait_until_gone


def test_a_stop_ends_a_run_and_what_it_started(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    begun = time.monotonic()
    with (
        stopping_when(mark) as stop,
        pytest.raises(Cancelled),
        lab.session(plain, "sh", "-c", f"trap '' TERM; setsid sleep {mark} & sleep {mark}", stop=stop) as session,
    ):
        session.run()
    assert time.monotonic() - begun < 15
    wait_until_gone(mark, seconds=1.0)


def test_a_stop_ends_a_build_that_then_never_was(lab: Laboratory) -> None:
    mark = marker()
    order = lab.order({"a": ""}, steps=("echo one > made", f"[ -e again ] || setsid sleep {mark}; :"))
    with stopping_when(mark) as stop, pytest.raises(Cancelled):
        lab.make(order, stop)
    wait_until_gone(mark, seconds=1.0)
    assert not lab.runner.holds(Build(key=order.key, outcome=Outcome.OK, handle=order.key))
    other = lab.order({"a": "", "again": ""}, key=order.key, steps=order.recipe.steps)
    assert lab.make(other).reused is False


def test_a_stop_asked_for_before_is_heeded(lab: Laboratory, plain: Build) -> None:
    stop = StopSignal()
    stop.set("before")
    with pytest.raises(Cancelled), lab.session(plain, "true", stop=stop) as session:
        session.run()


def test_an_exception_of_ours_ends_everything_too(lab: Laboratory, plain: Build) -> None:
    mark = marker()

    def interrupted() -> None:
        with lab.session(plain, "sh", "-c", f"setsid sleep {mark} &") as session:
            session.run()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert processes(mark) == []
    assert lab.run(plain, "true").outcome is Outcome.OK
