"""Load is marked for monitoring while a worker has a job, and no longer, whatever happens in between."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.in_memory.world import World as Simulated
from bisector.core.model.builds import Build
from bisector.core.model.scenario import Probe, Ready, RunRecipe, Service
from bisector.engine.job import JobState
from bisector.engine.marking import MOST_FAILURES, Marking
from bisector.engine.marks import LASTS, RENEWED
from bisector.engine.orders import LOAD_HEADER, _marked
from bisector.engine.queue import Lease, WorkerKind
from bisector.engine.running import RunOrder
from bisector.engine.stop import StopSignal
from bisector.errors import UsageError
from bisector.formats.marks import MarkTable, Matcher, read_matcher
from bisector.server.app import create_app
from bisector.server.assembly import service_of
from tests.entry.server.conftest import Serve, World
from tests.helpers.monitoring import Alertmanager, Grafana, seconds
from tests.helpers.receiver import receiving, until
from tests.helpers.simulated import Simulation


@dataclass
class Rig:
    """A server that marks, a worker that takes jobs, and who is told."""

    world: World
    grafana: Grafana
    alertmanager: Alertmanager
    marking: Marking
    monkeypatch: pytest.MonkeyPatch
    gone: float = 0.0

    def turn(self) -> int:
        return self.marking.turn(StopSignal())

    def later(self, by: float) -> None:
        """So much time goes by."""
        self.gone += by
        gone = timedelta(seconds=self.gone)
        self.monkeypatch.setattr(self.world.wiring.clock, "now", lambda: SystemClock().now() + gone)
        self.alertmanager.now = self.now

    @property
    def now(self) -> float:
        return self.world.wiring.clock.now().timestamp()

    def take(self) -> Lease:
        """A worker takes a job."""
        self.world.alert(self.world.order(), delivery=f"d{self.gone}")
        queue = self.world.wiring.queue
        lease = queue.claim(queue.register(self.world.wiring.about_this_worker(WorkerKind.WORKER)))
        assert lease is not None
        self.world.wiring.queue.store_of(lease).set_state(lease.job, JobState.RUNNING)
        return lease

    def finish(self, lease: Lease, state: JobState = JobState.DONE) -> None:
        self.world.wiring.queue.store_of(lease).set_state(lease.job, state)


@pytest.fixture
def rig(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setenv("GRAFANA_TOKEN", "grafana token")
    grafana, alertmanager = Grafana(), Alertmanager()
    with receiving() as one, receiving() as other:
        one.answer, other.answer = grafana, alertmanager
        world = serve(
            marks=[
                {"kind": "grafana", "url": one.url + "/", "token_env": "GRAFANA_TOKEN", "tags": ["load"]},
                {"kind": "alertmanager", "url": other.url, "matchers": ['service="shop"', 'env=~"perf|bench"']},
            ]
        )
        rig = Rig(world, grafana, alertmanager, marking_of(world), monkeypatch)
        rig.later(0.0)
        yield rig


def marking_of(world: World) -> Marking:
    marking = service_of(world.wiring, world.wiring.settings, ()).marking
    assert marking is not None
    return marking


def test_a_mark_lasts_as_long_as_the_work(rig: Rig) -> None:
    assert rig.turn() == 0
    began = rig.now
    lease = rig.take()
    rig.turn()
    (annotation,) = rig.grafana.annotations.values()
    assert annotation["tags"] == ["bisector", f"bisector job 1 lease {lease.fence}", "load"]
    assert annotation["text"] == "bisector makes load: bisect of shop by level"
    assert annotation["time"] / 1000 == pytest.approx(began, abs=20)
    (silence,) = rig.alertmanager.lasting()
    assert silence["matchers"] == [
        {"name": "service", "value": "shop", "isRegex": False, "isEqual": True},
        {"name": "env", "value": "perf|bench", "isRegex": True, "isEqual": True},
    ]
    assert silence["createdBy"] == "bisector"
    assert seconds(silence["endsAt"]) == pytest.approx(rig.now + LASTS, abs=20)
    assert rig.turn() == 0, "nothing changed"
    for _ in range(3):
        rig.later(LASTS - RENEWED + 20)
        assert rig.turn() == 2
        assert seconds(silence["endsAt"]) == pytest.approx(rig.now + LASTS, abs=20), "put off"
    assert list(rig.alertmanager.silences) == ["silence-1"]
    rig.finish(lease)
    assert rig.turn() == 2
    assert rig.alertmanager.lasting() == []
    assert annotation["timeEnd"] / 1000 == pytest.approx(rig.now, abs=20)
    assert len(rig.grafana.annotations) == 1
    rig.later(10**5)
    assert rig.turn() == 0


def test_without_a_server_a_mark_ends_by_itself(rig: Rig) -> None:
    rig.take()
    rig.turn()
    rig.later(LASTS + 20)
    assert rig.alertmanager.lasting() == []
    (annotation,) = rig.grafana.annotations.values()
    assert annotation["timeEnd"] / 1000 < rig.now
    rig.marking = marking_of(rig.world)
    rig.turn()
    assert len(rig.alertmanager.lasting()) == 1, "the next server goes on with it"
    assert len(rig.grafana.annotations) == 1


def test_a_job_that_is_taken_again_is_marked_again(rig: Rig) -> None:
    first = rig.take()
    rig.turn()
    rig.finish(first, JobState.QUEUED)
    rig.turn()
    assert rig.alertmanager.lasting() == []
    rig.take()
    rig.turn()
    assert len(rig.alertmanager.lasting()) == 1
    assert len(rig.grafana.annotations) == 2


def test_work_that_was_over_before_anybody_looked_is_not_marked(rig: Rig) -> None:
    rig.finish(rig.take())
    assert rig.turn() == 0
    assert rig.grafana.asked == rig.alertmanager.asked == []


class Killed(BaseException):
    """The process ends here."""


def test_killed_after_it_was_made_it_is_found_again(rig: Rig) -> None:
    lease = rig.take()

    def die(*_: object) -> None:
        raise Killed

    with rig.monkeypatch.context() as patch:
        patch.setattr(type(rig.marking._marks), "made", die)
        for _ in range(2):
            with pytest.raises(Killed):
                rig.turn()
    assert rig.turn() == 0, "they are still believed to be seen to"
    rig.later(61)
    assert rig.turn() == 2
    assert len(rig.grafana.annotations) == len(rig.alertmanager.silences) == 1
    rig.finish(lease)
    rig.turn()
    assert rig.alertmanager.lasting() == []


def test_who_is_away_holds_nothing_up_and_is_told_later(rig: Rig) -> None:
    rig.grafana.status = 503
    lease = rig.take()
    rig.turn()
    assert len(rig.alertmanager.lasting()) == 1
    rig.grafana.status = 0
    rig.later(6)
    rig.turn()
    assert len(rig.grafana.annotations) == 1
    rig.grafana.status = 503
    rig.finish(lease)
    for _ in range(MOST_FAILURES + 5):
        rig.later(121)
        rig.turn()
    assert rig.grafana.asked.count("PATCH /api/annotations/1") == MOST_FAILURES
    rig.later(10**5)
    assert rig.turn() == 0


def test_what_a_person_removed_is_let_be(rig: Rig) -> None:
    lease = rig.take()
    rig.turn()
    rig.grafana.annotations.clear()
    rig.alertmanager.silences["silence-1"]["endsAt"] = rig.alertmanager.silences["silence-1"]["startsAt"]
    rig.later(60)
    assert rig.alertmanager.lasting() == []
    rig.finish(lease)
    rig.turn()
    assert rig.grafana.annotations == {}
    rig.later(10**4)
    assert rig.turn() == 0, "that is no fault"


def test_only_what_is_wanted_is_marked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    alertmanager = Alertmanager()
    with receiving() as receiver:
        receiver.answer = alertmanager
        table = {"kind": "alertmanager", "url": receiver.url, "matchers": ["a=b"]}
        world = serve(
            marks=[
                {**table, "name": "one", "repositories": ["shop"], "scenarios": ["level"]},
                {**table, "name": "two", "scenarios": ["other"]},
            ]
        )
        rig = Rig(world, Grafana(), alertmanager, marking_of(world), monkeypatch)
        rig.later(0.0)
        rig.take()
        rig.turn()
        assert len(alertmanager.silences) == 1


def test_the_server_marks_while_it_runs(rig: Rig) -> None:
    from starlette.testclient import TestClient

    rig.take()
    service = service_of(rig.world.wiring, rig.world.wiring.settings, ())
    with TestClient(create_app(service)):
        until(lambda: rig.alertmanager.lasting() and rig.grafana.annotations)


def test_a_secret_that_is_missing_is_named(serve: Serve) -> None:
    with pytest.raises(UsageError, match="NOT_SET"):
        serve(marks=[{"kind": "grafana", "url": "https://g.example", "token_env": "NOT_SET"}])


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ('service="shop"', Matcher(name="service", value="shop", is_equal=True, is_regex=False)),
        ("service!=shop", Matcher(name="service", value="shop", is_equal=False, is_regex=False)),
        ('a=~"x|y=z"', Matcher(name="a", value="x|y=z", is_equal=True, is_regex=True)),
        ("a!~", Matcher(name="a", value="", is_equal=False, is_regex=True)),
    ],
)
def test_a_matcher(text: str, matcher: Matcher) -> None:
    assert read_matcher(text) == matcher


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"matchers": []}, "needs matchers"),
        ({"matchers": ['a=~".*"']}, "needs matchers"),
        ({"matchers": ["a!=b"]}, "needs matchers"),
        ({"matchers": ["a"]}, "not a matcher"),
        ({"dashboard": "x"}, "alertmanager knows no dashboard"),
        ({"kind": "grafana", "matchers": ["a=b"]}, "grafana knows no matchers; grafana needs token_env"),
    ],
)
def test_a_table_that_could_not_work(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        MarkTable(**{"kind": "alertmanager", "url": "https://a.example", "matchers": ["a=b"], **changed})


def test_a_run_that_makes_load_is_told_how_to_mark_its_load() -> None:
    recipe = RunRecipe(command=("load",), network="default", env={"A": "1"})
    assert _marked(recipe, "12").env == {"A": "1", LOAD_HEADER: "X-Bisector-Job: 12"}
    assert _marked(recipe, "12").identity() != recipe.identity(), "so it is added after that was taken"
    own = RunRecipe(command=("load",), network="default", env={LOAD_HEADER: "X-Load: mine"})
    assert _marked(own, "12").env == own.env
    served = RunRecipe(
        command=("load",),
        services=(Service(name="web", command=("serve",), ready=Ready(probe=Probe.TCP, words=("80",))),),
    )
    assert LOAD_HEADER in _marked(served, "12").env
    alone = RunRecipe(command=("load",))
    assert _marked(alone, "12") is alone


def test_every_run_of_a_job_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(Simulated(candidates=1, culprit=1))
    orders: list[RunOrder] = []
    runner = simulation.ports.runner
    real = runner.open

    def noted(_: object, build: Build, order: RunOrder, stop: StopSignal) -> Any:
        orders.append(order)
        return real(build, order, stop)

    monkeypatch.setattr(type(runner), "open", noted)
    asked = simulation.request()
    scenario = replace(asked.scenario, run=replace(asked.scenario.run, network="default"))
    found = simulation.run(replace(asked, scenario=scenario))
    simulation.close()
    assert found.samples
    assert {order.recipe.env[LOAD_HEADER] for order in orders} == {f"X-Bisector-Job: {found.job}"}
