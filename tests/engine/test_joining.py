"""Alerts that mean one change share a job, and none is lost by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.world import World
from bisector.core.model.request import Budget, JobKind, Request
from bisector.core.model.scenario import Direction
from bisector.engine.joining import Joining, alike
from bisector.engine.joins import Joined, JoinFate
from bisector.engine.queue import Order, Priority, WorkerKind, dedup_key
from bisector.engine.stop import StopSignal
from bisector.engine.worker import Worker
from bisector.errors import EnvironmentFault
from bisector.formats.scenario import parse_scenario
from bisector.report.phrase import plain
from bisector.settings import Settings
from bisector.wiring import Wiring
from bisector.wiring.joining import make_joining
from tests.helpers.simulated import Simulation

WORLD = World(candidates=12, culprit=6, effect=0.2, metrics="6:0.2/0:0")
SCENARIO = b"""
name = "simulated"
[run]
command = ["true"]
[[metrics]]
name = "seconds"
unit = "s"
[[metrics]]
name = "m1"
[[metrics]]
name = "m2"
"""


class Rig:
    """A queue, a worker, and alerts about a simulated world."""

    def __init__(self, top: Path) -> None:
        self.wiring = Wiring(StopSignal(), Settings(state_dir=top / "state", cache_dir=top / "cache"))
        self.repository = SimulatedRepository(WORLD)
        self.said: list[str] = []
        self.joining: Joining = make_joining(self.wiring, self.said.append)
        self.joining._ports = replace(self.joining._ports, open=lambda _: self.repository)

    def request(self, good: int = 0, bad: int = 12, metric: str = "seconds") -> Request:
        simulation = Simulation(WORLD)
        asked = simulation.request()
        simulation.close()
        return replace(
            asked,
            repository=self.repository.location,
            good=WORLD.line[good].sha,
            bad=WORLD.line[bad].sha,
            scenario=parse_scenario(SCENARIO, where="x"),
            metrics=(metric,),
        )

    def alert(self, request: Request, source: str = "monitor", priority: Priority = Priority.ALERT) -> tuple[str, bool]:
        """The job for an alert, and whether it joined that."""
        order = Order(priority=priority, asked_by=source, dedup=dedup_key(request))
        queued, joined = self.joining.enqueue(request, order)
        return queued.job, joined

    def work(self, job: str) -> None:
        info = self.wiring.about_this_worker(WorkerKind.WORKER)
        worker = Worker(self.wiring.worker_ports(), info, lease=30.0, grace=1.0, tell=self.said.append)
        with worker.registered():
            assert worker.once(job), self.said

    def turn(self) -> int:
        return self.joining.turn(StopSignal())

    def joins(self, job: str) -> tuple[Joined, ...]:
        return self.joining._ports.joins.of(job)

    def jobs(self) -> list[str]:
        return sorted(row.job for row in self.wiring.store.jobs())


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.wiring.close()


def test_an_alert_about_an_overlapping_range_is_answered_by_the_job_that_waits(rig: Rig) -> None:
    assert rig.alert(rig.request(0, 9)) == ("1", False)
    assert rig.alert(rig.request(4, 12), "grafana") == ("1", True)
    assert rig.alert(rig.request(4, 12), "grafana") == ("1", True), "the same alert again"
    assert rig.turn() == 0, "there is no answer yet"
    rig.work("1")
    assert rig.turn() == 1
    (joined,) = rig.joins("1")
    assert (joined.fate, joined.own, joined.order.asked_by) == (JoinFate.ANSWERED, "", "grafana")
    (told,) = rig.joining.told("1")
    asked = f"grafana asked about seconds from {WORLD.line[4].sha[:10]} to {WORLD.line[12].sha[:10]}"
    assert plain(told.phrase) == f"{asked}: this answers it."
    assert rig.turn() == 0
    assert rig.jobs() == ["1"]


def test_what_the_job_does_not_answer_gets_a_job_of_its_own(rig: Rig) -> None:
    rig.alert(rig.request(0, 9))
    asked = rig.request(7, 12)
    assert rig.alert(asked, "grafana") == ("1", True)
    rig.work("1")
    rig.turn()
    (joined,) = rig.joins("1")
    assert (joined.fate, joined.own, joined.said) == (JoinFate.OWN, "2", "")
    assert rig.wiring.store.job("2").request == asked
    entry = rig.wiring.queue.entry("2")
    assert entry is not None
    assert entry.order == Order(priority=Priority.ALERT, asked_by="grafana", dedup=dedup_key(asked))
    rig.turn()
    assert rig.jobs() == ["1", "2"]


def test_the_same_range_with_another_metric(rig: Rig) -> None:
    rig.alert(rig.request(metric="seconds"))
    assert rig.alert(rig.request(metric="m1")) == ("1", True)
    assert rig.alert(rig.request(metric="m2")) == ("1", True)
    rig.work("1")
    rig.turn()
    changed, steady = rig.joins("1")
    answered, own = (plain(each.phrase) for each in rig.joining.told("1"))
    assert WORLD.line[6].sha[:8] in answered.split(": ")[1]
    assert own.endswith("this does not answer it, job 2 is to.")
    assert changed.fate is JoinFate.ANSWERED, "the same runs tell of it"
    assert (steady.fate, steady.own) == (JoinFate.OWN, "2"), "what they do not show is asked for by itself"
    assert rig.wiring.store.job("1").request.metrics == ("seconds",), "the job itself is what it was"


@pytest.mark.parametrize(
    "changed",
    [
        {"good": 9, "bad": 12},
        {"good": 10, "bad": 12},
        {"good": 4, "bad": 12, "metric": "m1"},
    ],
    ids=["ranges that touch", "ranges apart", "another metric of another range"],
)
def test_what_may_be_another_change_does_not_join(rig: Rig, changed: dict[str, int | str]) -> None:
    rig.alert(rig.request(0, 9))
    assert rig.alert(rig.request(**changed)) == ("2", False)  # type: ignore[arg-type]
    assert rig.joins("1") == ()


def test_what_is_asked_otherwise_does_not_join(rig: Rig) -> None:
    rig.alert(rig.request(0, 9))
    asked = rig.request(4, 12)
    others = [
        replace(asked, scenario=replace(asked.scenario, name="other")),
        replace(asked, scenario=replace(asked.scenario, files="0" * 64)),
        replace(asked, search=replace(asked.search, direction=Direction.BETTER)),
        replace(asked, kind=JobKind.COMPARE),
    ]
    assert [rig.alert(other) for other in others] == [(str(number), False) for number in range(2, 6)]
    assert alike(asked, replace(asked, budget=Budget(runs=9), good_text="v1", scenario_text="x"))


def test_a_job_for_less_or_under_way_is_not_joined(rig: Rig) -> None:
    rig.alert(rig.request(0, 9), "sweep nightly", Priority.SWEEP)
    assert rig.alert(rig.request(4, 12)) == ("2", False), "an alert does not wait for a night"
    queue = rig.wiring.queue
    lease = queue.claim(queue.register(rig.wiring.about_this_worker(WorkerKind.WORKER)))
    assert lease is not None
    assert lease.job == "2"
    assert rig.alert(rig.request(5, 11)) == ("3", False)


def test_the_very_same_question_shares_its_own_job(rig: Rig) -> None:
    rig.alert(rig.request(0, 9))
    queue = rig.wiring.queue
    lease = queue.claim(queue.register(rig.wiring.about_this_worker(WorkerKind.WORKER)))
    assert lease is not None
    rig.alert(rig.request(4, 12))
    assert rig.alert(rig.request(0, 9)) == ("1", False), "also where it could join another"
    assert rig.joins("2") == ()


def test_a_job_that_is_cancelled_lets_go_of_them(rig: Rig) -> None:
    rig.alert(rig.request(0, 9))
    rig.alert(rig.request(4, 12), "grafana")
    rig.wiring.queue.cancel("1")
    rig.turn()
    (joined,) = rig.joins("1")
    assert (joined.fate, joined.own) == (JoinFate.OWN, "2")
    assert rig.wiring.queue.entries()[0].job == "2"


class Killed(BaseException):
    """The process ends here."""


def test_killed_before_it_is_noted_it_has_one_job_all_the_same(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.alert(rig.request(0, 9))
    rig.alert(rig.request(7, 12))
    rig.wiring.queue.cancel("1")

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.joining._ports.joins), "settle", die)
        with pytest.raises(Killed):
            rig.turn()
    rig.turn()
    assert rig.jobs() == ["1", "2"]
    assert [joined.own for joined in rig.joins("1")] == ["2"]


def test_what_cannot_be_seen_to_holds_up_no_answer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.alert(rig.request(0, 9))
    rig.alert(rig.request(4, 12))
    rig.work("1")

    def gone(_: str) -> SimulatedRepository:
        raise EnvironmentFault("the repository cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(rig.joining, "_ports", replace(rig.joining._ports, open=gone))
        (told,) = rig.joining.told_in_the_end("1")
        assert "it waits for this answer" in plain(told.phrase)
        rig.turn()
    assert len([line for line in rig.said if "cannot be reached" in line]) == 1, "complained of once"
    (told,) = rig.joining.told_in_the_end("1")
    assert "this answers it" in plain(told.phrase)
