"""One contract for the outbox on every database."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_outbox import CLAIM, SqlOutbox
from bisector.adapters.store.tables import outbox as rows
from bisector.engine.notify import Claimed, Fate, Note
from tests.helpers.asking import REQUEST


@dataclass
class Rig:
    """An outbox, and a second server's."""

    database: Database
    other: Database

    def __post_init__(self) -> None:
        self.outbox = SqlOutbox(self.database, SystemClock())
        self.second = SqlOutbox(self.other, SystemClock())

    def note(self, *, target: str = "chat", subject: str = "s", told: str = "t", wanted: bool = True) -> str:
        from bisector.adapters.store.sql_store import SqlStore

        job = SqlStore(self.database, SystemClock()).create(REQUEST)
        self.outbox.note([Note(job=job, target=target, subject=subject, told=told, wanted=wanted)])
        return job

    def claim(self, outbox: SqlOutbox | None = None, *, repeatable: tuple[str, ...] = ()) -> Claimed | None:
        return (outbox or self.outbox).claim(["chat", "file"], repeatable)

    def tell(self, fate: Fate = Fate.SENT) -> str:
        claimed = self.claim()
        assert claimed is not None
        assert self.outbox.begin(claimed)
        self.outbox.settle(claimed, fate)
        return claimed.job

    def later(self, seconds: float) -> None:
        with self.database.writing() as connection:
            connection.execute(rows.update().values(due_at=rows.c.due_at - seconds))

    def fates(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.execute(select(rows.c.fate).order_by(rows.c.id)).scalars())


@pytest.fixture
def rig(url: str) -> Iterator[Rig]:
    made = Rig(Database(url), Database(url))
    yield made
    made.database.close()
    made.other.close()


def test_a_message_is_noted_once(rig: Rig) -> None:
    job = rig.note()
    rig.second.note([Note(job=job, target="chat", subject="s", told="other", wanted=True)])
    assert rig.fates() == [Fate.WAITING]
    assert rig.tell() == job
    rig.outbox.note([Note(job=job, target="chat", subject="s", told="t", wanted=True)])
    assert rig.fates() == [Fate.SENT]
    assert rig.claim() is None


def test_of_many_senders_one_has_each_message(rig: Rig) -> None:
    for number in range(40):
        rig.note(subject=f"s{number}")

    def take(number: int) -> list[int]:
        taken = []
        while (claimed := rig.claim(rig.outbox if number % 2 else rig.second)) is not None:
            taken.append(claimed.row)
        return taken

    with ThreadPoolExecutor(6) as pool:
        found = Counter(row for taken in pool.map(take, range(6)) for row in taken)
    assert len(found) == 40
    assert set(found.values()) == {1}


def test_a_sender_that_wakes_up_late_tells_nothing(rig: Rig) -> None:
    rig.note()
    slow = rig.claim()
    assert slow is not None
    assert rig.claim(rig.second) is None
    rig.later(CLAIM + 1)
    quick = rig.claim(rig.second)
    assert quick is not None
    assert quick.attempt == slow.attempt + 1
    assert not rig.outbox.begin(slow)
    assert rig.second.begin(quick)
    rig.outbox.settle(slow, Fate.GIVEN_UP)
    assert rig.fates() == [Fate.SENDING]


@pytest.mark.parametrize("repeatable", [True, False])
def test_what_was_leaving_when_its_sender_was_lost(rig: Rig, repeatable: bool) -> None:
    rig.note()
    claimed = rig.claim()
    assert claimed is not None
    assert rig.outbox.begin(claimed)
    names = ("chat",) if repeatable else ()
    assert rig.claim(rig.second, repeatable=names) is None, "it may still be on its way"
    rig.later(CLAIM + 1)
    again = rig.claim(rig.second, repeatable=names)
    assert (again is not None) == repeatable
    assert rig.fates() == [Fate.CLAIMED if repeatable else Fate.UNSURE]


def test_only_a_change_is_told(rig: Rig) -> None:
    for told, wanted in (("a", True), ("a", True), ("", False), ("a", True), ("b", True), ("", True), ("a", True)):
        rig.note(told=told, wanted=wanted)
    rig.note(told="a", subject="another")
    rig.note(told="a", target="file")
    while (claimed := rig.claim()) is not None:
        rig.outbox.begin(claimed)
        rig.outbox.settle(claimed, Fate.SENT)
    sent, silent, again = Fate.SENT, Fate.SKIPPED, Fate.REPEATED
    assert rig.fates() == [sent, again, silent, again, sent, sent, sent, sent, sent]


def test_what_a_target_does_not_want_comes_between_all_the_same(rig: Rig) -> None:
    for told, wanted in (("found", True), ("gone", False), ("found", True)):
        rig.note(told=told, wanted=wanted)
    rig.tell()
    rig.tell()
    assert rig.fates() == [Fate.SENT, Fate.SKIPPED, Fate.SENT]


def test_what_never_arrived_is_no_repetition(rig: Rig) -> None:
    rig.note()
    rig.note()
    rig.tell(Fate.GIVEN_UP)
    rig.tell()
    assert rig.fates() == [Fate.GIVEN_UP, Fate.SENT]


def test_messages_about_one_thing_go_in_their_order(rig: Rig) -> None:
    rig.note(told="a")
    rig.note(told="b")
    other = rig.note(subject="another")
    first = rig.claim()
    assert first is not None
    rig.outbox.settle(first, Fate.WAITING, "not now", after=60.0)
    assert rig.tell() == other
    assert rig.claim() is None
    rig.later(61)
    assert rig.tell() == first.job
    rig.tell()
    assert rig.fates() == [Fate.SENT] * 3


def test_a_clock_that_was_set_back_does_not_put_messages_off_for_ever(rig: Rig) -> None:
    rig.note()
    rig.later(-400 * 24 * 3600.0)
    rig.tell()


def test_messages_are_counted(rig: Rig) -> None:
    rig.note()
    rig.note(subject="x")
    rig.note(target="file", wanted=False)
    counts = {(count.target, count.fate): count.messages for count in rig.outbox.counts()}
    assert counts == {("chat", Fate.WAITING): 2, ("file", Fate.SKIPPED): 1}


def test_messages_are_listed_with_what_is_still_to_leave_first(rig: Rig) -> None:
    failing = rig.note(subject="a")
    claimed = rig.claim()
    assert claimed is not None
    rig.outbox.settle(claimed, Fate.WAITING, "the receiver answered 503", after=60.0)
    sent = rig.note(subject="b")
    assert rig.tell() == sent
    skipped = rig.note(target="file", subject="c", wanted=False)
    queued = rig.note(subject="d")
    found = rig.outbox.messages(10)
    assert [message.job for message in found] == [queued, failing, skipped, sent]
    assert [message.fate for message in found] == [Fate.WAITING, Fate.WAITING, Fate.SKIPPED, Fate.SENT]
    told = found[1]
    assert (told.target, told.attempts, told.reason) == ("chat", 1, "the receiver answered 503")
    assert 55 < told.due - told.noted < 90
    assert [message.job for message in rig.outbox.messages(10, Fate.SENT)] == [sent]
    assert [message.job for message in rig.outbox.messages(1)] == [queued]
