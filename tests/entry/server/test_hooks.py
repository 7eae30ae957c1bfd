"""Alerts: the right ones become one job each, all others the right status and nothing else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from bisector.core.model.units import Sha
from bisector.core.watch.moves import Accepted, AcceptedBy
from bisector.engine.deliveries import Delivered
from bisector.engine.queue import Priority
from bisector.errors import StoreError
from bisector.server.app import create_app
from bisector.server.assembly import service_of
from bisector.wiring.service import deliveries, series_log
from tests.entry.server.conftest import Serve, github_signature
from tests.helpers.receiver import until


def test_an_alert_becomes_a_job(serve: Serve) -> None:
    world = serve()
    answer = world.alert(world.order())
    assert answer.status_code == 202
    assert answer.headers["location"] == "/v1/jobs/1"
    assert answer.json() == {"jobs": [{"job": "1", "new": True}]}
    request = world.wiring.store.job("1").request
    assert (request.good, request.bad, request.scenario.name) == (world.good, world.bad, "level")
    entry = world.wiring.queue.entry("1")
    assert entry is not None
    assert (entry.order.priority, entry.order.asked_by) == (Priority.ALERT, "monitor")


def test_the_same_delivery_and_the_same_question_are_one_job(serve: Serve) -> None:
    world = serve()
    first = world.alert(world.order())
    again = world.alert(world.order())
    assert again.status_code == 200
    assert again.json() == {**first.json(), "repeated": True}
    other = world.alert(world.order(dedup_key="another alert"), delivery="d2")
    assert (other.status_code, other.json()) == (200, {"jobs": [{"job": "1", "new": False}]})
    assert len(world.wiring.store.jobs()) == 1


@pytest.mark.parametrize("alerts", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_many_alerts_over_twenty_threads_are_one_job(serve: Serve, alerts: int) -> None:
    world = serve()

    def send(number: int) -> int:
        return world.alert(world.order(), delivery=f"d{number % (alerts // 2)}").status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(send, range(alerts)))
    assert set(statuses) <= {200, 202, 409}
    assert statuses.count(202) == 1
    assert len(world.wiring.store.jobs()) == 1


def test_nothing_tells_a_wrong_signature_from_a_hook_that_is_not_there(serve: Serve) -> None:
    world = serve()
    wrong = world.alert(world.order(), secret="guessed")
    old = world.alert(world.order(), age=301)
    missing = world.client.post("/v1/hooks/elsewhere", content=b"{}")
    for answer in (wrong, old, missing):
        assert (answer.status_code, answer.json()) == (401, {"error": "not a sender of alerts here"})
    assert world.wiring.store.jobs() == []


def test_a_push_to_github(serve: Serve) -> None:
    world = serve()
    push = {
        "ref": "refs/heads/main",
        "before": world.good,
        "after": world.bad,
        "repository": {"full_name": "somebody/shop", "default_branch": "main"},
    }
    body = json.dumps(push).encode()
    headers = {
        "x-github-event": "push",
        "x-github-delivery": "1",
        "x-hub-signature-256": github_signature(body),
    }
    assert world.client.post("/v1/hooks/github", content=body, headers=headers).status_code == 202
    ping = {**headers, "x-github-event": "ping", "x-github-delivery": "2"}
    answer = world.client.post("/v1/hooks/github", content=body, headers=ping)
    assert (answer.status_code, answer.json()) == (200, {"jobs": [], "ignored": "nothing is done on the event 'ping'"})
    unsigned = {**headers, "x-hub-signature-256": github_signature(body, "other"), "x-github-delivery": "3"}
    assert world.client.post("/v1/hooks/github", content=body, headers=unsigned).status_code == 401


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"repository": "elsewhere"}, "no such repository is configured"),
        ({"scenario": "elsewhere"}, "no such scenario"),
        ({"scenario": "../level"}, "scenario is not a name"),
        ({"metric": "elsewhere"}, "no such metric"),
        ({"good": None}, "the range is missing"),
        ({"good": "f" * 40}, "f" * 12),
        ({"good": "--upload-pack=touch /tmp/x"}, "not a commit"),
        ({"image": "evil"}, "image"),
    ],
)
def test_only_what_is_configured_is_done(serve: Serve, changed: dict[str, str | None], told: str) -> None:
    world = serve()
    order = {name: value for name, value in world.order(**changed).items() if value is not None}
    answer = world.alert(order)
    assert answer.status_code == 422
    assert told in answer.json()["error"]
    assert world.alert(order).status_code == 422, "the same again is no better"
    assert world.wiring.store.jobs() == []


def test_a_commit_of_a_fork_is_never_built(serve: Serve) -> None:
    world = serve()
    answer = world.alert(world.order(bad=world.fork))
    assert answer.status_code == 422
    assert "on none of the branches main" in answer.json()["error"]
    assert world.wiring.store.jobs() == []


def test_a_range_of_one_commit_is_no_range(serve: Serve) -> None:
    world = serve()
    answer = world.alert(world.order(good=world.bad))
    assert (answer.status_code, "the same commit" in answer.json()["error"]) == (422, True)


def test_an_alert_may_spend_what_the_repository_allows_and_a_person_what_they_like(serve: Serve) -> None:
    world = serve()
    entry = world.wiring.settings.repositories[0].model_copy(update={"max_runs": 77, "max_seconds": 600.0})
    world = serve(repositories=[entry.model_dump()])
    assert world.alert(world.order()).status_code == 202
    assert world.client.post("/v1/jobs", json=world.order(metric="seconds")).status_code == 202
    spent = [(budget.runs, budget.seconds) for budget in (world.wiring.store.job(n).request.budget for n in ("1", "2"))]
    assert spent == [(77, 600.0), (None, None)]


def test_an_alert_without_a_range_begins_at_the_level_that_sweeps_accepted(serve: Serve) -> None:
    world = serve(sweeps=[{"name": "nightly", "repository": "shop", "scenarios": ["level"], "cron": "0 3 * * *"}])
    order = {"repository": "shop", "scenario": "level"}
    assert "the range is missing" in world.alert(order).json()["error"]
    accepted = Accepted(commit=Sha(world.good), time=1.0, by=AcceptedBy.START)
    assert series_log(world.wiring).append("shop/main/level/seconds@default", 0, accepted)
    assert world.alert(order).status_code == 202
    request = world.wiring.store.job("1").request
    assert (request.good, request.bad) == (world.good, world.bad)


def test_a_repository_may_allow_some_scenarios_only(serve: Serve) -> None:
    world = serve()
    entry = world.wiring.settings.repositories[0].model_copy(update={"scenarios": ("other",)})
    world = serve(repositories=[entry.model_dump()])
    assert "no such scenario is configured" in world.alert(world.order()).json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[" * 3000, b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe", b"null", b""])
def test_what_is_not_our_json_is_told(serve: Serve, body: bytes) -> None:
    world = serve()
    assert world.alert(body).status_code == 422


def test_a_body_of_ten_megabytes_is_not_read(serve: Serve) -> None:
    world = serve()
    assert world.alert(b" " * (10 << 20)).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(400):
            yield b" " * 1024

    assert world.client.post("/v1/hooks/monitor", content=pieces()).status_code == 413


def test_a_body_that_is_only_said_to_be_large_is_refused_before_it_comes(serve: Serve) -> None:
    world = serve()
    said = {"Content-Length": str(10 << 20)}
    assert world.client.post("/v1/hooks/monitor", content=b"{}", headers=said).status_code == 413


def test_a_full_queue_says_so_and_the_alert_can_come_again(serve: Serve) -> None:
    world = serve(queue_limit=1)
    middle = world.wiring.repository(str(world.wiring.settings.repositories[0].location)).resolve("main~1").sha
    assert world.alert(world.order(good=middle)).status_code == 202
    order = world.order(bad=middle)
    full = world.alert(order, delivery="d2")
    assert full.status_code == 429
    assert int(full.headers["retry-after"]) > 0
    world.wiring.queue.cancel("1")
    assert world.alert(order, delivery="d2").status_code == 202


def test_a_database_that_is_away_loses_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    world = serve()
    world.alert(world.order(), delivery="before")
    real = world.wiring.queue.enqueue

    def away(*_: object) -> object:
        raise StoreError("the database does not answer")

    monkeypatch.setattr(world.wiring.queue, "enqueue", away)
    order = world.order(bad=world.good, good=world.bad)
    answer = world.alert(order, delivery="d2")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.setattr(world.wiring.queue, "enqueue", real)
    assert world.alert(order, delivery="d2").status_code == 202


def test_a_delivery_that_is_being_worked_on_is_not_done_beside_itself(serve: Serve) -> None:
    world = serve()
    deliveries(world.wiring).begin("monitor", "d1")
    answer = world.alert(world.order())
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "5")
    assert world.wiring.store.jobs() == []


@pytest.mark.parametrize(("minutes", "again"), [(-0.5, False), (0.5, False), (-2.0, True), (2.0, True), (-600.0, True)])
def test_a_delivery_that_was_cut_off_can_be_repeated_whatever_became_of_the_clock(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, minutes: float, again: bool
) -> None:
    world = serve()
    known, now = deliveries(world.wiring), world.wiring.clock.now()
    assert known.begin("monitor", "d1") is None
    monkeypatch.setattr(world.wiring.clock, "now", lambda: now + timedelta(minutes=minutes))
    assert (known.begin("monitor", "d1") is None) is again


def test_old_deliveries_are_forgotten(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    world = serve(server={"deliveries_days": 1.0})
    world.alert(world.order())
    known = deliveries(world.wiring)
    now = world.wiring.clock.now()

    def after(days: float) -> Delivered | None:
        monkeypatch.setattr(world.wiring.clock, "now", lambda: now + timedelta(days=days))
        known.begin("monitor", f"another {days}")
        return known.begin("monitor", "d1")

    assert after(0.9) is not None
    assert after(1.1) is None


def test_an_alert_about_an_overlapping_range_joins_the_job_that_waits(serve: Serve) -> None:
    world = serve()
    middle = world.wiring.repository(str(world.wiring.settings.repositories[0].location)).resolve("main~2").sha
    assert world.alert(world.order()).status_code == 202
    answer = world.alert(world.order(good=middle), delivery="d2")
    assert (answer.status_code, answer.json()) == (200, {"jobs": [{"job": "1", "new": False, "joined": True}]})
    page = world.client.get("/jobs/1", headers={"accept": "text/html"}).text
    assert "Alerts that joined it" in page
    assert middle[:10] in page
    assert "it waits for this answer" in page
    (joined,) = world.client.get("/v1/jobs/1").json()["joined"]
    assert (joined["good"], joined["bad"], joined["fate"], joined["job"]) == (middle, world.bad, "waiting", None)
    other = world.alert({**world.order(good=middle), "metric": "elsewhere"}, delivery="d3")
    assert other.status_code == 422, "what is not configured joins nothing"
    world.wiring.queue.cancel("1")
    with TestClient(create_app(service_of(world.wiring, world.wiring.settings, ()))):
        until(lambda: len(world.wiring.store.jobs()) == 2)
    request = world.wiring.store.job("2").request
    assert (request.good, request.bad) == (middle, world.bad)
    (joined,) = world.client.get("/v1/jobs/1").json()["joined"]
    assert (joined["fate"], joined["job"]) == ("own", "2")
    assert "this does not answer it, job 2 is to" in world.client.get("/jobs/1", headers={"accept": "text/html"}).text
