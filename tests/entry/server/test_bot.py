"""Commands in comments, from GitHub's event to the comment that answers it."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bisector.adapters.in_memory.world import World as Simulated
from bisector.adapters.store.tables import commands, jobs
from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Direction
from bisector.engine.bot import MOST_FAILURES, Bot
from bisector.engine.job import JobState
from bisector.engine.queue import Priority, WorkerKind
from bisector.engine.stop import StopSignal
from bisector.engine.worker import Worker
from bisector.errors import UsageError
from bisector.formats.facts import request_to_text
from bisector.server.app import create_app
from bisector.server.assembly import service_of
from bisector.settings import Settings
from tests.entry.server.conftest import Serve, World, github_signature
from tests.helpers.github import FORK, REPOSITORY, WRITTEN, GitHub, issue_comment
from tests.helpers.receiver import receiving, until
from tests.helpers.simulated import Simulation

SHOP = {"name": "shop", "runner": "local", "forge": "github", "web": "https://github.example/Octo/Shop"}

HOOKS = [{"source": "github", "secret_env": ["HOOK_SECRET"], "repository": "shop"}]


@dataclass
class Rig:
    """A server with a bot, and the GitHub that it talks to."""

    world: World
    github: GitHub
    bot: Bot
    sent: int = 0

    def say(self, body: str, **changed: Any) -> dict[str, Any]:
        """Somebody comments; what the hook answers."""
        event = issue_comment(body, **changed)
        self.sent += 1
        headers = {
            "x-github-event": "issue_comment",
            "x-github-delivery": f"g{self.sent}",
            "x-hub-signature-256": github_signature(event),
        }
        answer = self.world.client.post("/v1/hooks/github", content=event, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        document: dict[str, Any] = answer.json()
        return document

    def turn(self) -> int:
        return self.bot.turn(StopSignal())

    def jobs(self) -> list[str]:
        return [row.job for row in self.world.wiring.store.jobs()]

    def answer(self, issue: int = 7) -> str:
        """The bot's only comment."""
        (ours,) = self.github.ours(issue)
        return str(ours["body"])

    def later(self, seconds: float) -> None:
        """As if so much time had gone by for the comments."""
        with self.world.wiring.database.writing() as connection:
            connection.execute(commands.update().values(due_at=commands.c.due_at - seconds))

    def open_rows(self) -> int:
        with self.world.wiring.database.reading() as connection:
            return sum(not row.closed for row in connection.execute(commands.select()))


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def rig(serve: Serve, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setenv("BOT_TOKEN", github.token)
    plain = serve().wiring.settings.repositories[0].location
    with receiving() as receiver:
        receiver.answer = github
        world = serve(
            repositories=[{**SHOP, "location": plain}],
            hooks=HOOKS,
            bot={"token_env": "BOT_TOKEN", "api": receiver.url},
            server={"public_url": "https://bisector.example"},
        )
        github.pull(7, world.fork)
        yield rig_of(world, github)


def rig_of(world: World, github: GitHub) -> Rig:
    bot = service_of(world.wiring, world.wiring.settings, ()).bot
    assert bot is not None
    return Rig(world=world, github=github, bot=bot)


def of_fork(rig: Rig, **changed: Any) -> None:
    """The pull request is the commit that is on no configured branch."""
    rig.github.pull(7, rig.world.fork, head={**FORK, **changed})


def fenced(serve: Serve, rig: Rig) -> Rig:
    """The same where runs are made in containers."""
    settings = rig.world.wiring.settings
    location = settings.repositories[0].location
    assert settings.bot is not None
    world = serve(
        repositories=[{**SHOP, "location": location, "runner": "docker"}],
        hooks=HOOKS,
        bot={"token_env": "BOT_TOKEN", "api": settings.bot.api},
    )
    return rig_of(world, rig.github)


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


def test_a_forge_that_is_away_is_asked_again(rig: Rig) -> None:
    rig.github.down = 1
    rig.say("@bisector compare level")
    rig.turn()
    assert rig.jobs() == []
    assert rig.turn() == 0, "not at once"
    rig.later(60)
    rig.turn()
    assert rig.jobs() == ["1"]
    assert "It waits" in rig.answer()


def test_it_is_given_up_in_the_end(rig: Rig) -> None:
    rig.github.down = 10**6
    rig.say("@bisector compare level")
    for _ in range(MOST_FAILURES + 2):
        rig.later(10**5)
        rig.turn()
    assert len(rig.github.asked) == MOST_FAILURES
    assert rig.open_rows() == 0


def test_an_answer_that_was_lost_is_found_again_and_not_made_twice(rig: Rig) -> None:
    rig.say("@bisector compare level")
    rig.github.loses_answers = True
    rig.turn()
    rig.github.loses_answers = False
    rig.later(60)
    rig.turn()
    assert len(rig.github.ours(7)) == 1
    rig.world.wiring.store.set_state("1", JobState.RUNNING)
    rig.turn()
    assert "being measured" in rig.answer()


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ("@bisector compare level", "follow"),
        ("@bisector compare level", "still_ours"),
        ("@bisector compare level", "shown"),
        ("@bisector nonsense", "close"),
    ],
)
def test_killed_anywhere_it_is_done_once_all_the_same(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, said: str, where: str
) -> None:
    rig.say(said)

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.bot._ports.commands), where, die)
        with pytest.raises(Killed):
            rig.turn()
        assert rig.turn() == 0, "it is still believed to be seen to"
    if rig.jobs():
        # Nobody knows how long it takes until a server is there again: the job may have ended by then.
        rig.world.wiring.queue.cancel("1")
    rig.later(121)
    rig.turn()
    assert rig.jobs() == ([] if "nonsense" in said else ["1"])
    assert len(rig.github.ours(7)) == 1
    rig.later(121)
    assert rig.turn() == 0


PLACES = 14
"""Durable places, those of git apart, that a turn passes which queues a job for a comment and answers it."""


def passed_until(rig: Rig, monkeypatch: pytest.MonkeyPatch, last: int) -> list[str]:
    """The places that a turn passes; it dies at the last one, if it comes so far."""
    passed: list[str] = []

    def passing(place: str) -> None:
        if not place.partition(" ")[2].startswith("git "):
            passed.append(place)
            if len(passed) == last:
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("bisector.adapters.durable.passing", passing)
        try:
            rig.turn()
        except Killed:
            return passed
    return passed


def test_a_turn_passes_as_many_places_as_it_is_killed_at(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.say("@bisector compare level")
    assert len(passed_until(rig, monkeypatch, 0)) == PLACES


@pytest.mark.parametrize("number", range(1, PLACES + 1))
def test_killed_at_any_durable_place_a_comment_is_answered_once(
    number: int, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.say("@bisector compare level")
    place = passed_until(rig, monkeypatch, number)[-1]
    for _ in range(2):
        rig.later(121)
        rig.turn()
    assert rig.jobs() == ["1"], place
    assert len(rig.github.ours(7)) == 1, place


@pytest.mark.parametrize("where", ["_queued", "_answer"])
def test_what_another_server_has_by_now_is_left_to_it(rig: Rig, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    rig.say("@bisector compare level")
    other = rig_of(rig.world, rig.github)
    real = getattr(rig.bot, where)

    def slowly(*arguments: Any) -> Any:
        """It took so long that another server saw to it."""
        done = real(*arguments) if where == "_queued" else None
        rig.later(121)
        other.turn()
        return done or real(*arguments)

    monkeypatch.setattr(rig.bot, where, slowly)
    rig.turn()
    assert len(rig.github.ours(7)) == 1
    assert rig.jobs() == ["1"]
    assert [asked for asked in rig.github.asked if not asked.startswith("GET")] == [
        "POST /repos/octo/shop/issues/7/comments"
    ]


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
