"""What a benchmark tool's file says: a figure a quantity and benchmark, in seconds, bytes or plain numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bisector.core.model.scenario import Better, Metric
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.statistic import is_share, statistic_of

MOST_NAMED = 12
"""Names that a message lists; the rest is counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One quantity of one benchmark.

    `values` are the inner values where the tool keeps them, in its order; else `stated` holds what it made of them, by
    the names of our statistics. `better` is None where the tool does not say which way is better. `also` are further
    names of the benchmark. `failed` says why the tool itself finds the figure unsound, `failed_share` how large a part
    of its operations that is.
    """

    benchmark: str
    quantity: str
    unit: str = ""
    better: Better | None = None
    values: tuple[float, ...] = ()
    stated: Mapping[str, float] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    failed: str = ""
    failed_share: float = 1.0
    note: str = ""
    """What a reader of the figure should know of how the tool made it."""

    def value(self, statistic: str) -> float:
        """The figure by `statistic`: of the inner values, else as the tool states it."""
        if self.values:
            return condensed(self.values, statistic)
        found = self.stated.get({"p50": "median"}.get(statistic, statistic))
        if found is None:
            there = ", ".join(self.stated) or "nothing"
            raise ResultProblem(
                f"the {statistic} of {self.label} is not stated and there are no inner values to make it of; "
                f"the tool states: {there}"
            )
        return found

    @property
    def label(self) -> str:
        """The benchmark and the quantity, for people."""
        return f"{self.benchmark} ({self.quantity})" if self.benchmark else self.quantity


def condensed(values: Sequence[float], statistic: str) -> float:
    """One value for several, by the name of a statistic."""
    condense = statistic_of(statistic)
    if condense is None:  # a scenario of a later version, taken from its job
        raise ResultProblem(f"there is no statistic {statistic!r}")
    return condense(values)


def chosen(figures: Sequence[Figure], metric: Metric) -> Figure:
    """The figure that `metric` asks for; ResultProblem lists what there is when that is none or more than one.

    The benchmark is the one in `select`, else one called like the metric, else the only one; the quantity is the one
    in `quantity`, else what the tool is there to measure, which its reader puts first.
    """
    if not figures:
        raise ResultProblem(f"there is no benchmark in what {metric.source} wrote")
    mine = [figure for figure in figures if figure.benchmark == _benchmark(figures, metric)]
    if not metric.quantity:
        mine = [figure for figure in mine if figure.quantity == mine[0].quantity]
    else:
        known = unique(figure.quantity for figure in mine)
        mine = [figure for figure in mine if figure.quantity == metric.quantity]
        if not mine:
            raise ResultProblem(_missing("quantity", metric.quantity, known))
    if len(mine) > 1:
        raise ResultProblem(f"{len(mine)} results are called {mine[0].label!r}; give them names of their own")
    return mine[0]


def checked(figure: Figure, metric: Metric) -> Figure:
    """The figure, if the tool finds it sound and means by it what the metric says."""
    if figure.failed and figure.failed_share > metric.allow_failures:
        less = f"; allow_failures = {figure.failed_share:.2g} would accept it" if figure.failed_share < 1 else ""
        raise ResultProblem(f"{figure.label}: {figure.failed}{less}")
    if is_share(metric.statistic):
        return figure
    if figure.better is not None and figure.better is not metric.better:
        raise ResultProblem(
            f"of {figure.label}, {figure.better} is better, and the metric says {metric.better}: "
            f'write better = "{figure.better}"'
        )
    if figure.unit and metric.unit and figure.unit != metric.unit:
        raise ResultProblem(
            f"{figure.label} is read in {figure.unit}, and the metric says {metric.unit}: "
            f'write unit = "{figure.unit}", or leave it out'
        )
    return figure


def _benchmark(figures: Sequence[Figure], metric: Metric) -> str:
    names = unique(figure.benchmark for figure in figures)
    for wanted in filter(None, (metric.select, metric.name)):
        if wanted in names:
            return wanted
        known_so = unique(figure.benchmark for figure in figures if wanted in figure.also)
        if len(known_so) > 1:
            raise ResultProblem(f"{wanted!r} may be any of: {', '.join(known_so)}; select one by its full name")
        if known_so:
            return known_so[0]
        if wanted == metric.select:
            if names == [""]:
                raise ResultProblem(f"{metric.source} does not name its benchmark here: leave out select")
            raise ResultProblem(_missing("benchmark", wanted, names))
    if len(names) > 1:
        raise ResultProblem(f"there are {len(names)} benchmarks; select one of: {listed(names)}")
    return names[0]


def _missing(what: str, wanted: str, names: Sequence[str]) -> str:
    near = get_close_matches(wanted, names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no {what} {wanted!r}{hint} (there is: {listed(names)})"


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence, the first of many."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def unique(names: Iterable[str]) -> list[str]:
    """Each name once, in the order of its first appearance."""
    return list(dict.fromkeys(names))
