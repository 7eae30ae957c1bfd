"""The queue's figures: `python -m benchmarks.queue [claims] [alerts] [memory]`, all three without a name.

Times are worth something on a machine that does nothing else. SQLite lies in a temporary directory; PostgreSQL is one
of Debian's packages with its default durability (each commit is flushed), started for the purpose.
"""

import argparse
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.queue import claims, service
from bisector.adapters.store.database import journal_mode
from tests.helpers.postgres import server

KINDS: dict[str, tuple[str, Callable[[str, Path, argparse.Namespace], str]]] = {
    "claims": (claims.HEADING, lambda url, top, options: claims.row(url, top, claims.Size.of(options))),
    "alerts": (service.ALERTS_HEADING, lambda url, top, options: service.alerts_row(url, top, options.alerts)),
    "memory": (service.MEMORY_HEADING, lambda url, top, options: service.memory_row(url, top, options.deliveries)),
}


@contextmanager
def databases() -> Iterator[dict[str, Callable[[], str]]]:
    """By name, what makes the URL of a new database; "" is SQLite below the directory of the measurement."""
    with server(durable=True) as running:
        yield {f"SQLite ({journal_mode()})": lambda: "", "PostgreSQL": running.fresh}


def main() -> None:
    """Measure what was asked for, on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=list(KINDS), help=f"which of {', '.join(KINDS)}; all by default")
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs that wait while others are claimed")
    parser.add_argument("--claims", type=int, default=400, help="claims by all processes together")
    parser.add_argument("--takers", type=int, default=4, help="processes that claim at once")
    parser.add_argument("--alerts", type=int, default=10, help="alerts that are followed to their first run")
    parser.add_argument("--deliveries", type=int, default=1000, help="alerts that the server takes in")
    options = parser.parse_args()
    if unknown := [kind for kind in options.what if kind not in KINDS]:
        parser.error(f"no such figures: {', '.join(unknown)}")
    print(f"{platform.machine()}, Python {platform.python_version()}, load {Path('/proc/loadavg').read_text()[:14]}")
    with databases() as made:
        for kind in options.what:
            heading, row = KINDS[kind]
            print(f"\n{kind}\n{'':20}{heading}", flush=True)
            for name, fresh in made.items():
                with tempfile.TemporaryDirectory(prefix="bisector-queue-") as top:
                    print(f"{name:20}{row(fresh(), Path(top), options)}", flush=True)


if __name__ == "__main__":
    main()
