"""`bisector scenario`: new, check, run, list, schema."""

import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bisector.cli.options import MeasureOptions, SearchOptions
from bisector.cli.session import wired
from bisector.core.model.layouts import compiles_in_one_layout
from bisector.core.model.request import JobKind
from bisector.core.model.scenario import BuildRecipe, Metric
from bisector.errors import BisectorError, EnvironmentFault, MeasurementFailed, UsageError
from bisector.report.numbers import count, percent, quantity, seconds
from bisector.report.text import harmless, one_line

if TYPE_CHECKING:
    from bisector.cli.intake import Intake
    from bisector.core.model.builds import Build
    from bisector.core.model.request import Request
    from bisector.engine.ports import Ports
    from bisector.engine.stop import StopSignal
    from bisector.engine.tryout import Trial
    from bisector.wiring import Wiring

TEMPLATE = """\
schema = 1
name = "{name}"
description = "What is measured, and why it matters."

[build]
image = "python:3.11-slim"      # base image, for Docker; the local runner uses this machine
steps = []                      # shell lines run in the checkout, like "pip install ."
env = {{}}

[run]
command = ["python", "{{scenario}}/bench.py"]   # {{scenario}}: this directory; {{source}}: the checkout
timeout_seconds = 120
env = {{PYTHONPATH = "{{source}}/src:{{source}}"}}

[[metrics]]
name = "seconds"
source = "json"                 # a JSON object on the last line of the output
unit = "s"
better = "lower"
min_effect = 0.03               # smallest relative change worth naming
"""
BENCH = '''\
"""Prints one JSON object: the seconds of the part that matters."""

import json
import time


def work() -> None:
    """Import and call what the scenario is about."""
    sum(i * i for i in range(200_000))


work()
start = time.perf_counter()
for _ in range(10):
    work()
print(json.dumps({"seconds": time.perf_counter() - start}))
'''


@click.group(name="scenario")
def command() -> None:
    """Make, check, run and list scenarios."""


@command.command(name="new")
@click.argument("name", required=False)
@click.option("--in", "directory", type=click.Path(path_type=Path), default=Path("scenarios"), show_default=True)
@click.option(
    "--from",
    "origin",
    type=(click.Choice(["pytest-benchmark", "asv", "pyperf", "hyperfine", "k6", "locust"]), click.Path(path_type=Path)),
    metavar="TOOL PATH",
    help="Write it for a benchmark or load test that is there: pytest-benchmark, asv, pyperf, hyperfine, k6 or locust,"
    " and the file that it runs (of hyperfine: its results as JSON).",
)
def new(name: str | None, directory: Path, origin: tuple[str, Path] | None) -> None:
    """Write a scenario to start from: DIRECTORY/NAME/scenario.toml and its bench.py.

    Without a name, at a terminal, it asks what is run, built and read, and writes a scenario of the answers.
    """
    from bisector.formats.scenario import parse_scenario

    if origin is not None:
        from bisector.cli.importing import import_scenario

        import_scenario(*origin, name, directory)
        return
    if name is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(click.get_current_context().get_usage(), err=True)
        raise UsageError("the scenario needs a name", then="bisector scenario new NAME, or --from TOOL PATH")
    if name is None:
        from bisector.cli.wizard import run as ask_and_write

        made = ask_and_write(directory, Path.cwd())
        click.echo(f"\n{made}\nTry it: bisector scenario check {made.parent.name}")
        return
    text = TEMPLATE.format(name=name)
    parse_scenario(text.encode(), where=name)
    made = directory / name
    if (made / "scenario.toml").exists():
        raise UsageError("there is such a scenario already", where=str(made / "scenario.toml"))
    made.mkdir(parents=True, exist_ok=True)
    (made / "scenario.toml").write_text(text)
    (made / "bench.py").write_text(BENCH)
    click.echo(f"{made / 'scenario.toml'}\n{made / 'bench.py'}\nTry it: bisector scenario run {name}")


@command.command(name="check")
@click.argument("name", metavar="NAME|PATH")
@click.option("--ref", default="HEAD", show_default=True, help="The commit to build and run.")
@click.option("--repo", metavar="PATH", help="Repository.  [default: where you stand, if that is one]")
@click.option("--runner", type=click.Choice(["auto", "docker", "local"]), default="auto", show_default=True)
@click.option("--image", metavar="IMAGE", help="Base image; in place of the scenario's.")
@click.option("--try/--no-try", "tried", default=True, help="Whether to build and run it once.  [default: try]")
def check(name: str, ref: str, tried: bool, **where: Any) -> int:
    """Read a scenario and say what it means; then build and run it once and say what is missing."""
    from bisector.cli.intake import find_scenario, take_in, tell_runner
    from bisector.cli.readings import told_state
    from bisector.engine.scenarios import check_files
    from bisector.formats.scenario import parse_scenario

    with wired() as wiring:
        path = find_scenario(wiring, name, Path.cwd())
        scenario = parse_scenario(path.read_bytes(), where=str(path))
        check_files(scenario, path)
        click.echo(f"{path}: fine")
        click.echo(f"build      {_how_built(scenario.build)}")
        if compiles_in_one_layout(scenario.build):
            click.echo(
                "layout     the same in every build: with {layout} in the steps code lies elsewhere in fresh ones"
            )
        for service in scenario.run.services:
            click.echo(f"service    {service.name}: {' '.join(service.command)}")
        click.echo(f"{'load' if scenario.run.services else 'run':<10} {' '.join(scenario.run.command)}")
        if scenario.run.client:
            click.echo(f"client     {scenario.run.client} (with Docker)")
        for line in told_state(scenario.run):
            click.echo(line)
        for metric in scenario.metrics:
            click.echo(f"metric     {metric.name} from {metric.source}, {metric.better} is better, {_effect(metric)}")
        here = Path.cwd()
        if not tried or (where["repo"] is None and not any((each / ".git").exists() for each in (here, *here.parents))):
            click.echo(f"tried      no{'' if not tried else ': you stand in no repository; name one with --repo'}")
            return 0
        measure = MeasureOptions(scenario=str(path), **where)
        intake = take_in(wiring, (ref, ref), measure, SearchOptions(), JobKind.COMPARE)
        tell_runner(intake)
        return _try_out(intake, ref, 1, wiring)


@command.command(name="run")
@click.argument("name", metavar="NAME|PATH")
@click.option("--ref", default="HEAD", show_default=True, help="The commit to build and run.")
@click.option("--repo", metavar="PATH", help="Repository.  [default: where you stand]")
@click.option("--runner", type=click.Choice(["auto", "docker", "local"]), default="auto", show_default=True)
@click.option("--image", metavar="IMAGE", help="Base image; in place of the scenario's.")
@click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True)
def run(name: str, ref: str, runs: int, **where: Any) -> int:
    """Build one commit, run the scenario a few times, and show what was read."""
    from bisector.cli.intake import take_in, tell_runner

    measure = MeasureOptions(scenario=name, **where)
    with wired() as wiring:
        intake = take_in(wiring, (ref, ref), measure, SearchOptions(), JobKind.COMPARE)
        tell_runner(intake)
        return _try_out(intake, ref, runs, wiring)


@command.command(name="list")
def list_scenarios() -> None:
    """List the scenarios that can be named, and what each measures."""
    from bisector.wiring import scenario_directories

    with wired() as wiring:
        seen: set[str] = set()
        for directory in scenario_directories(wiring.settings, Path.cwd()):
            for path in sorted(directory.glob("*/scenario.toml")):
                if path.parent.name not in seen:
                    seen.add(path.parent.name)
                    click.echo(f"{path.parent.name:24}  {_line_about(path)}")
        if not seen:
            click.echo("There are none here. Make one: bisector scenario new NAME")


@command.command(name="schema")
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    from bisector.formats.scenario import scenario_schema

    click.echo(json.dumps(scenario_schema(), indent=2))


def _try_out(intake: "Intake", ref: str, runs: int, wiring: "Wiring") -> int:
    from bisector.engine.tryout import apart, try_build

    ports, request = wiring.ports(intake.repository, intake.runner), intake.request
    commit = intake.repository.resolve(ref)
    build = try_build(request, commit, ports, wiring.stop)
    click.echo(f"build      {build.outcome} in {seconds(build.seconds)}{' (at hand)' if build.reused else ''}")
    if build.taken is not None:
        click.echo(f"prebuilt   {one_line(build.taken.name, 300)} ({build.taken.digest})")
    if not build.usable:
        raise MeasurementFailed(f"it does not build: {one_line(build.reason, 600)}", where=build.log)
    first, *others = apart(request)
    _run_and_tell(first, build, runs, (ports, wiring.stop))
    for other in others:
        try:
            _run_and_tell(other, build, runs, (ports, wiring.stop))
        except EnvironmentFault as fault:
            # What the scenario asks for first can be measured all the same.
            click.echo(f"{other.metrics[0]:<10} no: {one_line(fault.what, 400)}")
    return 0


def _run_and_tell(request: "Request", build: "Build", runs: int, world: "tuple[Ports, StopSignal]") -> None:
    """Make the runs, and say what was read; MeasurementFailed where something was not."""
    from bisector.cli.readings import missing, told_readings
    from bisector.engine.tryout import try_runs

    trials = []
    for number, trial in enumerate(try_runs(request, build, runs, *world), start=1):
        trials.append(trial)
        click.echo(f"run {number:<6} {_told(trial, request.asked)}")
    last = trials[-1]
    for line in told_readings(last, request.asked):
        click.echo(f"read       {line}")
    if last.problems:
        click.echo(f"printed    {_end_of(last.record.stdout)}")
        for service, log in last.record.logs.items():
            click.echo(f"{service:<10} {_end_of(log, 1500)}")
        problem = next(iter(last.problems.items()))
        raise MeasurementFailed(
            f"{problem[0]} cannot be read: {one_line(problem[1], 400)}", then=missing(last, request.runner)
        )
    for metric in request.asked:
        click.echo(f"{metric.name:<10} {_summary(metric, [trial.values[metric.name] for trial in trials])}")


def _how_built(build: BuildRecipe) -> str:
    where = build.image or "this machine"
    if build.prebuilt is None:
        return f"{count(len(build.steps), 'step')} on {where}"
    told = one_line(build.prebuilt.image or " ".join(build.prebuilt.command), 300)
    return f"prebuilt: {told}" + ("" if build.prebuilt.image else f", fetched on {where}")


def _end_of(output: bytes, shown: int = 400) -> str:
    return harmless(output.decode("utf-8", "replace")[-shown:]) or "(nothing)"


def _told(trial: "Trial", metrics: tuple[Metric, ...]) -> str:
    if trial.record.reason:
        return one_line(f"{trial.record.outcome}: {trial.record.reason}", 300)
    usage = trial.record.usage
    before = f", prepared in {seconds(trial.record.prepared)}" if trial.record.prepared else ""
    values = [f"{m.name} {quantity(trial.values[m.name], m.unit)}" for m in metrics if m.name in trial.values]
    own = (
        f" (wall {seconds(usage.wall)}, cpu {seconds(usage.cpu)}, peak {quantity(usage.peak_memory, 'B')}{before})"
        if usage
        else ""
    )
    return f"{trial.record.outcome}  {', '.join(values) or 'nothing read'}{own}"


def _summary(metric: Metric, values: list[float]) -> str:
    middle = statistics.median(values)
    spread = (
        f", from {quantity(min(values), metric.unit)} to {quantity(max(values), metric.unit)}"
        if len(values) > 1
        else ""
    )
    return f"median {quantity(middle, metric.unit)}{spread}"


def _effect(metric: Metric) -> str:
    return f"changes of {percent(metric.min_effect)} or more"


def _line_about(path: Path) -> str:
    from bisector.formats.scenario import parse_scenario

    try:
        scenario = parse_scenario(path.read_bytes(), where=str(path))
    except (BisectorError, OSError) as error:
        return one_line(f"cannot be used: {error}", 120)
    return one_line(scenario.description or " ".join(scenario.run.command), 120)
