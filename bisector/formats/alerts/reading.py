"""What readers of alerts share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bisector.core.model.trigger import Trigger
from bisector.core.model.units import Seconds
from bisector.formats.results import strict_json
from bisector.formats.results.problem import ResultProblem

MOST_ALERTS = 100


class AlertProblem(Exception):
    """An alert that cannot be used; the message says why, for people."""


class Ignored(Exception):
    """An alert that is understood and asks for nothing; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What the hook's settings say where an alert is silent."""

    source: str
    repository: str | None = None
    scenario: str | None = None
    metric: str | None = None


class Shape(BaseModel):
    """A part of a stranger's body. What is not named here is let be: senders add fields as they like."""

    model_config = ConfigDict(extra="ignore", frozen=True)


_AShape = TypeVar("_AShape", bound=Shape)


def load(body: bytes) -> object:
    """The JSON in `body`, strictly; AlertProblem where it is none, too deep, or ambiguous."""
    try:
        return strict_json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise AlertProblem("the body is not UTF-8") from None
    except ResultProblem as problem:
        raise AlertProblem(str(problem).replace("the output", "the body")) from None


def shaped(shape: type[_AShape], document: object) -> _AShape:
    """`document` as a `shape`; AlertProblem names the first field that is not as it should be."""
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise AlertProblem(f"{place}: {first['msg']}") from None


def seconds(text: str | None) -> Seconds | None:
    """A time of RFC 3339 in seconds since the epoch; None where there is none, or one before any alert's."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AlertProblem(f"not a time: {text[:80]!r}") from None
    if moment.tzinfo is None:
        raise AlertProblem(f"a time without its zone: {text[:80]!r}")
    return moment.timestamp() if moment.year > 1 else None


def trigger(defaults: Defaults, said: Mapping[str, str | None], *, time: Seconds | None = None) -> Trigger:
    """A trigger from what the alert said (empty is unsaid) and the hook's defaults; AlertProblem where one is missing.

    `said` may have repository, scenario, metric, good, bad, key and link.
    """
    values = {name: value for name, value in said.items() if value}
    repository = values.get("repository") or defaults.repository
    scenario = values.get("scenario") or defaults.scenario
    if repository is None or scenario is None:
        missing = "repository" if repository is None else "scenario"
        raise AlertProblem(f"the alert names no {missing}, and the hook has none by default")
    if values.get("good") and not values.get("bad"):
        raise AlertProblem("the alert names a good commit and no bad one")
    try:
        return Trigger(
            source=defaults.source,
            repository=repository,
            scenario=scenario,
            metric=values.get("metric") or defaults.metric,
            good=values.get("good"),
            bad=values.get("bad"),
            time=time,
            key=values.get("key", "")[:200],
            link=values.get("link", "")[:2000],
        )
    except ValueError as error:
        raise AlertProblem(str(error)) from None
