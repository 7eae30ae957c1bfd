"""What `bisector profile` prints: the dearest functions of one side, or why the other is slower."""

import shutil
import sys
from collections.abc import Iterator

import click
import numpy as np

from bisector.core.explain.difference import Difference
from bisector.report.explanation import Explanation
from bisector.report.numbers import percent, quantity
from bisector.report.phrase import plain
from bisector.report.suspects.section import sections_of
from bisector.report.terminal import set_out
from bisector.report.text import one_line

MOST_FUNCTIONS = 15


def tell(explanation: Explanation, *, single: bool) -> None:
    """What was seen: the dearest functions of one side, or why the other is slower."""
    if single and explanation.difference is not None:
        click.echo(plain(explanation.method))
        click.echo("\n".join(_dearest(explanation.difference)))
        return
    width = min(shutil.get_terminal_size().columns, 110) if sys.stdout.isatty() else 100
    for section in sections_of([explanation]):
        click.echo("\n".join(set_out(section.text, width)))


def _dearest(found: Difference) -> Iterator[str]:
    """The functions that cost most by themselves, a line each."""
    whole, unit = found.total.after, found.unit.value
    yield f"{'own':>8} {'with what it calls':>20}"
    for index in np.argsort(-found.own.after, kind="stable")[:MOST_FUNCTIONS].tolist():
        own, total = float(found.own.after[index]), float(found.inclusive.after[index])
        if own > 0:
            name = one_line(found.frames[index].label, 120)
            yield f"{percent(own / whole):>8} {percent(total / whole):>8} {quantity(total, unit):>11}  {name}"
