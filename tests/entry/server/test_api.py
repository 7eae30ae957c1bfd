"""Orders in, jobs and answers out; who may come in."""

import re
from dataclasses import replace

import pytest
from jsonschema import validate

from bisector.engine.job import JobState
from bisector.report.json_export import result_schema
from bisector.server.guard import COOKIE
from tests.entry.server.conftest import TOKEN, Serve, World


def test_an_order_and_what_can_be_done_with_its_job(serve: Serve) -> None:
    world = serve()
    ordered = world.client.post("/v1/jobs", json=world.order())
    assert ordered.status_code == 202
    assert ordered.headers["location"] == "/v1/jobs/1"
    job = ordered.json()
    assert (job["id"], job["state"], job["priority"], job["scenario"]) == ("1", "queued", "person", "level")
    assert world.client.post("/v1/jobs", json=world.order()).status_code == 200
    assert world.client.get(job["links"]["self"]).json() == job
    assert [row["id"] for row in world.client.get("/v1/jobs").json()] == ["1"]
    assert world.client.get("/v1/jobs?state=done").json() == []
    validate(world.client.get(job["links"]["result"]).json(), result_schema())
    assert "Reproduce:" in world.client.get("/v1/jobs/1/report.md").text
    cancelled = world.client.post("/v1/jobs/1/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = world.client.post("/v1/jobs/1/rerun")
    assert (again.status_code, again.json()["id"]) == (202, "2")
    requests = [world.wiring.store.job(job).request for job in ("1", "2")]
    assert [request.reuse_samples for request in requests] == [True, False], "fresh samples are what it says"
    assert replace(requests[0], reuse_samples=False) == requests[1]


@pytest.mark.parametrize("what", ["cancel", "rerun"])
def test_what_is_not_there_cannot_be_stopped_or_asked_again(serve: Serve, what: str) -> None:
    assert serve().client.post(f"/v1/jobs/77/{what}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1/jobs/77", "/v1/jobs/x", "/v1/jobs/77/result", "/v1/jobs/77/report", "/v1/nothing"]
)
def test_what_is_not_there(serve: Serve, path: str) -> None:
    answer = serve().client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    "changed", [{"good": "main"}, {"good": None}, {"repository": "-x"}, {"priority": "root"}, {"command": "rm"}]
)
def test_an_order_that_is_not_one(serve: Serve, changed: dict[str, object]) -> None:
    world = serve()
    assert world.client.post("/v1/jobs", json=world.order(**changed)).status_code == 422
    assert world.wiring.store.jobs() == []


def test_without_the_token_nothing_is_shown(serve: Serve) -> None:
    world = serve(server={"token_env": ["SERVER_TOKEN"]})
    for path in ("/v1/jobs", "/", "/metrics", "/v1/openapi.json", "/events"):
        assert world.client.get(path).status_code == 401, path
    assert world.client.post("/v1/jobs", json=world.order()).status_code == 401
    for wrong in (b"Bearer wrong", b"Bearer ", b"Basic " + TOKEN.encode(), "Bearer é".encode()):
        assert world.client.get("/v1/jobs", headers={b"authorization": wrong}).status_code == 401
    assert world.client.get("/v1/jobs", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert world.client.get("/health").status_code == 200
    assert world.alert(world.order()).status_code == 202, "a hook proves itself otherwise"


def test_a_browser_is_asked_for_the_token_once(serve: Serve) -> None:
    world = serve(server={"token_env": ["SERVER_TOKEN"]})
    html = {"accept": "text/html"}
    asked = world.client.get("/", headers=html, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    assert "password" in world.client.get("/login", headers=html).text
    wrong = world.client.post("/login", data={"token": "wrong"}, headers=html)
    assert "password" in wrong.text
    right = world.client.post("/login", data={"token": TOKEN}, headers=html, follow_redirects=False)
    kept = right.headers["set-cookie"]
    assert kept.startswith(f"{COOKIE}=")
    assert "HttpOnly" in kept
    assert "strict" in kept.lower()
    assert world.client.get("/", headers=html).status_code == 200


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_sites_page_changes_nothing(serve: Serve, headers: dict[str, str]) -> None:
    world = serve()
    world.client.post("/v1/jobs", json=world.order())
    assert world.client.post("/jobs/1/cancel", headers=headers).status_code == 403
    assert world.client.post("/v1/jobs/1/cancel", headers=headers).status_code == 403
    assert world.client.get("/v1/jobs/1").json()["state"] == "queued"
    own = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}
    assert world.client.post("/jobs/1/cancel", headers=own, follow_redirects=False).status_code == 303
    assert world.client.get("/v1/jobs/1").json()["state"] == "cancelled"


def test_figures_for_prometheus(serve: Serve) -> None:
    world = serve()
    world.client.post("/v1/jobs", json=world.order())
    text = world.client.get("/metrics").text
    assert 'bisector_queue_jobs{host_class="default",priority="person",state="waiting"} 1.0' in text
    assert 'bisector_jobs{state="queued"} 1.0' in text
    assert world.client.get("/ready").json() == {"status": "ready"}


def test_a_long_list_is_shown_page_by_page(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    world = serve()
    world.client.post("/v1/jobs", json=world.order())
    request = world.wiring.store.job("1").request
    for _ in range(4):
        world.wiring.store.create(request)
    monkeypatch.setattr("bisector.server.listing.MOST_LISTED", 2)
    monkeypatch.setattr("bisector.server.listing.AT_ONCE", 2)
    for path in ("/?", "/?state=queued&", "/?text=level&", "/?state=queued&text=level&"):
        assert [listed(world, f"{path}{rest}") for rest in ("", "before=4", "before=2")] == ["54", "32", "1"]
        older = f"{path}before=4".replace("&", "&amp;")
        assert f'<a rel="next" href="{older}">Older</a>' in world.client.get(path).text
        assert "before=" not in world.client.get(f"{path}before=2").text
    assert "No job is like that" in world.client.get("/?state=done").text
    assert len(world.client.get("/v1/jobs?limit=2").json()) == 2
    assert [row["id"] for row in world.client.get("/v1/jobs?limit=2&state=queued").json()] == ["5", "4"]


def listed(world: World, path: str) -> str:
    """The numbers of the jobs on a page, in their order."""
    return "".join(re.findall(r'class="id">job (\d)<', world.client.get(path).text))


def state_of(world: World, job: int) -> str:
    """Where a job stands."""
    return str(world.client.get(f"/v1/jobs/{job}").json()["state"])


def test_a_person_asks_again_stops_and_goes_on_from_the_page(serve: Serve) -> None:
    world = serve()
    world.client.post("/v1/jobs", json=world.order())
    assert "/jobs/1/cancel" in world.client.get("/jobs/1").text
    world.client.post("/jobs/1/cancel")
    assert state_of(world, 1) == "cancelled"
    assert "/jobs/1/resume" in world.client.get("/jobs/1").text
    assert world.client.post("/jobs/1/resume", follow_redirects=False).headers["location"] == "/jobs/1"
    assert state_of(world, 1) == "queued"
    entry = world.wiring.queue.entry("1")
    assert entry is not None
    assert entry.order.asked_by == "api", "it is still for who asked first"
    assert world.client.post("/jobs/1/resume").status_code == 409
    world.wiring.store.set_state("1", JobState.RUNNING)
    world.wiring.store.set_state("1", JobState.DONE, "Done.")
    assert "/jobs/1/rerun" in world.client.get("/jobs/1").text
    assert world.client.post("/jobs/1/rerun", follow_redirects=False).headers["location"] == "/jobs/2"
    assert state_of(world, 2) == "queued"


def test_what_waits_for_a_host_that_is_not_there_is_said(serve: Serve) -> None:
    world = serve()
    world.client.post("/v1/jobs", json=world.order(host_class="arm64"))
    page = world.client.get("/queue").text
    assert "nobody works" in page
    assert "arm64" in page
    assert "bisector worker" in page


def test_pages_show_strangers_text_as_text(serve: Serve) -> None:
    world = serve()
    world.client.post("/v1/jobs", json=world.order())
    for path in ("/", "/?text=<script>alert(1)</script>", "/jobs/1", "/scenarios", "/scenarios/level", "/queue"):
        answer = world.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    (script,) = re.findall(r'<script src="([^"]*)"', world.client.get("/").text)
    assert script.startswith("/static/live.js?"), "a browser must not go on with the script of another version"
    assert "EventSource" in world.client.get(script).text
    assert "level" in world.client.get("/?text=level").text
    assert "No job is like that" in world.client.get("/?text=elsewhere").text
    assert "how long it takes" in world.client.get("/scenarios").text
