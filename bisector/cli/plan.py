"""`--dry-run`: what would be done, and about what it costs."""

import math
from collections.abc import Sequence
from dataclasses import replace

import click

from bisector.cli.intake import Intake
from bisector.core.model.calibration import Calibration
from bisector.core.model.request import Request
from bisector.core.search.calibrated import outlay, runs_for, visible
from bisector.core.search.planner import COMPARE_RUNS
from bisector.report.ahead import prospect
from bisector.report.kinds import kinds_known
from bisector.report.numbers import count, percent, seconds
from bisector.report.text import SHORT

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
    size = listed.line.size
    _tell_asked(request)
    click.echo(f"range      {request.good[:SHORT]} to {request.bad[:SHORT]}, {count(size, 'candidate')}")
    _tell_prospect(intake)
    if request.noise is not None:
        _tell_expected(request, request.noise, size)
        return 0
    steps = math.ceil(math.log2(size)) if size > 1 else 0
    click.echo(f"builds     {steps + ENDS} or more")
    runs = 8 + RUNS_A_STEP * steps + VERIFYING_RUNS
    click.echo(f"runs       {runs} or more, each with up to {seconds(request.scenario.run.timeout_seconds)}")
    click.echo("Noise near the size of the change takes more runs; commits that do not build take more builds.")
    click.echo("`bisector calibrate` measures the noise: after it this says what to expect.")
    return 0


def show_comparison(intake: Intake) -> int:
    """Print what is compared, and about how many runs tell a difference worth naming."""
    request, known = intake.request, intake.request.noise
    _tell_asked(request)
    click.echo(f"compared   {request.good[:SHORT]} with {request.bad[:SHORT]}")
    _tell_prospect(intake)
    click.echo(f"builds     {ENDS}")
    if known is None:
        limit = seconds(request.scenario.run.timeout_seconds)
        click.echo(f"runs       {ENDS * COMPARE_RUNS} or more, each with up to {limit}")
        click.echo("`bisector calibrate` measures the noise: after it this says what to expect.")
        return 0
    _tell_noise(known)
    effect = request.min_effect_of(request.metric)
    # Whatever two builds differ by is told as a difference: how much that may be is said apart.
    alike = replace(known, tau=0.0, gap=0.0)
    each = max(runs_for(alike, effect) or 0, COMPARE_RUNS)
    click.echo(f"runs       about {ENDS * each} for a difference of {effect:.1%}; fewer for a larger one")
    _tell_time(request, known, (ENDS * each,))
    budget = request.budget.runs
    if budget is not None and budget < ENDS * each:
        click.echo(f"sees       differences of {percent(visible(alike, budget // ENDS))} or more with {budget} runs")
    if known.tau > 0 or known.gap:
        differ = max(2 * known.tau, abs(math.expm1(known.gap)))
        click.echo(f"Two builds of one commit may differ by {percent(differ)}: less can be the builds' doing.")
    return 0


def _tell_asked(request: Request) -> None:
    effect = request.min_effect_of(request.metric)
    click.echo(f"scenario   {request.scenario.name}: {' '.join(request.scenario.run.command)}")
    click.echo(f"metric     {request.metric.name}, changes of {effect:.1%} or more")


def _tell_prospect(intake: Intake) -> None:
    if (told := prospect(intake.request, intake.runner.processors())) is not None:
        click.echo(told)


def _tell_noise(known: Calibration) -> None:
    whence = f"as {count(known.jobs, 'earlier job')} here showed" if known.jobs else "as calibrated on this host"
    click.echo(f"noise      {percent(known.sigma)} a run, {percent(known.tau)} a build, {whence}")
    if (told := kinds_known(known)) is not None:
        click.echo(f"two kinds  {told}")


def _tell_time(request: Request, known: Calibration, runs: Sequence[int]) -> None:
    """How long so many runs take: the usual number, and then the range where there is one."""
    if request.metric.unit != "s" or known.level <= 0:
        return
    usual, *between = (seconds(number * known.level * (1 + request.scenario.run.opening_runs / 2)) for number in runs)
    around = f" ({' to '.join(between)})" if between else ""
    click.echo(f"time       {usual} of running{around}, and the builds")


def _tell_expected(request: Request, known: Calibration, size: int) -> None:
    """What a search takes by what is known of the noise, and what a limited budget can see."""
    effect = request.min_effect_of(request.metric)
    plan = outlay(known, size, effect, 1 - request.search.confidence)
    _tell_noise(known)
    click.echo(f"builds     about {plan.builds}")
    click.echo(
        f"runs       about {plan.runs}, nine times of ten {plan.fewest} to {plan.most}, for a change of {effect:.1%}"
    )
    _tell_time(request, known, (plan.runs, plan.fewest, plan.most))
    budget = request.budget.runs
    ends = max((budget if budget is not None else plan.runs) // 4, 4)
    told = f"{budget} runs" if budget is not None else "that many runs"
    # Which builds are of which kind a search finds out: it makes more than one of a commit.
    click.echo(f"sees       changes of {percent(visible(replace(known, gap=0.0), ends))} or more with {told}")
