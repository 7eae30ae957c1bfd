"""The database gone for ten seconds, a full queue, two servers: the right status, and nothing lost or done twice."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bisector.engine.queue import Priority
from bisector.engine.scheduler import scheduled
from bisector.wiring.service import sweeper
from tests.entry.server.conftest import Serve, World
from tests.helpers.postgres import server, wait_until
from tests.helpers.repositories import Sandbox

GONE = 10.0
NIGHTLY = {"name": "nightly", "repository": "shop", "scenarios": ["level"]}
SQLITE, POSTGRESQL = "sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))


@pytest.mark.slow
def test_a_database_that_is_gone_for_ten_seconds_costs_no_alert_and_no_sweep(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server() as database:
        world = serve(database_url=database.fresh(), sweeps=[NIGHTLY])
        told: list[str] = []
        with scheduled(sweeper(world.wiring, told.append), told.append, every=0.2):
            assert world.alert(world.order(), delivery="before").status_code == 202
            wait_until(lambda: "the series begins" in " ".join(told), 60, "the sweep to begin")
            database.stop()
            gone = time.monotonic()
            shop = Sandbox(Path(str(world.wiring.settings.repositories[0].location)))
            shop.write({"a.py": "pushed while nobody looked"})
            shop.commit("pushed")
            _assert_away(world)
            wait_until(lambda: "the database does not answer" in told[-1], 30, "the sweep to miss the database")
            time.sleep(max(0.0, GONE - (time.monotonic() - gone)))
            database.start()
            wait_until(lambda: world.client.get("/ready").status_code == 200, 30, "the server to be ready again")
            _assert_nothing_was_lost(world)
            # The night that was due meanwhile is asked for once, by the sweeper that missed the database.
            later = world.wiring.clock.now() + timedelta(days=1)
            monkeypatch.setattr(world.wiring.clock, "now", lambda: later)
            wait_until(lambda: _sweeps(world) == 1, 30, f"the sweep's job: {told[-1]}")
        assert "a defect of bisector" not in " ".join(told)


def _assert_away(world: World) -> None:
    """Whatever needs the database says when to come again; what does not goes on."""
    answers = [
        world.alert(world.order(), delivery="meanwhile"),
        world.client.post("/v1/jobs", json=world.order()),
        world.client.get("/v1/jobs"),
        world.client.get("/v1/jobs/1"),
        world.client.post("/v1/jobs/1/cancel"),
        world.client.get("/metrics"),
        world.client.get("/", headers={"accept": "text/html"}),
    ]
    assert [(answer.status_code, int(answer.headers["retry-after"]) > 0) for answer in answers] == [(503, True)] * 7
    assert all("Traceback" not in answer.text for answer in answers)
    assert "the database does not answer" in answers[0].json()["error"]
    ready = world.client.get("/ready")
    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "10")
    assert world.client.get("/health").status_code == 200


def _assert_nothing_was_lost(world: World) -> None:
    assert world.client.get("/v1/jobs/1").json()["state"] == "queued"
    again = world.alert(world.order(), delivery="meanwhile")
    assert (again.status_code, again.json()["jobs"]) == (200, [{"job": "1", "new": False}])
    known = world.alert(world.order(), delivery="before")
    assert (known.status_code, known.json()["repeated"]) == (200, True)
    other = world.client.post("/v1/jobs", json=world.order(bad=_commit(world, "main~2")))
    assert other.status_code == 202, "and new questions are taken"


def _sweeps(world: World) -> int:
    return sum(entry.order.priority is Priority.SWEEP for entry in world.wiring.queue.entries())


def _commit(world: World, ref: str) -> str:
    return world.wiring.repository(str(world.wiring.settings.repositories[0].location)).resolve(ref).sha


def test_an_order_for_a_full_queue_is_to_come_again(serve: Serve) -> None:
    world = serve(queue_limit=1)
    assert world.client.post("/v1/jobs", json=world.order()).status_code == 202
    order = world.order(bad=_commit(world, "main~1"))
    full = world.client.post("/v1/jobs", json=order)
    assert full.status_code == 429
    assert int(full.headers["retry-after"]) > 0
    assert world.client.post("/v1/jobs", json=world.order()).status_code == 200, "what waits already takes no room"
    assert len(world.wiring.store.jobs()) == 1
    world.client.post("/v1/jobs/1/cancel")
    assert world.client.post("/v1/jobs", json=order).status_code == 202


@pytest.mark.parametrize("database", [SQLITE, POSTGRESQL])
def test_two_servers_on_one_database_do_no_more_than_one(
    serve: Serve, request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    url = "" if database == "sqlite" else request.getfixturevalue("postgres").fresh()
    servers = [serve(database_url=url, cache_dir=tmp_path / f"cache-{number}") for number in range(2)]
    for world in servers:
        assert world.client.get("/ready").status_code == 200

    def send(number: int) -> tuple[int, str]:
        """The same alert ten times to each, and half of them under one delivery's name."""
        answer = servers[number % 2].alert(servers[0].order(), delivery="one" if number < 20 else f"own {number}")
        jobs = answer.json().get("jobs") or [{"job": ""}]
        return answer.status_code, jobs[0]["job"]

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(send, range(40)))
    # While the one that came first is worked on, the same delivery is asked to come again.
    assert {status for status, _ in answers} <= {200, 202, 409}
    assert sum(status == 202 for status, _ in answers) == 1
    made = [job.job for job in servers[1].wiring.store.jobs()]
    assert len(made) == 1
    assert {job for status, job in answers if status != 409} == set(made)
    assert servers[1].client.post(f"/v1/jobs/{made[0]}/cancel").json()["state"] == "cancelled"
    assert servers[0].client.get(f"/v1/jobs/{made[0]}").json()["state"] == "cancelled"
