"""From what a person typed to a request: repository, runner, scenario, commits."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import click

from bisector.cli.lanes import check_lanes
from bisector.cli.options import MeasureOptions, SearchOptions
from bisector.core.model.request import Across, Bracket, Budget, JobKind, Request, RunnerName, Search
from bisector.core.model.scenario import BuildRecipe, Direction, Metric, RunRecipe, Scenario
from bisector.core.model.units import Sha
from bisector.core.search.across import LEAST_SPREAD_EFFECT, SPREADS
from bisector.engine.ports import Repository, Runner
from bisector.engine.scenarios import read_scenario_file, scenario_named
from bisector.errors import ScenarioError, UsageError
from bisector.formats.results import MEASURED, SOURCES, is_known_source, metric_of_command
from bisector.formats.scenario_metrics import WALL
from bisector.wiring import Wiring, scenario_directories

AD_HOC = "command"
"""Name of the scenario that a command on the command line makes."""
WORK_TREE = "."


@dataclass(frozen=True, kw_only=True)
class Intake:
    """A request, and what of the outside world it was made with."""

    request: Request
    repository: Repository
    runner: Runner
    why_runner: str


def take_in(
    wiring: Wiring, ends: tuple[str, str], measure: MeasureOptions, search: SearchOptions, kind: JobKind
) -> Intake:
    """The request for measuring between `ends`. What a person can get wrong is said here, before anything runs."""
    if measure.simulate is not None:
        return _simulated(wiring, ends, measure, search, kind)
    repository = wiring.repository(measure.repo or ".")
    scenario = load_scenario(wiring, measure, repository)
    image = measure.image or scenario.build.image
    scenario = replace(scenario, build=replace(scenario.build, image=image, as_of=_as_of(measure, scenario.build)))
    check_metrics(scenario, measure.metric)
    _check_load(scenario.run)
    good = repository.resolve(ends[0])
    work_tree = ends[1] == WORK_TREE and kind is JobKind.COMPARE
    if work_tree and scenario.build.prebuilt:
        raise UsageError(
            "nobody has built the work tree: the scenario's builds are taken, not made", then="Name a commit"
        )
    bad = repository.resolve("HEAD" if work_tree else ends[1])
    skipped = tuple(repository.resolve(ref).sha for ref in search.skip)
    if kind is JobKind.BISECT:
        # Listed once more by the job itself; here so that a range without candidates makes no job.
        repository.list_history(
            good.sha, bad.sha, every_commit=search.every_commit, paths=search.path, suspects=search.suspect
        )
    choice = wiring.choose_runner(measure.runner, image, needs_docker=scenario.build.needs_docker)
    check_lanes(choice.runner, scenario, measure, search)
    request = Request(
        kind=kind,
        repository=repository.location,
        good=good.sha,
        bad=bad.sha,
        good_text=ends[0],
        bad_text=ends[1],
        worktree=repository.snapshot() if work_tree else None,
        scenario=scenario,
        scenario_text=_named(measure.scenario),
        runner=choice.runner.name,
        image_id=choice.runner.resolve_image(image),
        search=_search(search, measure, skipped, kind),
        profile=measure.profile is not False,
        head=repository.resolve(search.head).sha if search.head is not None else None,
    )
    request = _as_asked(request, measure, search)
    for data in scenario.run.data:
        wiring.artifacts.data_set(data)  # what is wrong with it is said before anything is built
    request = with_noise(wiring, request, choice.runner)
    return Intake(request=request, repository=repository, runner=choice.runner, why_runner=choice.why)


def _as_of(measure: MeasureOptions, build: BuildRecipe) -> str:
    """The moment as of which packages are resolved: the command line's, else the scenario's."""
    if measure.as_of is None:
        return build.as_of
    check_as_of(build)
    return measure.as_of


def check_as_of(build: BuildRecipe) -> None:
    """UsageError where a date cannot reach what resolves packages."""
    if build.dockerfile or build.candidate_dockerfile:
        raise UsageError("--as-of does not reach what a Dockerfile runs", then="Pin versions in the Dockerfile")


def with_noise(wiring: Wiring, request: Request, runner: Runner) -> Request:
    """The request with what `bisector calibrate` found of its metric on this host, where it was asked."""
    known = wiring.store.calibration(request.sampling_identity(), runner.environment(request).host, request.metric.name)
    return request if known is None else replace(request, noise=known)


def _simulated(
    wiring: Wiring, ends: tuple[str, str], measure: MeasureOptions, search: SearchOptions, kind: JobKind
) -> Intake:
    from bisector.wiring import simulated_metrics, simulated_world

    repository, runner = simulated_world(measure.simulate or "", measure.seed)
    metrics = (Metric(name="seconds", unit="s"), *(Metric(name=name) for name in simulated_metrics(repository)))
    scenario = Scenario(name="simulated", build=BuildRecipe(), run=RunRecipe(command=("true",)), metrics=metrics)
    check_metrics(scenario, measure.metric)
    check_lanes(runner, scenario, measure, search)
    good, bad = (repository.resolve(ref) for ref in ends)
    request = Request(
        kind=kind,
        repository=repository.location,
        good=good.sha,
        bad=bad.sha,
        good_text=ends[0],
        bad_text=ends[1],
        scenario=scenario,
        runner=RunnerName.SIMULATED,
        search=_search(search, measure, tuple(repository.resolve(ref).sha for ref in search.skip), kind),
        profile=bool(measure.profile),
        head=repository.resolve(search.head).sha if search.head is not None else None,
    )
    request = with_noise(wiring, _as_asked(request, measure, search), runner)
    return Intake(request=request, repository=repository, runner=runner, why_runner="a simulated world")


def _as_asked(request: Request, measure: MeasureOptions, search: SearchOptions) -> Request:
    """`request` with those options that mean the same to every runner."""
    return replace(
        request,
        metrics=measure.metric,
        budget=Budget(runs=measure.max_runs, builds=measure.max_builds, seconds=measure.max_time),
        profile_ends=measure.profile_ends,
        reuse_samples=measure.reuse,
        duet=measure.duet,
        parallel=measure.parallel,
        jobs=measure.jobs,
        verify_revert=search.verify_revert,
    )


def load_scenario(wiring: Wiring, measure: MeasureOptions, repository: Repository) -> Scenario:
    """The scenario that is named, or the one that the command on the command line makes."""
    if measure.scenario is not None:
        extra = [name for name, given in (("--build", measure.build), ("--results", measure.results)) if given]
        if measure.command or extra:
            what = "a command" if measure.command else extra[0]
            raise UsageError(f"--scenario and {what} exclude each other", then="Put it into the scenario file instead")
        top = Path(repository.location)
        return read_scenario(wiring, measure.scenario, top if top.is_dir() else None)
    if not measure.command:
        advice = "Give --scenario NAME, or put the command after --, like: bisector bisect v1 main -- python bench.py"
        raise UsageError("there is nothing to run", then=advice)
    build = BuildRecipe(image=measure.image, steps=measure.build)
    return Scenario(name=AD_HOC, build=build, run=RunRecipe(command=measure.command), metrics=_ad_hoc_metrics(measure))


def read_scenario(wiring: Wiring, named: str, top: Path | None) -> Scenario:
    """The scenario called `named`, or in that directory or file; its files are kept for the job."""
    return read_scenario_file(find_scenario(wiring, named, top), wiring.artifacts)


def find_scenario(wiring: Wiring, named: str, top: Path | None) -> Path:
    """The file of the scenario called `named`; ScenarioError with near names when there is none."""
    if (direct := _file_at(Path(named))) is not None:
        return direct.resolve()
    return scenario_named(named, scenario_directories(wiring.settings, top))


def _named(scenario: str | None) -> str:
    """A scenario as it can be named from anywhere: a path in full, a name as it is."""
    if scenario is None:
        return ""
    path = Path(scenario)
    return str(path.resolve()) if _file_at(path) is not None else scenario


def _file_at(path: Path) -> Path | None:
    """The scenario file that `path` is, or that lies in the directory it is; None when it is neither."""
    return next((file for file in (path / "scenario.toml", path) if file.is_file()), None)


def _ad_hoc_metrics(measure: MeasureOptions) -> tuple[Metric, ...]:
    """The metric of a command on the command line: what is asked for, else what it prints, else its wall time."""
    if measure.results is not None:
        if not is_known_source(measure.results):
            near = get_close_matches(measure.results, SOURCES, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It knows {', '.join(SOURCES)} or regex:PATTERN"
            raise UsageError(f"--results does not know {measure.results!r}", then=hint)
        return (metric_of_command(measure.results, measure.metric[0] if measure.metric else ""),)
    if measure.metric:
        return tuple(metric_of_command(name if name in MEASURED else "json", name) for name in measure.metric)
    return (Metric(name="printed", source="printed", if_printed=True), WALL)


def _check_load(run: RunRecipe) -> None:
    """ScenarioError where there is load and nothing to put it on."""
    aimed = any("{target}" in word for word in (*run.command, *run.env.values()))
    if not run.services and (run.client or aimed):
        what = "an image of its own" if run.client else "{target}"
        advice = "Name the service in [run.service], or use `bisector check --target URL`"
        raise ScenarioError(f"the load has {what}, and there is no service", where="[run]", then=advice)


def check_metrics(scenario: Scenario, wanted: tuple[str, ...]) -> None:
    """ScenarioError where a metric that is wanted is not among the scenario's."""
    known = [metric.name for metric in scenario.metrics]
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}"
            raise ScenarioError(f"scenario {scenario.name} has no metric {name!r}", then=hint)


def _min_effect(measure: MeasureOptions, across: Across) -> float | None:
    """The change worth naming that was asked for; that of a level would be far too small for a spread."""
    if measure.min_effect is None and across in SPREADS:
        return LEAST_SPREAD_EFFECT
    return measure.min_effect


def _search(options: SearchOptions, measure: MeasureOptions, skipped: tuple[Sha, ...], kind: JobKind) -> Search:
    either = kind is not JobKind.BISECT
    return Search(
        direction=Direction.EITHER if either else Direction(options.direction),
        min_effect=_min_effect(measure, Across(options.across_runs)),
        across=Across(options.across_runs),
        confidence=measure.confidence,
        every_commit=options.every_commit,
        descend=options.descend,
        parts=options.packages,
        skip=skipped,
        paths=options.path,
        suspects=options.suspect,
        prior=options.prior,
        crash_is_bad=options.crash_is_bad,
        seed=measure.seed,
        bracket=Bracket(options.bracket),
    )


def tell_runner(intake: Intake) -> None:
    """Say where the candidates are built and run, and why there."""
    name, run = intake.runner.name, intake.request.scenario.run
    warning = "; no isolation: the candidates' code runs as you" if name is RunnerName.LOCAL else ""
    click.echo(f"runner: {name} ({intake.why_runner}){warning}", err=True)
    if run.client and name is RunnerName.LOCAL:
        click.echo(f"the load runs on this machine, not in {run.client}: an image of its own takes Docker", err=True)
