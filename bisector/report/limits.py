"""What became of a limit, as a line."""

from bisector.core.model.scenario import Scenario
from bisector.core.search.limits import MEDIAN, Judged
from bisector.report.numbers import count, quantity


def limit_line(judged: Judged, scenario: Scenario) -> str:
    """ "p95 of seconds is 1.31 s, at most 1.2 s (10 runs): broken"."""
    limit = judged.limit
    unit = scenario.metric(limit.metric).unit
    which = "median" if limit.quantile == MEDIAN else f"p{limit.quantile * 100:g}"
    value = "has no run" if judged.value is None else f"is {quantity(judged.value, unit)}"
    allowed = f"{'at most' if limit.upper else 'at least'} {quantity(limit.bound, unit)}"
    return f"{which} of {limit.metric} {value}, {allowed} ({count(judged.runs, 'run')}): {judged.kept}"
