"""What was read of a run, told: the figure of each metric, its inner values, and what else is in the file."""

import re
from collections.abc import Iterator, Sequence

from bisector.core.model.request import RunnerName
from bisector.core.model.scenario import Metric, RunRecipe
from bisector.engine.tryout import Trial
from bisector.formats.results.figures import Figure, listed, unique
from bisector.report.numbers import count, quantity
from bisector.report.text import one_line

LONGEST = 240
NO_COMMAND = re.compile(r"no such command: (\S+)|sh: (?:\d+: )?(\S+): not found")
NO_MODULE = re.compile(r"No module named '?([\w.]+)")


def told_readings(trial: Trial, metrics: Sequence[Metric]) -> Iterator[str]:
    """A line for each metric that was read from what the run wrote, and one for what was left unread."""
    for metric in metrics:
        figure = trial.figures.get(metric.name)
        if figure is not None and metric.source != "at_size":
            yield one_line(f"{metric.name}: {_figure(figure, metric)}", LONGEST)
        rest = _rest(trial.there.get(metric.name, ()), figure)
        if rest:
            yield one_line(f"also in {metric.file or 'the output'}: {rest}", LONGEST)


def told_state(run: RunRecipe) -> Iterator[str]:
    """A line for each thing that a run finds besides its build."""
    for what, lines in (("setup", run.setup), ("prepare", run.prepare)):
        if lines:
            yield f"{what:<10} {one_line('; '.join(lines), LONGEST)}"
    for data in run.data:
        yield f"data       {one_line(f'{data.name}: {data.url or data.path}, {data.sha256}', LONGEST)}"
    if run.seed is not None:
        yield f"seed       {run.seed}"


def missing(trial: Trial, runner: RunnerName) -> str:
    """What to do about a run that had no result, where its reason tells."""
    reason = trial.record.reason
    where = "on this machine" if runner is RunnerName.LOCAL else "in the image: add it to [build] steps"
    if found := NO_COMMAND.search(reason):
        return f"Install {found[1] or found[2]} {where}"
    if found := NO_MODULE.search(reason + trial.record.stderr.decode("utf-8", "replace")[-2000:]):
        return f"Install the Python module {found[1]}: `pip install` it in [build] steps, or name it in PYTHONPATH"
    return ""


def _figure(figure: Figure, metric: Metric) -> str:
    of = f"{figure.label} of {metric.source}" if figure.benchmark or figure.quantity != metric.name else metric.source
    better = "" if figure.better is not None else " as the scenario says"
    note = f"; {figure.note}" if figure.note else ""
    return f"{of}, {_values(figure, metric)}, {metric.better} is better{better}{note}"


def _values(figure: Figure, metric: Metric) -> str:
    unit = figure.unit or metric.unit
    if len(figure.values) > 1:
        low, high = quantity(min(figure.values), unit), quantity(max(figure.values), unit)
        return f"the {metric.statistic} of {count(len(figure.values), 'inner value')} from {low} to {high}"
    if figure.values or len(figure.stated) == 1:
        return f"one value{f' in {unit}' if unit else ''}"
    return f"the {metric.statistic} as the tool states it (it also states {listed(list(figure.stated))})"


def _rest(there: Sequence[Figure], taken: Figure | None) -> str:
    """The benchmarks that were not taken, and the other quantities of the one that was."""
    own = taken.benchmark if taken is not None else None
    others = unique(figure.benchmark for figure in there if figure.benchmark not in (own, ""))
    quantities = unique(
        figure.quantity for figure in there if figure.benchmark == own and taken and figure.quantity != taken.quantity
    )
    parts = [f"quantity {listed(quantities)}"] if quantities else []
    return "; ".join([*parts, *([listed(others)] if others else [])])
