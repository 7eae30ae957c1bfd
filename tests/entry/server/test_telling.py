"""Answers out, through the server: who is told what, once, whatever happens in between."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bisector.adapters.in_memory.world import World
from bisector.adapters.store.tables import outbox
from bisector.core.model.request import JobKind, Request
from bisector.core.model.scenario import Direction
from bisector.engine.notify import Claimed, Fate, Telling
from bisector.engine.queue import AT_TERMINAL, Order, Priority, WorkerKind
from bisector.engine.stop import StopSignal
from bisector.engine.worker import Worker
from bisector.errors import UsageError
from bisector.report.document import Report
from bisector.server.app import create_app
from bisector.server.assembly import service_of
from bisector.settings import Settings
from bisector.wiring import Wiring
from bisector.wiring.notify import make_outbox
from tests.helpers.receiver import Receiver, Reply, receiving, until
from tests.helpers.simulated import Simulation

CULPRIT, STEADY = World(candidates=4, culprit=2), World(candidates=4)
SLACK = {"kind": "slack", "url_env": "SLACK_URL"}
ALERT = Order(priority=Priority.ALERT, asked_by="monitor")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as made:
        monkeypatch.setenv("SLACK_URL", f"{made.url}/services/T0/B0/secret")
        yield made


class Place:
    """An installation with its settings."""

    def __init__(self, top: Path, **changed: Any) -> None:
        self.files = top / "answers"
        targets = [SLACK, {"kind": "file", "directory": str(self.files)}]
        values = {
            "state_dir": top / "state",
            "cache_dir": top / "cache",
            "server": {"public_url": "https://bisector.example/"},
            "notify": targets,
            **changed,
        }
        self.wiring = Wiring(StopSignal(), Settings(**values))
        self.service = service_of(self.wiring, self.wiring.settings, ())
        assert self.service.sender is not None
        self.sender = self.service.sender

    def turn(self) -> int:
        return self.sender.turn(StopSignal())

    def answer(self, world: World, order: Order = ALERT) -> str:
        """A job on `world`, done by a worker."""
        return self.work(request_on(world), order)

    def work(self, request: Request, order: Order = ALERT) -> str:
        """The same for a request."""
        job = self.wiring.queue.enqueue(request, order).job
        info = self.wiring.about_this_worker(WorkerKind.WORKER)
        worker = Worker(self.wiring.worker_ports(), info, lease=30.0, grace=1.0, tell=lambda _: None)
        with worker.registered():
            assert worker.once(job)
        return job

    def fates(self) -> dict[tuple[str, str], str]:
        with self.wiring.database.reading() as connection:
            return {(str(row.job_id), row.target): row.fate for row in connection.execute(outbox.select())}

    def later(self, seconds: float) -> None:
        """As if so much time had gone by for the messages."""
        with self.wiring.database.writing() as connection:
            connection.execute(
                outbox.update().values(due_at=outbox.c.due_at - seconds, noted_at=outbox.c.noted_at - seconds)
            )


def request_on(world: World) -> Request:
    simulation = Simulation(world)
    try:
        asked = simulation.request()
        return replace(asked, repository=simulation.ports.repository.location)
    finally:
        simulation.close()


@pytest.fixture
def slack_only(tmp_path: Path, receiver: Receiver) -> Iterator[Place]:
    made = Place(tmp_path, notify=[SLACK])
    made.turn()
    yield made
    made.wiring.close()


@pytest.fixture
def place(tmp_path: Path, receiver: Receiver) -> Iterator[Place]:
    made = Place(tmp_path)
    made.turn()
    yield made
    made.wiring.close()


def test_the_server_tells_while_it_runs(place: Place, receiver: Receiver) -> None:
    from starlette.testclient import TestClient

    job = place.answer(CULPRIT)
    with TestClient(create_app(place.service)):
        until(lambda: receiver.received and (place.files / f"job-{job}.json").exists())
        until(lambda: set(place.fates().values()) == {Fate.SENT})
    message = receiver.received[0].json
    report = place.sender._sources.report(job)
    (culprit,) = report.culprits
    assert receiver.received[0].path == "/services/T0/B0/secret"
    inner = culprit.inner.commit if culprit.inner is not None else None
    assert (inner or culprit.commit).sha[:8] in json.dumps(message)
    assert message["blocks"][-2]["elements"][0]["url"] == f"https://bisector.example/jobs/{job}"
    assert json.loads((place.files / f"job-{job}.json").read_text())["verdict"] == "culprit"
    assert culprit.commit.sha[:8] in (place.files / f"job-{job}.md").read_text()
    assert len(receiver.received) == 1


def test_the_same_answer_is_told_once_and_another_one_again(place: Place, receiver: Receiver) -> None:
    first, again = place.answer(CULPRIT), place.answer(CULPRIT)
    place.turn()
    assert len(receiver.received) == 1
    assert place.fates()[first, "slack"] == Fate.SENT
    assert place.fates()[again, "slack"] == Fate.REPEATED
    place.turn()
    assert len(receiver.received) == 1


def test_what_a_person_waits_for_and_what_is_not_wanted_is_not_told(place: Place, receiver: Receiver) -> None:
    place.answer(CULPRIT, Order(asked_by=AT_TERMINAL))
    nothing = place.answer(STEADY)
    place.turn()
    assert receiver.received == []
    assert place.fates() == {(nothing, "slack"): Fate.SKIPPED, (nothing, "file"): Fate.SKIPPED}
    place.answer(CULPRIT, Order(asked_by="api"))
    place.turn()
    assert len(receiver.received) == 1


def test_an_answer_that_cannot_be_read_holds_up_no_other(slack_only: Place, receiver: Receiver) -> None:
    place = slack_only
    broken, whole = place.answer(CULPRIT), place.answer(replace(CULPRIT, culprit=3))
    report = place.sender._sources.report

    def half(job: str) -> Report:
        if job == broken:
            raise ValueError("nobody can read this")
        return report(job)

    place.sender._sources = replace(place.sender._sources, report=half)
    place.turn()
    assert list(place.fates()) == [(whole, "slack")]
    assert len(receiver.received) == 1
    place.sender._sources = replace(place.sender._sources, report=report)
    place.turn()
    assert len(receiver.received) == 2, "it is tried again"


def test_what_sweeps_measure_and_improvements_are_no_alarm(tmp_path: Path, receiver: Receiver) -> None:
    every = {"kind": "file", "name": "every", "directory": str(tmp_path / "every"), "improvements": True}
    place = Place(tmp_path, notify=[SLACK, every])
    place.turn()
    look = place.work(replace(request_on(CULPRIT), kind=JobKind.COMPARE))
    asked = request_on(replace(CULPRIT, effect=-0.1))
    better = place.work(replace(asked, search=replace(asked.search, direction=Direction.BETTER)))
    assert place.wiring.store.job(better).sentence.startswith(("Commit", "Merge"))
    place.turn()
    assert receiver.received == []
    assert place.fates() == {
        (look, "slack"): Fate.SKIPPED,
        (look, "every"): Fate.SKIPPED,
        (better, "slack"): Fate.SKIPPED,
        (better, "every"): Fate.SENT,
    }
    place.wiring.close()


def test_what_ended_before_a_target_was_named_is_not_told(tmp_path: Path, receiver: Receiver) -> None:
    place = Place(tmp_path)
    place.answer(CULPRIT)
    assert place.turn() == 0
    place.wiring.close()


def test_what_fails_is_tried_again_and_given_up_after_a_day(place: Place, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(500)
    job = place.answer(CULPRIT)
    place.turn()
    assert place.turn() == 0, "not at once"
    place.later(60)
    place.turn()
    assert len(receiver.received) == 2
    assert place.fates()[job, "slack"] == Fate.WAITING
    place.later(24 * 3600)
    place.turn()
    assert place.fates()[job, "slack"] == Fate.GIVEN_UP
    place.later(24 * 3600)
    assert place.turn() == 0
    assert len(receiver.received) == 3


def test_a_receiver_that_asks_for_time_gets_it(place: Place, receiver: Receiver) -> None:
    receiver.replies = [Reply(429, headers={"Retry-After": "900"})]
    job = place.answer(CULPRIT)
    place.turn()
    place.later(890)
    assert place.turn() == 0
    place.later(11)
    place.turn()
    assert place.fates()[job, "slack"] == Fate.SENT


class Killed(BaseException):
    """The process ends here."""


def test_killed_before_anything_left_it_is_told_by_the_next_server(
    slack_only: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = slack_only.answer(CULPRIT)
    killed(slack_only, monkeypatch, "begin")
    assert receiver.received == []
    assert slack_only.turn() == 0, "it is still believed to be on its way"
    slack_only.later(121)
    slack_only.turn()
    assert len(receiver.received) == 1
    assert slack_only.fates()[job, "slack"] == Fate.SENT


def test_killed_after_it_left_it_is_not_told_twice(
    slack_only: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = slack_only.answer(CULPRIT)
    killed(slack_only, monkeypatch, "settle")
    slack_only.later(121)
    slack_only.turn()
    slack_only.later(24 * 3600)
    slack_only.turn()
    assert len(receiver.received) == 1
    assert slack_only.fates()[job, "slack"] == Fate.UNSURE


def test_what_another_server_has_by_now_is_left_to_it(
    slack_only: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack_only.answer(CULPRIT)
    sender = slack_only.sender
    compose = sender._telling

    def slowly(claimed: Claimed) -> Telling:
        """Composing took so long that another server took the message."""
        telling = compose(claimed)
        slack_only.later(121)
        assert make_outbox(slack_only.wiring).claim(["slack"], []) is not None
        return telling

    with monkeypatch.context() as patch:
        patch.setattr(sender, "_telling", slowly)
        slack_only.turn()
    assert receiver.received == []


def killed(place: Place, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """A turn that dies when it is about to call that method of the outbox."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(place.sender._outbox), where, die)
        with pytest.raises(Killed):
            place.turn()


def test_secrets_that_are_missing_are_all_named(tmp_path: Path) -> None:
    targets = [
        {"kind": "slack", "url_env": "NOT_SET_1"},
        {"kind": "webhook", "url_env": "NOT_SET_2", "secret_env": "NOT_SET_3"},
    ]
    with pytest.raises(UsageError, match="NOT_SET_1, NOT_SET_2, NOT_SET_3"):
        Place(tmp_path, notify=targets)
