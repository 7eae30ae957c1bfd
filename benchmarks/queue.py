"""How fast jobs are taken from the queue: `python -m benchmarks.queue [--jobs 10000] [--claims 500] [--takers 4]`.

Prints, for each database, what enqueueing costs and how many claims a second so many processes make together of a queue
that stays long, with the median and the 99th percentile of one claim. SQLite lies in a temporary directory; PostgreSQL
is one of Debian's packages with its default durability (each commit is flushed).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database, journal_mode, sqlite_url
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import insert_job
from bisector.engine.queue import Limits, Order, Priority
from tests.adapters.store.test_queue import REQUEST
from tests.helpers.postgres import server

ROOT = Path(__file__).parents[1]
ALONE = 100
"""Jobs that are queued one by one."""


def fill(url: str, jobs: int) -> float:
    """Queue so many jobs of all priorities, most of them in one transaction; seconds a job of those that are not."""
    database = Database(url)
    queue = SqlQueue(database, SystemClock(), Limits(waiting=jobs + 1))
    orders = [Order(priority=list(Priority)[number % 3]) for number in range(jobs)]
    with database.writing() as connection:
        for order in orders[ALONE:]:
            queue.insert(connection, insert_job(connection, REQUEST, time.time()), REQUEST, order)
    began = time.perf_counter()
    for order in orders[:ALONE]:
        queue.enqueue(REQUEST, order)
    took = (time.perf_counter() - began) / ALONE
    database.close()
    return took


def claim(url: str, claims: int, takers: int) -> tuple[list[float], float]:
    """Claims by processes at once: the seconds of each, and claims a second together."""
    command = [sys.executable, "-m", "tests.adapters.store.claiming", url]
    running = [
        subprocess.Popen(
            [*command, f"host{number}", str(claims // takers)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for number in range(takers)
    ]
    lines = [line.split() for taker in running for line in taker.communicate()[0].splitlines()]
    assert len({line[0] for line in lines}) == len(lines), "a job was taken twice"
    first = min(float(line[2]) for line in lines)
    last = max(float(line[2]) for line in lines)
    return [float(line[1]) for line in lines], len(lines) / max(last - first, 1e-9)


def report(name: str, url: str, arguments: argparse.Namespace) -> None:
    """Measure one database and print a line of it."""
    enqueue = fill(url, arguments.jobs)
    took, rate = claim(url, arguments.claims, arguments.takers)
    cuts = statistics.quantiles(took, n=100)
    print(
        f"{name:28} enqueue {enqueue * 1e3:6.2f} ms   claims {rate:7.1f}/s of {arguments.takers} processes, each with "
        f"begin and end   one claim: median {statistics.median(took) * 1e3:6.2f} ms, p99 {cuts[98] * 1e3:7.2f} ms",
        flush=True,
    )


def main() -> None:
    """Both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--claims", type=int, default=400)
    parser.add_argument("--takers", type=int, default=4)
    arguments = parser.parse_args()
    print(f"{arguments.jobs} jobs wait")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bisector-queue-")))
        report(f"SQLite, journal {journal_mode()}", sqlite_url(directory / "b.sqlite3"), arguments)
        running = stack.enter_context(server(durable=True))
        report("PostgreSQL", running.fresh(), arguments)


if __name__ == "__main__":
    main()
