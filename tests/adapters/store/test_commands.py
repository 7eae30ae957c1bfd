"""One contract for the commands in comments on every database."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_commands import CLAIM, SqlCommands
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import SqlStore
from bisector.adapters.store.tables import commands as rows
from bisector.engine.commands import Noted, Taken, asked_by
from bisector.engine.job import JobState
from bisector.engine.queue import Limits, Order
from bisector.formats.alerts.comments import Comment
from tests.helpers.asking import REQUEST

COMMENT = Comment(
    repository="octo/shop",
    issue=7,
    pull_request=True,
    comment=3_000_000_000,
    login="alice",
    user=11,
    written=1795777200.5,
    line="@bisector compare ✓",
)
NOTED = Noted(repository="shop", comment=COMMENT)


class Rig:
    """The comments, and another server's view of them."""

    def __init__(self, url: str) -> None:
        self.databases = Database(url), Database(url)
        self.here, self.there = (SqlCommands(each, SystemClock()) for each in self.databases)
        self.store = SqlStore(self.databases[0], SystemClock())
        self.queue = SqlQueue(self.databases[0], SystemClock(), Limits())

    def take(self) -> Taken:
        taken = self.here.claim()
        assert taken is not None
        return taken

    def later(self, seconds: float) -> None:
        with self.databases[0].writing() as connection:
            connection.execute(rows.update().values(due_at=rows.c.due_at - seconds))


@pytest.fixture
def rig(url: str) -> Iterator[Rig]:
    made = Rig(url)
    yield made
    for database in made.databases:
        database.close()


def test_a_comment_is_noted_once_and_comes_back_as_it_was(rig: Rig) -> None:
    assert rig.here.note(NOTED)
    assert not rig.there.note(replace(NOTED, comment=replace(COMMENT, line="another")))
    assert rig.there.note(replace(NOTED, repository="other"))
    assert rig.take().noted == NOTED


def test_an_answer_follows_its_job_to_the_end(rig: Rig) -> None:
    rig.here.note(NOTED)
    taken = rig.take()
    job = rig.queue.enqueue(REQUEST, Order()).job
    assert rig.here.follow(taken, job)
    rig.here.shown(taken, "queued", 41, last=False)
    assert rig.here.claim() is None, "nothing changed"
    rig.store.set_state(job, JobState.RUNNING)
    again = rig.take()
    assert (again.job, again.answer, again.attempt) == (job, 41, 2)
    rig.here.shown(again, "running", 41, last=False)
    rig.store.set_state(job, JobState.DONE)
    rig.here.shown(rig.take(), "done", 41, last=True)
    rig.later(10**6)
    assert rig.here.claim() is None


def test_of_many_servers_one_has_each_comment(rig: Rig) -> None:
    for number in range(20):
        rig.here.note(replace(NOTED, comment=replace(COMMENT, comment=number)))

    def take(number: int) -> list[int]:
        taken = []
        while (claimed := (rig.here if number % 2 else rig.there).claim()) is not None:
            taken.append(claimed.row)
        return taken

    with ThreadPoolExecutor(4) as pool:
        found = Counter(row for taken in pool.map(take, range(4)) for row in taken)
    assert len(found) == 20
    assert set(found.values()) == {1}


def test_whoever_wakes_up_late_changes_nothing(rig: Rig) -> None:
    rig.here.note(NOTED)
    slow = rig.take()
    assert rig.there.claim() is None
    rig.later(CLAIM + 1)
    quick = rig.there.claim()
    assert quick is not None
    assert not rig.here.still_ours(slow)
    assert not rig.here.follow(slow, rig.queue.enqueue(REQUEST, Order()).job)
    rig.here.close(slow, "late")
    rig.here.put_off(slow, "late", 1000.0)
    assert rig.there.still_ours(quick)


def test_a_job_whose_server_died_before_it_was_noted_is_found(rig: Rig) -> None:
    rig.here.note(NOTED)
    taken = rig.take()
    other = rig.queue.enqueue(REQUEST, Order(asked_by="somebody")).job
    mine = rig.queue.enqueue(REQUEST, Order(asked_by=asked_by(taken.noted))).job
    rig.queue.cancel(mine)
    rig.later(CLAIM + 1)
    assert rig.take().job == mine != other


def test_what_was_put_off_comes_again(rig: Rig) -> None:
    rig.here.note(NOTED)
    rig.here.put_off(rig.take(), "away", 100.0)
    assert rig.here.claim() is None
    rig.later(101)
    assert rig.take().failures == 1
