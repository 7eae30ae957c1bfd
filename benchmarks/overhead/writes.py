"""Keeping a sample durably: through the store, and as a bare write that is synchronised."""

import contextlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.overhead.timing import Reading, Way
from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_store import SqlStore
from bisector.core.model.history import main
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome, Purpose, Sample, Usage
from bisector.core.model.units import Sha
from bisector.formats.facts import fact_to_text
from bisector.formats.scenario import parse_scenario

BARE = "a bare write and fsync of as many bytes"
SCENARIO = b'name = "overhead"\n[run]\ncommand = ["true"]\n[[metrics]]\nname = "seconds"\nunit = "s"\n'


@contextlib.contextmanager
def open_writes(root: Path) -> Iterator[list[Way]]:
    """Ways to keep a sample on the disk that `root` lies on."""
    database = Database(sqlite_url(root / "bisector.sqlite3"))
    store = SqlStore(database, SystemClock())
    scenario = parse_scenario(SCENARIO, where="overhead")
    good, bad = Sha("0" * 40), Sha("1" * 40)
    job = store.create(Request(repository="", good=good, bad=bad, scenario=scenario, runner=RunnerName.LOCAL))
    orders = count()
    size = len(fact_to_text(sample(0)))
    with (root / "bare").open("wb", buffering=0) as bare:

        def write_bare() -> Reading:
            bare.write(b"x" * size)
            os.fsync(bare.fileno())
            return Reading()

        def append() -> Reading:
            store.append(job, sample(next(orders)))
            return Reading()

        yield [
            Way(name=BARE, run=write_bare),
            Way(name="the store: one sample, durable", run=append),
        ]
    database.close()


def sample(order: int) -> Sample:
    """A sample as a job keeps it."""
    return Sample(
        place=main(order % 64),
        build=f"{order % 64:064x}",
        purpose=Purpose.SEARCH,
        outcome=Outcome.OK,
        values={"seconds": 0.05 + order * 1e-6},
        usage=Usage(wall=0.061234, cpu=0.059876, peak_memory=11_534_336),
        step=order // 8,
        order=order % 8,
        clock=0.31 * order,
        host="f" * 16,
        container="c" * 64,
    )
