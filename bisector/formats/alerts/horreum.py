"""Horreum's `change/new` action: a change point in a variable of a test. It knows datasets, not commits."""

from collections.abc import Mapping

from pydantic import Field

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts.reading import Defaults, Ignored, Shape, seconds, shaped, trigger


class _Variable(Shape):
    id: int = 0
    name: str = ""


class _Dataset(Shape):
    id: int = 0


class _Change(Shape):
    id: int = 0
    variable: _Variable = Field(default_factory=_Variable)
    dataset: _Dataset = Field(default_factory=_Dataset)
    timestamp: str | float | None = None


class _Body(Shape):
    change: _Change
    test: str = Field("", alias="testName")
    notify: bool = True


def read(headers: Mapping[str, str], document: object, defaults: Defaults) -> tuple[Trigger, ...]:
    """The change as a trigger: the test is the scenario and the variable the metric unless the hook says otherwise."""
    del headers
    body = shaped(_Body, document)
    if not body.notify:
        raise Ignored("the test asks for no notification")
    said = {
        "scenario": defaults.scenario or body.test,
        "metric": defaults.metric or body.change.variable.name,
        "key": f"change/{body.change.id}",
    }
    return (trigger(defaults, said, time=_time(body.change.timestamp)),)


def _time(stamp: str | float | None) -> float | None:
    """Horreum writes milliseconds since the epoch, or a time in words, by version."""
    return seconds(stamp) if isinstance(stamp, str) else stamp / 1000 if stamp is not None else None
