"""`bisector calibrate`: how noisy is this scenario here, what can be seen, and at what cost?"""

from typing import TYPE_CHECKING, Any

import click

from bisector.cli.options import MeasureOptions, SearchOptions, measure_options
from bisector.cli.session import wired
from bisector.core.model.calibration import Calibration
from bisector.core.model.request import JobKind, Request
from bisector.engine.stop import StopSignal
from bisector.report.kinds import kinds_known
from bisector.report.numbers import count, percent, quantity, seconds

if TYPE_CHECKING:
    from bisector.core.search.calibrated import Reading
    from bisector.engine.calibrate import Extent
    from bisector.engine.ports import Ports

BUDGETS = (4, 10, 30, 100)
"""Runs of each of two commits for which it is said what they can tell."""
USUAL_RANGE = 64


@click.command(name="calibrate")
@click.argument("ref", default="HEAD")
@measure_options
@click.option("--builds", type=click.IntRange(2, 20), default=4, show_default=True, help="Builds of the commit.")
@click.option("--runs", type=click.IntRange(3, 500), default=10, show_default=True, help="Runs of each build.")
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
def command(ref: str, builds: int, runs: int, command_line: tuple[str, ...], **options: Any) -> int:
    """Measure one commit against itself: several builds of REF, run in turns.

    Says how far runs and builds differ by themselves, whether the machine drifts, which changes can be seen at what
    cost, and keeps it: later searches with this scenario on this host begin with that knowledge.
    """
    from bisector.cli.intake import take_in, tell_runner
    from bisector.engine.calibrate import Extent, keep, make_builds

    measure = MeasureOptions(
        command=command_line, **{name: options[name] for name in MeasureOptions.__dataclass_fields__ if name in options}
    )
    extent = Extent(builds=builds, runs=runs)
    with wired() as wiring:
        intake = take_in(wiring, (ref, ref), measure, SearchOptions(), JobKind.COMPARE)
        tell_runner(intake)
        ports = wiring.ports(intake.repository, intake.runner)
        commit = intake.repository.resolve(ref)
        with ports.locks.measuring(wiring.stop, _waiting):
            made = []
            for build in make_builds(intake.request, commit, extent, ports, wiring.stop):
                made.append(build)
                took = "at hand" if build.reused else seconds(build.seconds)
                click.echo(f"build {len(made)} of {builds}: {took}", err=True)
            readings = _read(intake.request, made, extent, (ports, wiring.stop))
            found = keep(intake.request, made, readings, ports)
        _tell(found, intake.request)
        return 0


def _read(request: Request, made: list[Any], extent: "Extent", world: "tuple[Ports, StopSignal]") -> "list[Reading]":
    from bisector.engine.calibrate import take_readings

    readings = []
    for reading in take_readings(request, made, extent, *world):
        readings.append(reading)
        if len(readings) % extent.builds == 0:
            click.echo(f"round {len(readings) // extent.builds} of {extent.runs}", err=True)
    return readings


def _tell(found: Calibration, request: Request) -> None:
    from bisector.core.search.calibrated import outlay, runs_for, visible

    metric, effect = request.metric, request.min_effect_of(request.metric)
    click.echo(
        f"{metric.name:<12} median {quantity(found.level, metric.unit)}, {found.builds} builds × {found.runs} runs"
    )
    click.echo(f"a run        deviates by {percent(found.sigma)}")
    build = f"deviates by {percent(found.tau)}" if found.tau > 0 else "adds nothing that these runs can tell"
    if found.same_build:
        build += ", and is the same every time: how far those of other commits deviate is learned from jobs"
    kinds = kinds_known(found)
    click.echo(f"a build      {build}{' within its kind' if kinds else ''}")
    if kinds:
        click.echo(f"two kinds    {kinds}")
    drift = f"{percent(found.drift, signed=True)} from the first to the second half" if found.drift else "none seen"
    click.echo(f"drift        {drift}; runs in a row correlate by {found.autocorrelation:+.2f}")
    for runs in BUDGETS:
        click.echo(f"visible      changes of {percent(visible(found, runs))} with {count(runs, 'run')} a commit")
    needed = runs_for(found, effect)
    told = (
        count(needed, "run") + " a commit" if needed is not None else "more builds, not more runs: builds differ more"
    )
    click.echo(f"suggested    for {percent(effect)}: {told}")
    plan = outlay(found, USUAL_RANGE, effect, 0.05)
    click.echo(
        f"a search     for {percent(effect)} in {USUAL_RANGE} candidates: about {plan.runs} runs "
        f"({plan.fewest} to {plan.most}) and {plan.builds} builds"
    )
    click.echo("kept: searches with this scenario on this host begin with it")


def _waiting(owner: int | None) -> None:
    click.echo(f"bisector: waiting for process {owner}, which is measuring on this host", err=True)
