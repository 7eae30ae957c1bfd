"""Mistakes, each made in the process of a test only, that the harness has to see: one that sees none proves nothing."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.worlds import Change, put

MUTANTS: dict[str, Change] = {}


def mutant(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Let a mistake be known by its name; what it says of itself is why it is one."""

    def known(apply: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[name] = Change(apply.__doc__ or name, apply)
        return apply

    return known


@mutant("written in place")
def _in_place() -> None:
    """A file is written under the name that others read it by."""
    from bisector.adapters import durable

    def write(path: Path, content: bytes, pending: Path | None = None) -> None:
        del pending
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            durable.passing("half of it is written")
            file.write(content[len(content) // 2 :])

    put(durable, "write_whole", write)


@mutant("row before file")
def _row_first() -> None:
    """A fact names a file that is written only after it."""
    from bisector.adapters import durable
    from bisector.adapters.store.artifacts import ArtifactFiles
    from bisector.adapters.store.sql_store import SqlStore

    waiting: list[tuple[ArtifactFiles, bytes]] = []
    keep, append = ArtifactFiles.keep, SqlStore.append_together

    def keep_later(self: ArtifactFiles, content: bytes) -> str:
        import hashlib

        waiting.append((self, content))
        return hashlib.sha256(content).hexdigest()

    def append_first(self: SqlStore, *arguments: Any) -> None:
        append(self, *arguments)
        if waiting:
            durable.passing("the row is there")
        while waiting:
            files, content = waiting.pop()
            keep(files, content)

    put(ArtifactFiles, "keep", keep_later)
    put(SqlStore, "append_together", append_first)


@mutant("last sample again")
def _repeated() -> None:
    """Whoever goes on does not believe the last sample, and takes it again."""
    from bisector.core.model.investigation import Investigation
    from bisector.core.model.samples import Sample

    replay = Investigation.replay

    def without_last(job: str, request: Any, facts: Any) -> Any:
        facts = list(facts)
        return replay(job, request, facts[:-1] if facts and isinstance(facts[-1], Sample) else facts)

    put(Investigation, "replay", without_last)


@mutant("fact twice")
def _twice() -> None:
    """What was to be written when the process was killed is written by the next one, without a look whether it was."""
    from bisector.adapters import durable
    from bisector.adapters.store.sql_store import SqlStore
    from bisector.engine.work import Work
    from bisector.formats.facts import fact_from_text, fact_to_text, kind_of

    journal = Path(os.environ["BISECTOR_STATE_DIR"]) / "journal"
    append, begin = SqlStore.append, Work.__init__

    def noted(self: SqlStore, job: str, fact: Any) -> None:
        journal.write_text(f"{kind_of(fact)}\n{fact_to_text(fact)}")
        append(self, job, fact)
        durable.passing("the fact is written")
        journal.unlink()

    def replayed(self: Work, job: str, ports: Any, stop: Any) -> None:
        if journal.exists():
            kind, _, text = journal.read_text().partition("\n")
            ports.store.append(job, fact_from_text(kind, text))
        begin(self, job, ports, stop)

    put(SqlStore, "append", noted)
    put(Work, "__init__", replayed)


@mutant("nothing pinned")
def _unpinned() -> None:
    """The commits of a job are kept by nothing but their branch."""
    from bisector.adapters.git.mirror import Mirror

    def pin(*_: Any) -> None:
        """Nothing."""

    put(Mirror, "pin", pin)


@mutant("complete before it is")
def _complete_first() -> None:
    """A build's mark is put before the build is made."""
    from bisector.adapters.local import build

    make = build._make

    def marked(order: Any, place: Any, *rest: Any) -> Any:
        build._complete(place, "content")
        return make(order, place, *rest)

    put(build, "_make", marked)


@mutant("nobody sweeps")
def _unswept() -> None:
    """What a killed process left half made stays."""
    from bisector.adapters import durable
    from bisector.adapters.local.runner import LocalRunner

    def sweep(_: Any) -> int:
        return 0

    def remove_left_over(*_: Any) -> int:
        return 0

    put(LocalRunner, "sweep", sweep)
    put(durable, "remove_left_over", remove_left_over)


@mutant("done in two steps")
def _two_steps() -> None:
    """That a job is done and that its lease ends stands in two transactions."""
    from bisector.adapters import durable
    from bisector.adapters.store.leased_store import SqlLeasedStore
    from bisector.adapters.store.sql_store import move_job

    moved = SqlLeasedStore._moved

    def set_state(self: SqlLeasedStore, job: str, state: Any, sentence: str = "") -> None:
        with self._database.writing() as connection:
            move_job(connection, job, state, sentence)
        durable.passing("between two steps")
        with self._database.writing() as connection:
            moved(self, connection, job, state)

    put(SqlLeasedStore, "set_state", set_state)


@mutant("noise counted twice")
def _noise_twice() -> None:
    """What a job showed of the noise is added to what is known, also where that was done before the kill."""
    from dataclasses import replace

    from bisector.adapters import durable
    from bisector.adapters.store.sql_store import SqlStore

    keep = SqlStore.keep_calibration

    def forgetful(self: SqlStore, identity: str, host: str, calibration: Any) -> None:
        keep(self, identity, host, replace(calibration, last=""))
        durable.passing("noise is kept")

    put(SqlStore, "keep_calibration", forgetful)


@mutant("deaf")
def deaf() -> None:
    """No mistake but bad luck: a worker's heart tells it too late that it was given up, so that only the fence can."""
    from bisector.engine.heart import Heart

    def beat(_: Any) -> None:
        """It hears nothing."""

    put(Heart, "_beat", beat)


@mutant("no fence")
def _no_fence() -> None:
    """Whoever once had a job writes to it for ever."""
    from bisector.adapters.store.leased_store import SqlLeasedStore

    deaf()

    def guard(*_: Any) -> None:
        """Nobody is kept out."""

    put(SqlLeasedStore, "_guard", guard)
