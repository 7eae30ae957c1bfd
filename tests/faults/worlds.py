"""What makes a command on a simulated world draw the same numbers whenever it was interrupted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A change to the program for the length of a test's process."""

    why: str
    apply: Callable[[], None]


def put(owner: object, name: str, part: object) -> None:
    """Put a part of the program in the place of its own."""
    setattr(owner, name, part)


def _steady() -> None:
    """A run's noise and its time come from where in the job it is made, not from how many were made in this process."""
    from bisector.adapters.in_memory import runner
    from bisector.core.model.samples import Purpose, Sample
    from bisector.engine.work import Work

    def counts(fact: Any) -> bool:
        # A session that is opened again begins with warm-ups, and they are facts as well.
        return not (isinstance(fact, Sample) and fact.purpose is Purpose.WARMUP)

    position = {"facts": 0, "runs": 0}
    begin, learn, session = Work.__init__, Work._learn, runner._SimulatedSession
    run = session.run

    def begun(self: Work, *arguments: Any) -> None:
        begin(self, *arguments)
        position.update(facts=sum(map(counts, self.ports.store.facts(self.job))), runs=0)

    def learned(self: Work, fact: Any) -> None:
        learn(self, fact)
        position.update(facts=position["facts"] + counts(fact), runs=0)

    def drawn(self: Any) -> Any:
        self.runner._random.seed(f"{self.runner.world.seed} {position['facts']} {position['runs']}")
        position["runs"] += 1
        return run(self)

    def seconds(_self: Work) -> float:
        return 10.0 * position["facts"]

    steady: dict[type, dict[str, Any]] = {
        Work: {"__init__": begun, "_learn": learned, "elapsed": property(seconds), "since_created": property(seconds)},
        session: {"run": drawn},
    }
    for changed, parts in steady.items():
        for name, part in parts.items():
            put(changed, name, part)


def _until_done() -> None:
    """A worker ends once the job is done, by itself and without a signal."""
    from bisector.engine.worker import Worker

    def take(self: Worker) -> None:
        if self.once():
            return
        entry = self._ports.queue.entry("1")
        if entry is not None and entry.state == "ended":
            self.drain()
        else:
            self.pause(0.1)

    put(Worker, "_take_jobs", take)


STEADY = Change("noise and time by the place in the job", _steady)
UNTIL_DONE = Change("a worker ends with the job", _until_done)


def _each_statement() -> None:
    """Every statement that changes a database is a place of the seam, inside its transaction."""
    from sqlalchemy import Engine, event

    from bisector.adapters import durable

    def pass_by(when: str) -> Callable[..., None]:
        def noted(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.split(None, 1)[0].upper() in {"CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE"}:
                durable.passing(f"{when} a statement")

        return noted

    event.listen(Engine, "before_cursor_execute", pass_by("before"))
    event.listen(Engine, "after_cursor_execute", pass_by("after"))


def _in_pieces() -> None:
    """The same, and each statement is a transaction of its own, as SQLite's driver has it by itself."""
    from sqlalchemy import Engine, event

    def commit(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(None, 1)[0].upper() == "CREATE":
            driver = connection.connection.driver_connection
            driver.execute("COMMIT")
            driver.execute("BEGIN IMMEDIATE")

    event.listen(Engine, "after_cursor_execute", commit)
    _each_statement()


def _older() -> None:
    """The version before the newest migration, as far as the schema goes."""
    from bisector.adapters.store import database, tables

    put(database, "REVISIONS", tables.REVISIONS[:-1])
    put(database, "REVISION", tables.REVISIONS[-2])


def _sent_first() -> None:
    """A message is noted as sent before it leaves."""
    from bisector.adapters.store.sql_outbox import SqlOutbox
    from bisector.engine.notify import Fate

    begin = SqlOutbox.begin

    def begun(self: SqlOutbox, claimed: Any) -> bool:
        told = begin(self, claimed)
        self.settle(claimed, Fate.SENT)
        return told

    put(SqlOutbox, "begin", begun)


CHANGES = {
    "sent first": Change("a message that is lost with the process", _sent_first),
    "each statement": Change("places inside transactions", _each_statement),
    "in pieces": Change("a migration that is not one transaction", _in_pieces),
    "older": Change("a version that is older than the database", _older),
}
"""What a command may be told to differ in, by name."""
