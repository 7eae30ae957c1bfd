"""What `bisector jobs list` prints: columns of what is short, and under each job its answer."""

import shutil
import time
from collections.abc import Iterator, Sequence

import click

from bisector.engine.job import JobRow, JobState
from bisector.report.text import SHORT, columns, one_line
from bisector.report.wrapping import wrapped
from bisector.wiring import Wiring

ANSWER_INDENT = 5
INTERRUPTED = "interrupted"
"""Shown for a job that says it is running while no process works on it: its process was killed."""


def print_table(rows: Sequence[JobRow], wiring: Wiring) -> None:
    """The jobs of `rows`, in their order."""
    for line in _listed(rows, wiring):
        click.echo(line)


def _listed(rows: Sequence[JobRow], wiring: Wiring) -> Iterator[str]:
    """An answer is a sentence and finds no room in a column."""
    headings = ("job", "state", "started", "scenario", "range")
    table = [headings, *(tuple(one_line(cell, 80) for cell in _cells(row, wiring)) for row in rows)]
    widths = [max(columns(cell) for cell in column) for column in zip(*table, strict=True)]
    across = shutil.get_terminal_size().columns
    for number, cells in enumerate(table):
        padded = (f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()
        answer = one_line(rows[number - 1].sentence, 400) if number else ""
        yield from wrapped(answer, across, first=" " * ANSWER_INDENT, rest=" " * ANSWER_INDENT) if answer else ()


def _cells(row: JobRow, wiring: Wiring) -> tuple[str, ...]:
    request = row.request
    running = row.state is JobState.RUNNING
    state = INTERRUPTED if running and wiring.locks.working_on(row.job) is None else row.state.value
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created.timestamp()))
    asked = ((request.good_text, request.good), (request.bad_text, request.bad))
    ends = (sha[:SHORT] if text in {"", sha} else text for text, sha in asked)
    return row.job, state, local, request.scenario.name, "..".join(ends)
