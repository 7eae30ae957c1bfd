"""The work of `bisector check --target`: the load of a scenario on what runs already, judged against limits."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from bisector.cli.intake import check_metrics, read_scenario
from bisector.core.model.request import RunnerName
from bisector.core.model.scenario import Scenario
from bisector.core.model.units import Seconds
from bisector.core.search.limits import Judged, Limit, judge
from bisector.engine.loadside import aimed, failed, load_image, make_place, put_load
from bisector.engine.tryout import Trial
from bisector.errors import MeasurementFailed, UsageError
from bisector.report.limits import limit_line
from bisector.report.numbers import count
from bisector.report.text import one_line
from bisector.wiring import Wiring

OF_JOBS = ("against", "bypass", "reason", "json", "events", "report", "repo", "build", "max_builds", "as_of", "command")
"""Options that speak of commits, or of the job that is kept: there is neither."""


def judged_at(
    wiring: Wiring, options: Mapping[str, Any], limits: Sequence[Limit], seconds: Seconds
) -> tuple[list[Judged], bool]:
    """What runs of the load within so many seconds say of the limits, and whether every run ended well."""
    scenario = _scenario(wiring, options, limits)
    choice = wiring.choose_runner(options["runner"], load_image(scenario))
    click.echo(f"runner: {choice.runner.name} ({choice.why}); load on {scenario.run.target}", err=True)
    if scenario.run.client and choice.runner.name is RunnerName.LOCAL:
        click.echo(f"the load runs on this machine, not in {scenario.run.client}", err=True)
    place = make_place(scenario, choice.runner, wiring.artifacts, wiring.stop)
    wiring.store.remember_build(place)
    until = wiring.clock.monotonic() + seconds
    trials: list[Trial] = []
    made = put_load(scenario, place, choice.runner, wiring.artifacts, wiring.stop)
    with wiring.locks.measuring(wiring.stop, _waiting), closing(made) as runs:
        for trial in runs:
            trials.append(trial)
            _tell(len(trials), trial)
            if len(trials) >= options["runs"] or wiring.clock.monotonic() >= until:
                break
    return _judged(scenario, trials, limits, options["confidence"])


def _judged(
    scenario: Scenario, trials: Sequence[Trial], limits: Sequence[Limit], confidence: float
) -> tuple[list[Judged], bool]:
    good = [trial for trial in trials if not failed(trial)]
    if not good:
        raise MeasurementFailed(f"none of {count(len(trials), 'run')} ended well: {trials[-1].record.reason}")
    found = []
    for limit in limits:
        values = [trial.values[limit.metric] for trial in good if limit.metric in trial.values]
        if not values:
            raise MeasurementFailed(f"{limit.metric} cannot be read: {good[-1].problems[limit.metric]}")
        found.append(judge(limit, values, confidence))
        click.echo(limit_line(found[-1], scenario), err=True)
    return found, len(good) == len(trials)


def _scenario(wiring: Wiring, options: Mapping[str, Any], limits: Sequence[Limit]) -> Scenario:
    """The scenario with the metrics that are asked for, aimed at the target."""
    beside = [name for name in OF_JOBS if options.get(name)]
    if beside:
        raise UsageError(
            f"--target measures no commit and makes no job: leave out --{beside[0].replace('_', '-')}",
            then="It knows --scenario, --max, --min, --runs, --within, --runner, --image and --confidence",
        )
    if options["scenario"] is None or not limits:
        raise UsageError("--target wants a scenario and a limit", then="Like --scenario web --max p95:latency=0.2")
    _check_address(options["target"])
    scenario = read_scenario(wiring, options["scenario"], Path.cwd())
    check_metrics(scenario, tuple(limit.metric for limit in limits))
    asked = {limit.metric for limit in limits}
    kept = tuple(metric for metric in scenario.metrics if metric.name in asked)
    image = options["image"]
    if image:
        run = replace(scenario.run, client="")
        scenario = replace(scenario, run=run, build=replace(scenario.build, image=image))
    return aimed(replace(scenario, metrics=kept), options["target"])


def _waiting(process: int | None) -> None:
    click.echo(f"waiting: process {process or '?'} measures on this host", err=True)


def _tell(number: int, trial: Trial) -> None:
    told = ", ".join(f"{name} {value:g}" for name, value in trial.values.items())
    click.echo(f"run {number}: {trial.record.outcome}  {one_line(trial.record.reason or told, 200)}", err=True)


def _check_address(target: str) -> None:
    try:
        parts = urlsplit(target)
        sound = parts.scheme in {"http", "https", "ws", "wss", "tcp", "grpc"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        sound = False
    if not sound or any(letter.isspace() for letter in target):
        raise UsageError(f"not an address: {target[:200]!r}", then="Write it like https://staging.example.org")
