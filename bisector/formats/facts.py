"""Facts and requests as JSON text and back: the form in which they are kept and streamed.

Every record is an object with its `kind`; steps inside a plan carry theirs. The version stands for all kinds together.
"""

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from bisector.core.model.facts import Fact, Planned
from bisector.core.model.request import Request
from bisector.core.model.steps import Step
from bisector.errors import StoreError

VERSION = 1
_FACTS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in get_args(Fact)}
_STEPS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in get_args(Step)}


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """The adapter of `kind`, made on first use: making one is slow."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def kind_of(fact: Fact) -> str:
    """The name under which facts like this one are kept."""
    return type(fact).__name__


def step_to_object(step: Step) -> dict[str, Any]:
    """A step as a JSON object with its kind."""
    kind = type(step)
    return {"kind": kind.__name__, **_adapter(kind).dump_python(step, mode="json")}


def fact_to_object(fact: Fact) -> dict[str, Any]:
    """A fact as a JSON object."""
    if isinstance(fact, Planned):
        return {
            "number": fact.number,
            "step": step_to_object(fact.step),
            "planner": fact.planner,
            "elapsed": fact.elapsed,
        }
    found: dict[str, Any] = _adapter(type(fact)).dump_python(fact, mode="json")
    return found


def fact_to_text(fact: Fact) -> str:
    """A fact as JSON text; its kind is kept beside it."""
    if isinstance(fact, Planned):
        return json.dumps(fact_to_object(fact), separators=(",", ":"))
    return _adapter(type(fact)).dump_json(fact).decode()


def fact_from_text(kind: str, text: str) -> Fact:
    """The fact of `kind` in JSON `text`; StoreError when it cannot be read."""
    try:
        if kind == Planned.__name__:
            return _planned(json.loads(text))
        fact: Fact = _adapter(_FACTS[kind]).validate_json(text)
        return fact
    except (KeyError, TypeError, ValueError, RecursionError, ValidationError) as error:
        raise StoreError(
            f"a stored fact of kind {kind!r} cannot be read: {str(error)[:200]}",
            then="It may come from another version of bisector; run `bisector db check`",
        ) from None


def _planned(record: dict[str, Any]) -> Planned:
    step = dict(record["step"])
    kind = _STEPS[step.pop("kind")]
    return Planned(
        number=record["number"],
        step=_adapter(kind).validate_python(step),
        planner=record["planner"],
        elapsed=record["elapsed"],
    )


def request_to_text(request: Request) -> str:
    """A request as JSON text."""
    return _adapter(Request).dump_json(request).decode()


def request_from_text(text: str) -> Request:
    """The request in JSON `text`; StoreError when it cannot be read."""
    try:
        request: Request = _adapter(Request).validate_json(text)
    except (ValueError, ValidationError) as error:
        raise StoreError(f"a stored request cannot be read: {str(error)[:200]}") from None
    return request
