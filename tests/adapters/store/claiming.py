"""A process that takes and ends jobs until there are none: what several of run at once in tests and benchmarks.

    python -m tests.adapters.store.claiming URL HOST [MOST]

prints one line a job: its number, the seconds that claiming it took, and when it was ended (seconds of the machine's
monotonic clock).
"""

import sys
import time
from dataclasses import replace

from bisector.adapters.clock import SystemClock
from bisector.adapters.processes import about_this_process
from bisector.adapters.store.database import Database
from bisector.adapters.store.sql_queue import SqlQueue
from bisector.engine.job import JobState
from bisector.engine.queue import Limits, WorkerKind


def main(url: str, host: str, most: int) -> None:
    """Claim, begin, end, again."""
    database = Database(url)
    queue = SqlQueue(database, SystemClock(), Limits(lease=600.0))
    info = replace(about_this_process(WorkerKind.WORKER, ("default",), "0"), host=host)
    worker = queue.register(info)
    for _ in range(most):
        began = time.perf_counter()
        lease = queue.claim(worker)
        took = time.perf_counter() - began
        if lease is None:
            break
        store = queue.store_of(lease)
        store.set_state(lease.job, JobState.RUNNING)
        store.set_state(lease.job, JobState.DONE, host)
        sys.stdout.write(f"{lease.job} {took:.6f} {time.monotonic():.6f}\n")
    queue.leave(worker)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize)
