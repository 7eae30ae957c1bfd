"""Whatever breaks while a comment is answered, it is answered once."""

from collections.abc import Iterator
from typing import Any

import pytest

from bisector.engine.bot import MOST_FAILURES
from bisector.engine.job import JobState
from tests.entry.server.bots import Rig, bot_on, rig_of
from tests.entry.server.conftest import Serve


@pytest.fixture
def rig(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with bot_on(serve, monkeypatch) as made:
        yield made


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
