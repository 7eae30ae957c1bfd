"""What `bisector jobs list` prints: a table of jobs."""

import time
from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bisector.engine.job import JobRow, JobState
from bisector.report.text import SHORT, one_line
from bisector.wiring import Wiring

INTERRUPTED = "interrupted"
"""Shown for a job that says it is running while no process works on it: its process was killed."""


def print_table(rows: Sequence[JobRow], wiring: Wiring) -> None:
    """A line a job."""
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for heading in ("job", "state", "started", "scenario", "range", "answer"):
        table.add_column(heading, overflow="fold" if heading == "answer" else "ellipsis")
    for row in rows:
        table.add_row(*(one_line(cell, 400) for cell in _cells(row, wiring)))
    Console(highlight=False, markup=False).print(table)


def _cells(row: JobRow, wiring: Wiring) -> tuple[str, ...]:
    request = row.request
    running = row.state is JobState.RUNNING
    state = INTERRUPTED if running and wiring.locks.working_on(row.job) is None else row.state.value
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created.timestamp()))
    ends = tuple(
        text or sha[:SHORT] for text, sha in ((request.good_text, request.good), (request.bad_text, request.bad))
    )
    return row.job, state, local, request.scenario.name, "..".join(ends), row.sentence or "–"
