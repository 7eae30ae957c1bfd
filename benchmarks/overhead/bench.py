"""A build of an empty tree by a runner, and runs in it as a job makes them."""

import contextlib
import io
import sys
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benchmarks.overhead.timing import Reading, Way
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import BuildRecipe, RunRecipe
from bisector.engine.ports import BuildOrder, Runner, RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal

MEMORY_LIMIT = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A build, and sessions in it that stay open until `stack` is closed."""

    runner: Runner
    build: Build
    stack: contextlib.ExitStack

    def session(self, *command: str, **env: str) -> Session:
        """A session that runs `command`, open until the end."""
        recipe = RunRecipe(command=command, memory_bytes=MEMORY_LIMIT, timeout_seconds=600.0, env=env)
        order = RunOrder(recipe=recipe, files=None)
        return self.stack.enter_context(self.runner.open(self.build, order, StopSignal()))

    def measured(self, name: str, *command: str) -> Way:
        """`command`, run and measured as a job does; a number that it prints is its own time."""
        session = self.session(*command)
        return Way(name=name, run=lambda: reading_of(run_well(session)))


@contextlib.contextmanager
def open_bench(runner: Runner, root: Path, image_id: str | None) -> Iterator[Bench]:
    """Build an empty tree with `runner`; the sessions are closed and the build discarded in the end."""
    build = runner.build(_order(root, image_id), StopSignal())
    if build.outcome is not Outcome.OK:
        sys.exit(build.reason)
    with contextlib.ExitStack() as stack:
        stack.callback(runner.discard, build)
        yield Bench(runner=runner, build=build, stack=stack)


def run_well(session: Session) -> RunRecord:
    """One run; the benchmark ends where it fails."""
    record = session.run()
    if record.outcome is not Outcome.OK:
        sys.exit(f"{record.outcome}: {record.reason}\n{record.stderr.decode(errors='replace')}")
    return record


def reading_of(record: RunRecord) -> Reading:
    """The time our helper took, and the program's own where it printed one."""
    return Reading(taken=record.usage.wall if record.usage else None, own=float(record.stdout or b"0"))


def _order(root: Path, image_id: str | None) -> BuildOrder:
    @contextlib.contextmanager
    def nothing() -> Iterator[BinaryIO]:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("empty"))
        made.seek(0)
        yield made

    return BuildOrder(
        key=uuid.uuid4().hex * 2,
        recipe=BuildRecipe(network="none"),
        python=True,
        source=nothing,
        files=None,
        image_id=image_id,
        log=root / "build.log",
    )
