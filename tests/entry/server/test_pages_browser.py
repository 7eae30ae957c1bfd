"""The pages in a real browser, clicked as a person would, at a desk and on a phone."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from bisector.adapters.in_memory.world import World as Simulated
from bisector.core.model.facts import Fact
from bisector.core.model.request import Request
from bisector.core.watch.moves import Accepted, AcceptedBy, Searched
from bisector.core.watch.nights import Night
from bisector.engine.job import JobState
from bisector.report.sentence import sentence_of
from bisector.wiring.service import series_log
from tests.entry.server.conftest import Serve, World
from tests.helpers.browser import FLAGS, PHONE, Tab, browser_program, browsing
from tests.helpers.lines import name
from tests.helpers.simulated import Simulation

pytestmark = pytest.mark.browser
LONG = "a-scenario-whose-name-somebody-thought-was-a-good-idea/" + "x" * 120
SWEEP = {"name": "nightly", "repository": "shop", "scenarios": ["level"], "cron": "0 2 * * *"}
Opened = Callable[[str], str]


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with browsing() as made:
        yield made


@contextmanager
def listening(world: World) -> Iterator[str]:
    """The server on a port; its address."""
    app = world.client.app
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def searched() -> tuple[Request, list[Fact], str]:
    """A question with all facts of a job that answered it, and the answer."""
    simulation = Simulation(Simulated(candidates=24, culprit=9))
    try:
        done = simulation.run()
        asked = replace(done.request, repository=simulation.ports.repository.location)
        return asked, simulation.ports.store.facts(done.job), sentence_of(done)
    finally:
        simulation.close()


def begun(world: World, request: Request, facts: list[Fact]) -> str:
    """A job that is under way."""
    job = world.wiring.store.create(request)
    world.wiring.store.set_state(job, JobState.RUNNING)
    world.wiring.store.append_together(job, facts)
    return job


def ended(world: World, request: Request, facts: list[Fact], sentence: str) -> str:
    """A job that is done."""
    job = begun(world, request, facts)
    world.wiring.store.set_state(job, JobState.DONE, sentence)
    return job


def test_jobs_are_found_opened_and_their_report_is_read(serve: Serve, tab: Tab) -> None:
    world = serve()
    request, facts, sentence = searched()
    done = ended(world, replace(request, scenario=replace(request.scenario, name="parse-big")), facts, sentence)
    other = world.wiring.store.create(request)
    with listening(world) as url:
        tab.open(url)
        assert _jobs(tab) == [f"job {other}", f"job {done}"]
        tab.click("done")
        assert (tab.path, _jobs(tab)) == ("/?state=done", [f"job {done}"])
        tab.write("input[type=search]", "big")
        tab.click("Find")
        tab.until(lambda: "text=" in tab.path, "what was asked for")  # sending a form may begin after the click
        assert (tab.path, _jobs(tab)) == ("/?state=done&text=big", [f"job {done}"])
        tab.click("queued")
        assert "No job is like that" in tab.text
        tab.open(url)
        tab.click("Commit" if sentence.startswith("Commit") else "Merge")
        assert tab.path == f"/jobs/{done}"
        assert "Culprit found" in tab.text
        tab.click("The whole report")
        assert tab.path == f"/v1/jobs/{done}/report"
        assert "How sure" in tab.text
        assert "verified by fresh runs" in tab.text


def test_a_job_is_seen_to_narrow_without_being_asked_again(serve: Serve, tab: Tab) -> None:
    world = serve()
    request, facts, sentence = searched()
    half = len(facts) // 2
    job = begun(world, request, facts[:half])
    with listening(world) as url:
        tab.open(f"{url}/jobs/{job}")
        tab.run("window.kept = true; document.querySelector('nav a').focus()")
        assert "No answer yet" in tab.text
        assert "Cancel" in tab.text
        known = tab.text
        # Before the stream has begun: it is asked for from what the page shows, and misses nothing.
        world.wiring.store.append_together(job, facts[half : half + 6])
        tab.until(lambda: tab.text != known, "the first facts")
        world.wiring.store.append_together(job, facts[half + 6 :])
        world.wiring.store.set_state(job, JobState.DONE, sentence)
        tab.until(lambda: "Culprit found" in tab.text, "the answer")
        assert "Cancel" not in tab.text
        assert tab.run("return window.kept") is True, "the page was loaded anew"
        assert tab.run("return document.title").startswith("Culprit found")


def test_the_history_of_a_scenario(serve: Serve, tab: Tab) -> None:
    world = serve(sweeps=[SWEEP])
    request, facts, sentence = searched()
    job = ended(world, request, facts, sentence)
    log, series = series_log(world.wiring), "shop/main/level/seconds@default"
    assert log.append(series, 0, Accepted(commit=name(1), time=0.0, by=AcceptedBy.START))
    for number in range(1, 6):
        night = Night(time=86400.0 * number, tip=name(number + 1), values=(1.1, 1.2, 1.3), reference=(1.0, 1.0, 1.0))
        assert log.append(series, number, night)
    assert log.append(series, 6, Searched(good=name(1), bad=name(6), time=86400.0 * 5, job=job, worse=True))
    with listening(world) as url:
        tab.open(f"{url}/scenarios")
        assert "1 open regression" in tab.text
        tab.click("level")
        assert tab.path == "/scenarios/level"
        assert tab.run("return document.querySelectorAll('.wide svg.plot .run.new').length") >= 5
        assert "bisector sweep accept" in tab.text
        tab.click(sentence[:20])
        assert tab.path == f"/jobs/{job}"


def test_no_page_is_wider_than_a_phone(serve: Serve, tab: Tab, tmp_path: Path) -> None:
    broken = tmp_path / "more" / f"broken-{'y' * 100}"
    broken.mkdir(parents=True)
    (broken / "scenario.toml").write_text("x = 1")
    world = serve(sweeps=[SWEEP], scenario_dirs=[str(tmp_path / "more")])
    request, facts, sentence = searched()
    named = replace(request, scenario=replace(request.scenario, name=LONG), repository="/srv/" + "r" * 150)
    done, running = ended(world, named, facts, sentence + "Z" * 200), begun(world, named, facts[: len(facts) // 2])
    world.client.post("/v1/jobs", json=world.order())
    with listening(world) as url:
        pages = ["/", "/queue", "/scenarios", "/scenarios/level", f"/scenarios/{LONG}", "/login"]
        pages += ["/weekly", "/messages"]
        for path in (*pages, f"/scenarios/{broken.name}", f"/jobs/{done}", f"/jobs/{running}", "/nowhere"):
            tab.open(url + path, width=PHONE)
            assert tab.overflow <= 0, path


def test_a_live_page_comes_to_rest(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that waits for the network to be quiet before it takes a picture gets its picture."""
    monkeypatch.setattr("bisector.server.streams.LIFE_SECONDS", 1.0)
    world, picture = serve(), tmp_path / "page.png"
    with listening(world) as url:
        flags = (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000")
        command = [browser_program(), *flags, f"--screenshot={picture}", url]
        subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert picture.stat().st_size > 1000


def test_forgotten_tabs_leave_the_server_to_others(serve: Serve, tab: Tab) -> None:
    """A browser has six connections to a server; a page that nobody looks at keeps none of them."""
    world = serve()
    with listening(world) as url:
        tab.open(url)
        tab.run(
            "window.streams = 0; const made = EventSource; window.EventSource = function (...all) "
            "{ window.streams += 1; return new made(...all); }"
        )
        hide = "Object.defineProperty(document, 'hidden', {configurable: true, value: %s});"
        tab.run(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
        time.sleep(1.5)
        assert tab.run("return window.streams") == 0
        tab.run(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
        assert tab.run("return window.streams") == 1


def _jobs(tab: Tab) -> list[str]:
    found: list[str] = tab.run("return [...document.querySelectorAll('ol.jobs .id')].map((each) => each.innerText)")
    return found
