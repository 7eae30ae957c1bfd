"""How fast jobs are taken from a queue that stays long."""

import argparse
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bisector.adapters.clock import SystemClock
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.adapters.store.sql_store import insert_job
from bisector.engine.queue import Limits, Order, Priority
from tests.helpers.asking import REQUEST

ROOT = Path(__file__).parents[2]
ALONE = 100
"""Jobs that are queued one by one."""
HEADING = f"{'waiting':>8} {'enqueue':>10} {'claims/s':>9} {'processes':>10} {'one claim':>13} {'p99':>10} {'twice':>6}"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of it."""

    jobs: int
    claims: int
    takers: int

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Size":
        """As the command line says."""
        return cls(jobs=options.jobs, claims=options.claims, takers=options.takers)


def row(url: str, top: Path, size: Size) -> str:
    """Fill a queue, claim from it by several processes at once (each claim with its begin and end), and tell."""
    url = url or sqlite_url(top / "b.sqlite3")
    enqueue = _fill(url, size.jobs)
    taken, rate = _claim(url, size)
    jobs = [job for job, _ in taken]
    took = [seconds for _, seconds in taken]
    usual, rare = statistics.median(took) * 1e3, statistics.quantiles(took, n=100)[98] * 1e3
    counts = f"{size.jobs:8d} {enqueue * 1e3:7.2f} ms {rate:9.1f} {size.takers:10d}"
    return f"{counts} {usual:10.2f} ms {rare:7.2f} ms {len(jobs) - len(set(jobs)):6d}"


def _fill(url: str, jobs: int) -> float:
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


def _claim(url: str, size: Size) -> tuple[list[tuple[str, float]], float]:
    """Claims by processes at once: the job and the seconds of each, and claims a second together."""
    command = [sys.executable, "-m", "tests.adapters.store.claiming", url]
    running = [
        subprocess.Popen(
            [*command, f"host{number}", str(size.claims // size.takers)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for number in range(size.takers)
    ]
    lines = [line.split() for taker in running for line in taker.communicate()[0].splitlines()]
    ended = [float(line[2]) for line in lines]
    return [(line[0], float(line[1])) for line in lines], len(lines) / max(max(ended) - min(ended), 1e-9)
