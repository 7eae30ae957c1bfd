"""Apache Otava's `--output json`: per test the change points, each with the attributes of the first result after it.

Rounded numbers come as strings. Only the commit after the change is named; the one before is looked up.
"""

from collections.abc import Mapping

from pydantic import Field, RootModel

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts.reading import MOST_ALERTS, AlertProblem, Defaults, Ignored, Shape, shaped, trigger

COMMIT_ATTRIBUTES = ("commit", "git_commit", "sha", "revision")
BEFORE_ATTRIBUTES = ("previous_commit", "prev_commit")


class _Metric(Shape):
    metric: str


class _Point(Shape):
    time: float | str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    changes: list[_Metric]


class _Tests(RootModel[dict[str, list[_Point]]]):
    pass


class _Report(Shape):
    tests: _Tests


def read(headers: Mapping[str, str], document: object, defaults: Defaults) -> tuple[Trigger, ...]:
    """One trigger for the newest change point of every metric; Ignored where there is none."""
    del headers
    newest: dict[tuple[str, str], Trigger] = {}
    for test, points in shaped(_Report, {"tests": document}).tests.root.items():
        for point in points:
            for change in point.changes:
                newest[test, change.metric] = _trigger(test, point, change.metric, defaults)
    if not newest:
        raise Ignored("the report holds no change point")
    if len(newest) > MOST_ALERTS:
        raise AlertProblem(f"{len(newest)} changes in one report; at most {MOST_ALERTS}")
    return tuple(newest.values())


def _trigger(test: str, point: _Point, metric: str, defaults: Defaults) -> Trigger:
    after = next((point.attributes[name] for name in COMMIT_ATTRIBUTES if point.attributes.get(name)), None)
    before = next((point.attributes[name] for name in BEFORE_ATTRIBUTES if point.attributes.get(name)), None)
    said = {
        "scenario": defaults.scenario or test,
        "metric": metric,
        "good": before if after else None,
        "bad": after,
        "key": f"{test}/{metric}/{after or point.time}",
    }
    return trigger(defaults, said, time=float(point.time) if point.time is not None else None)
