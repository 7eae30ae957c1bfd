"""Prometheus Alertmanager's webhook (version 4) and Grafana's unified alerting, which sends the same and more.

Neither knows commits. An alert's annotations may say them (`bisector_good`, `bisector_bad`); annotations and not
labels, since a label with a new value for every commit makes a new alert of each. Without them the range is looked up
by time.
"""

from collections.abc import Mapping

from pydantic import Field

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts.reading import (
    MOST_ALERTS,
    AlertProblem,
    Defaults,
    Ignored,
    Shape,
    seconds,
    shaped,
    trigger,
)

PREFIX = "bisector_"


class _Alert(Shape):
    status: str = "firing"
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    start: str | None = Field(None, alias="startsAt")
    generator: str = Field("", alias="generatorURL")
    fingerprint: str = ""


class _Group(Shape):
    alerts: list[_Alert]


def read(headers: Mapping[str, str], document: object, defaults: Defaults) -> tuple[Trigger, ...]:
    """One trigger for each alert that fires. The key is fingerprint and start: repeats of one alert are that alert."""
    del headers
    group = shaped(_Group, document)
    if len(group.alerts) > MOST_ALERTS:
        raise AlertProblem(f"{len(group.alerts)} alerts in one body; at most {MOST_ALERTS}: group them less")
    firing = [alert for alert in group.alerts if alert.status == "firing"]
    if not firing:
        raise Ignored("no alert of the group is firing")
    return tuple(_trigger(alert, defaults) for alert in firing)


def _trigger(alert: _Alert, defaults: Defaults) -> Trigger:
    names = ("repository", "scenario", "metric", "good", "bad")
    said: dict[str, str | None] = {name: alert.annotations.get(PREFIX + name) for name in names}
    # Scenario and repository do not change with every commit, and may be labels too.
    for name in ("repository", "scenario", "metric"):
        said[name] = said[name] or alert.labels.get(PREFIX + name)
    said["key"] = f"{alert.fingerprint}@{alert.start}" if alert.fingerprint else None
    said["link"] = alert.generator
    return trigger(defaults, said, time=seconds(alert.start))
