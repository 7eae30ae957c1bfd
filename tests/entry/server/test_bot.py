"""Commands in comments, from GitHub's event to the comment that answers it."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World as Simulated
from bisector.adapters.store.tables import jobs
from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Direction
from bisector.engine.job import JobState
from bisector.engine.queue import Priority, WorkerKind
from bisector.engine.worker import Worker
from bisector.errors import UsageError
from bisector.formats.facts import request_to_text
from bisector.server.app import create_app
from bisector.server.assembly import service_of
from bisector.settings import Settings
from tests.entry.server.bots import HOOKS, SHOP, Rig, bot_on, fenced, of_fork
from tests.entry.server.conftest import Serve, github_signature
from tests.helpers.github import REPOSITORY, WRITTEN, issue_comment
from tests.helpers.receiver import until
from tests.helpers.simulated import Simulation


@pytest.fixture
def rig(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with bot_on(serve, monkeypatch) as made:
        yield made


def test_a_comparison_from_the_comment_to_the_table(rig: Rig) -> None:
    topic, wiring = rig.world.fork, rig.world.wiring
    assert rig.say("@bisector compare level") == {"jobs": [], "noted": True}
    rig.turn()
    request = wiring.store.job("1").request
    assert (request.kind, request.good, request.bad) == (JobKind.COMPARE, rig.world.good, topic)
    assert request.search.direction is Direction.EITHER
    assert [metric.name for metric in request.asked] == ["seconds"]
    asked = f"Comparing `{topic[:10]}` with `{rig.world.good[:10]}`, where it began, by `level`."
    assert rig.answer() == (
        f"<!-- bisector:comment-501 -->\n{asked}\n\nIt waits for its turn ([job 1](https://bisector.example/jobs/1)).\n"
    )
    assert rig.turn() == 0, "nothing changed"
    wiring.store.set_state("1", JobState.RUNNING)
    rig.turn()
    wiring.queue.cancel("1")
    rig.turn()
    measured_at_once(rig, "1")
    rig.turn()
    (ours,) = rig.github.ours(7)
    said = [body.split("\n\n")[1].split(" ([")[0] for body in ours["bodies"][:3]]
    assert said == ["It waits for its turn", "It is being measured", "It was cancelled"]
    assert len(ours["bodies"]) == 4
    table = re.search(
        r"\| metric \| before \| after \| change \| verdict \|\n\|:--\|--:\|--:\|:--\|:--\|\n"
        r"\| `seconds` \| [\d.]+ s \| [\d.]+ s \| \+[\d.]+ % \(\+[\d.]+ % to \+[\d.]+ %\) \| worse \|\n",
        ours["body"],
    )
    assert table is not None, ours["body"]
    assert (
        "[job 1](https://bisector.example/jobs/1) · [report](https://bisector.example/v1/jobs/1/report)" in ours["body"]
    )
    assert "<details><summary>The whole report</summary>" in ours["body"]
    assert rig.open_rows() == 0
    assert rig.turn() == 0


def measured_at_once(rig: Rig, job: str) -> None:
    """A worker does the job, in a simulated world in place of the repository: its last commit is slower."""
    wiring = rig.world.wiring
    simulation = Simulation(Simulated(candidates=1, culprit=1, effect=0.2))
    asked = replace(simulation.request(), kind=JobKind.COMPARE, repository=simulation.ports.repository.location)
    simulation.close()
    with wiring.database.writing() as connection:
        connection.execute(jobs.update().values(request=request_to_text(asked)))
    entry = wiring.queue.entry(job)
    assert entry is not None
    wiring.queue.put_back(job, entry.order)
    info = wiring.about_this_worker(WorkerKind.WORKER)
    worker = Worker(wiring.worker_ports(), info, lease=30.0, grace=1.0, tell=lambda _: None)
    with worker.registered():
        assert worker.once(job)


def test_a_search_between_refs(rig: Rig) -> None:
    rig.say("@bisector bisect main~4..HEAD level")
    rig.turn()
    assert "not a range of two refs" in rig.answer(), "git's own arithmetic is not for comments"
    rig.say(f"@bisector bisect {rig.world.good[:9]}..HEAD level", comment=502, issue=8, pull=False)
    rig.turn()
    request = rig.world.wiring.store.job("1").request
    assert (request.kind, request.good, request.bad) == (JobKind.BISECT, rig.world.good, rig.world.bad)
    assert (request.good_text, request.bad_text) == (rig.world.good[:9], "HEAD")
    entry = rig.world.wiring.queue.entry("1")
    assert entry is not None
    assert entry.order.priority is Priority.PERSON
    assert entry.order.asked_by == "comment 502 by alice on #8 of shop"
    assert "Searching between" in rig.answer(8)


def test_the_same_comment_is_one_job_however_often_it_comes(rig: Rig) -> None:
    rig.say("@bisector compare level")
    assert rig.say("@bisector compare level") == {"jobs": [], "ignored": "the comment is seen to already"}
    assert "ignored" in rig.say("@bisector compare level", action="edited")
    rig.turn()
    rig.world.wiring.queue.cancel("1")
    rig.say("@bisector compare level")
    rig.turn()
    assert rig.jobs() == ["1"]
    assert len(rig.github.ours(7)) == 1


@pytest.mark.parametrize("permission", ["read", "none", ""])
def test_who_may_not_write_gets_nothing(rig: Rig, caplog: pytest.LogCaptureFixture, permission: str) -> None:
    rig.github.permissions["mallory"] = (66, permission)
    with caplog.at_level(logging.WARNING):
        rig.say("@bisector compare level", login="mallory", user=66, association="OWNER")
        rig.say("@bisector nonsense", login="mallory", user=66, comment=502)
        rig.turn()
    assert rig.jobs() == []
    assert rig.github.comments == {}
    assert rig.open_rows() == 0
    assert "comment 501 by mallory on #7 of shop: no write access" in caplog.text


def test_a_name_that_somebody_else_has_by_now_is_nobody_s(rig: Rig) -> None:
    rig.say("@bisector compare level", user=12)
    rig.turn()
    assert rig.jobs() == []
    assert rig.github.comments == {}


def test_what_is_not_understood_is_answered_once(rig: Rig) -> None:
    rig.say("@bisector please @everyone `find` <it>")
    rig.turn()
    rig.later(10**6)
    rig.turn()
    (ours,) = rig.github.ours(7)
    assert len(ours["bodies"]) == 1
    assert "Nothing was started: ``not understood: please @everyone `find` <it>``." in ours["body"]
    assert "`@bisector compare [SCENARIO]` measures a pull request to `main`" in ours["body"]
    assert "`level`" in ours["body"].split("- scenarios: ")[1]
    assert rig.open_rows() == 0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("@bisector compare elsewhere", "no such scenario"),
        ("@bisector bisect main..elsewhere level", "elsewhere"),
        ("@bisector bisect main..fork level", "the commit is on none of the branches main"),
        ("@bisector bisect main..HEAD level", "good and bad are the same commit"),
    ],
)
def test_only_what_is_configured_is_done(rig: Rig, said: str, told: str) -> None:
    rig.github.pull(7, rig.world.bad)
    rig.say(said)
    rig.turn()
    assert told in rig.answer()
    assert rig.jobs() == []


def test_a_pull_request_to_another_branch_and_an_issue(rig: Rig) -> None:
    rig.github.pull(7, rig.world.bad, base="release")
    rig.say("@bisector compare")
    rig.say("@bisector compare", comment=502, issue=8, pull=False)
    rig.turn()
    assert "goes to a branch that is not configured" in rig.answer(7)
    assert "only a pull request can be compared" in rig.answer(8)
    assert rig.jobs() == []


def test_another_repository_s_comment_is_let_be(rig: Rig) -> None:
    answer = rig.say("@bisector compare", repository="octo/other")
    assert answer["ignored"] == "the comment is about no repository that is configured here"
    assert rig.turn() == 0


def test_a_fork_is_run_in_a_container_only(rig: Rig) -> None:
    of_fork(rig)
    rig.say("@bisector compare level")
    rig.turn()
    assert "measured without a container" in rig.answer()
    assert rig.jobs() == []


def test_the_pull_request_s_own_commits_are_built_and_no_others(rig: Rig, serve: Serve) -> None:
    rig = fenced(serve, rig)
    of_fork(rig)
    rig.say("@bisector compare level")
    rig.turn()
    request = rig.world.wiring.store.job("1").request
    assert (request.good, request.bad) == (rig.world.good, rig.world.fork)
    rig.github.pull(8, rig.world.bad)
    rig.say(f"@bisector bisect {rig.world.good}..{rig.world.fork} level", comment=502, issue=8)
    rig.turn()
    assert "the commit is on none of the branches main" in rig.answer(8)
    assert rig.jobs() == ["1"]


def test_what_was_pushed_after_the_comment_is_not_what_was_asked_for(rig: Rig, serve: Serve) -> None:
    rig = fenced(serve, rig)
    of_fork(rig, pushed_at="2026-11-27T11:00:01Z")
    rig.say("@bisector compare level", written=WRITTEN)
    rig.turn()
    assert "something was pushed to the fork after the comment" in rig.answer()
    assert rig.jobs() == []
    rig.github.pull(7, rig.world.fork, head={**REPOSITORY, "pushed_at": "2026-11-27T11:00:01Z"})
    rig.say("@bisector compare level", comment=502)
    rig.turn()
    assert rig.jobs() == ["1"], "whoever pushes here may write here"


def test_the_server_answers_while_it_runs(rig: Rig) -> None:
    from starlette.testclient import TestClient

    service = service_of(rig.world.wiring, rig.world.wiring.settings, ())
    with TestClient(create_app(service)):
        rig.say("@bisector compare level")
        until(lambda: rig.github.ours(7))


def test_without_a_bot_comments_are_let_be(serve: Serve) -> None:
    world = serve()
    event = issue_comment("@bisector compare")
    headers = {"x-github-event": "issue_comment", "x-hub-signature-256": github_signature(event)}
    answer = world.client.post("/v1/hooks/github", content=event, headers=headers)
    assert "nothing is done on the event 'issue_comment'" in answer.json()["ignored"]


def test_a_bot_that_could_not_hear_or_speak_is_a_mistake(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    with pytest.raises(ValueError, match=r"no hook has the source 'github'.*none has forge = 'github'"):
        Settings(bot={"token_env": "X"})
    world = serve()
    entry = {**SHOP, "location": world.wiring.settings.repositories[0].location}
    with pytest.raises(UsageError, match="NOT_SET"):
        serve(repositories=[entry], hooks=HOOKS, bot={"token_env": "NOT_SET"})
