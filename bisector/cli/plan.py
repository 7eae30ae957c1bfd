"""`--dry-run`: what would be done, and about what it costs."""

import math

import click

from bisector.cli.intake import Intake
from bisector.report.numbers import count, seconds
from bisector.report.sentence import SHORT

ENDS = 2
RUNS_A_STEP = 2
"""Runs that a step of the search takes when the change is well above the noise, its reference included."""
VERIFYING_RUNS = 4


def show_plan(intake: Intake) -> int:
    """Print the candidates and the least that finding the culprit takes."""
    request = intake.request
    listed = intake.repository.list_history(
        request.good,
        request.bad,
        every_commit=request.search.every_commit,
        paths=request.search.paths,
        suspects=request.search.suspects,
    )
    steps = math.ceil(math.log2(listed.line.size)) if listed.line.size > 1 else 0
    runs = 8 + RUNS_A_STEP * steps + VERIFYING_RUNS
    click.echo(f"scenario   {request.scenario.name}: {' '.join(request.scenario.run.command)}")
    click.echo(f"metric     {request.metric.name}, changes of {request.min_effect_of(request.metric):.1%} or more")
    click.echo(f"range      {request.good[:SHORT]} to {request.bad[:SHORT]}, {count(listed.line.size, 'candidate')}")
    click.echo(f"builds     {steps + ENDS} or more")
    click.echo(f"runs       {runs} or more, each with up to {seconds(request.scenario.run.timeout_seconds)}")
    click.echo("Noise near the size of the change takes more runs; commits that do not build take more builds.")
    return 0
