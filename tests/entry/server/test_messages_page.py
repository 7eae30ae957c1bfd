"""The outbox on the server's pages and among its figures."""

import re
from pathlib import Path

import pytest
from sqlalchemy import update

from bisector.adapters.store.tables import outbox as rows
from bisector.engine.notify import Fate, Note
from bisector.server import messages
from bisector.server.messages import STATES
from bisector.wiring.notify import make_outbox
from tests.entry.server.conftest import Serve, World


def noted(world: World, number: int = 1, target: str = "file") -> None:
    """Messages about a job of their own each."""
    request = world.wiring.store.job("1").request
    outbox = make_outbox(world.wiring)
    for index in range(number):
        job = world.wiring.store.create(request)
        outbox.note([Note(job=job, target=target, subject=f"s{job}{index}", told="t", wanted=True)])


@pytest.fixture
def world(serve: Serve, tmp_path: Path) -> World:
    made = serve(notify=[{"kind": "file", "directory": str(tmp_path / "answers")}])
    made.client.post("/v1/jobs", json=made.order())
    return made


def test_every_fate_has_its_words() -> None:
    assert set(STATES) == set(Fate)


def test_without_targets_the_page_says_how_to_name_one(serve: Serve) -> None:
    page = serve().client.get("/messages").text
    assert "Nobody. Targets are <code>[[notify]]</code>" in page
    assert 'aria-current="page">Messages' in page


def test_what_is_queued_failing_and_sent_is_told_apart(world: World) -> None:
    before = world.client.get("/messages").text
    assert "none yet" in before
    noted(world, 3)
    outbox = make_outbox(world.wiring)
    first = outbox.claim(["file"], ["file"])
    assert first is not None
    assert outbox.begin(first)
    outbox.settle(first, Fate.SENT)
    second = outbox.claim(["file"], ["file"])
    assert second is not None
    outbox.settle(second, Fate.WAITING, "the receiver <b>answered</b> 503", after=900.0)
    page = world.client.get("/messages").text
    assert "2 queued, 1 sent" in page
    assert '<span class="state done">sent</span>' in page
    assert '<span class="state queued">queued</span>' in page
    assert '<span class="state paused">failed, tried again</span>' in page
    assert "the receiver &lt;b&gt;answered&lt;/b&gt; 503" in page
    assert page.count('data-label="Next try"') == 1
    due = re.search(r'data-label="Next try"><time datetime="([^"]+)"', page)
    assert due is not None
    # Nothing but what is asked for.
    sent = world.client.get("/messages?state=sent").text
    assert sent.count('<span class="state') == 1
    assert f'href="/jobs/{first.job}"' in sent
    assert "No message stands so." in world.client.get("/messages?state=given_up").text
    assert world.client.get("/messages?state=<script>").text.count("<script") == 1


@pytest.mark.parametrize("fate", Fate)
def test_every_fate_can_be_shown_and_filtered_by(world: World, fate: Fate) -> None:
    noted(world)
    with world.wiring.database.writing() as connection:
        connection.execute(update(rows).values(fate=fate))
    assert f">{STATES[fate][0]}</span>" in world.client.get(f"/messages?state={fate.name.lower()}").text
    assert f'bisector_messages{{state="{fate.name.lower()}",target="file"}} 1.0' in world.client.get("/metrics").text


def test_a_target_that_was_taken_out_is_still_accounted_for(world: World) -> None:
    noted(world, target="old chat")
    page = world.client.get("/messages").text
    assert "no longer configured" in page
    assert "<bdi>old chat</bdi>" in page
    assert "none yet" in page, "of the one that is"


def test_of_many_messages_so_many_are_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_LISTED", 2)
    noted(world, 5)
    page = world.client.get("/messages").text
    assert page.count('<span class="state') == 2
    assert "3 more" in page


def test_messages_and_their_stream_need_the_token(serve: Serve) -> None:
    world = serve(server={"token_env": ["SERVER_TOKEN"]})
    assert world.client.get("/messages").status_code == 401
    assert world.client.get("/messages/events").status_code == 401


def test_figures_of_what_was_made(world: World) -> None:
    text = world.client.get("/metrics").text
    for line in (
        'bisector_runs_total{outcome="ok"} 0.0',
        'bisector_builds_total{outcome="build_failed"} 0.0',
        "bisector_run_seconds_total 0.0",
        "bisector_build_seconds_total 0.0",
        "bisector_builds_reused_total 0.0",
        "bisector_leases_lost_total 0.0",
        "# TYPE bisector_runs_total counter",
        "# TYPE bisector_messages gauge",
    ):
        assert line in text
