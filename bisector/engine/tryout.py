"""A scenario tried out at one commit, outside any job: does it build, run, and yield what it promises?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bisector.core.model.builds import Build, build_key
from bisector.core.model.counting import count_file, counter_of, first_counted, tools_for
from bisector.core.model.history import Commit
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import Metric
from bisector.engine.builds import Manner, at_hand, make_build
from bisector.engine.orders import run_order
from bisector.engine.ports import Ports, RunRecord
from bisector.engine.prebuilt import of_commit
from bisector.engine.stop import StopSignal
from bisector.formats.results import MEASURED, figures_there, read_figure, read_value
from bisector.formats.results.figures import Figure
from bisector.formats.results.problem import ResultProblem


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run, and what was read of each metric: a value, or why there is none."""

    record: RunRecord
    values: dict[str, float]
    problems: dict[str, str]
    figures: dict[str, Figure]
    """What each value was made of, where it was read from what the run wrote."""
    there: dict[str, list[Figure]]
    """Every figure in the file that a metric was read from, where a tool lists them."""


def try_build(request: Request, commit: Commit, ports: Ports, stop: StopSignal, *, number: int = 0) -> Build:
    """Build `commit`, or take its build where one is at hand; what comes of it is remembered for jobs.

    `number` counts builds made afresh on purpose.
    """
    request = of_commit(request, commit, commit.tree)
    toolchain = ports.runner.environment(request).toolchain
    key = build_key(request, commit.tree, toolchain, number)
    with ports.locks.building(key, stop):
        known = at_hand(key, ports)
        if known is not None and known.usable:
            return known
        return make_build(request, commit.tree, key, ports, stop, Manner(number=number))


def apart(request: Request) -> tuple[Request, ...]:
    """The request for each group of the scenario's metrics that can be read of one run: a tool that counts is around
    a run of its own. The group of the metric that the scenario names first comes first."""
    groups: dict[str, list[str]] = {}
    for metric in request.scenario.metrics:
        groups.setdefault(count_file(metric.source) if tools_for(metric) else "", []).append(metric.name)
    return tuple(replace(request, metrics=tuple(names)) for names in groups.values())


def try_runs(request: Request, build: Build, runs: int, ports: Ports, stop: StopSignal) -> Iterator[Trial]:
    """Run the scenario `runs` times and read every metric that is asked for."""
    details = ports.runner.environment(request).details if first_counted(request.asked) else {}
    order = run_order(request, ports, counter=counter_of(request.asked, details))
    with ports.runner.open(build, order, stop) as session:
        for _ in range(runs):
            yield read_all(request.asked, session.run())


def read_all(metrics: Sequence[Metric], record: RunRecord) -> Trial:
    """What was read of each of `metrics` in a run."""
    trial = Trial(record=record, values={}, problems={}, figures={}, there={})
    for metric in metrics:
        try:
            _read(metric, record, trial)
        except ResultProblem as problem:
            trial.problems[metric.name] = problem.with_cause(record.reason)
    return trial


def _read(metric: Metric, record: RunRecord, trial: Trial) -> None:
    if record.usage is None or record.outcome is not Outcome.OK:
        raise ResultProblem(record.reason or "it did not run")
    if metric.source not in MEASURED:
        trial.there[metric.name] = figures_there(metric, record.stdout, record.files)
        trial.figures[metric.name] = read_figure(metric, record.stdout, record.files)
    trial.values[metric.name] = read_value(metric, record.usage, record.stdout, record.files)
