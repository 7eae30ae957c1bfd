"""Alerts of other systems: headers and body in, triggers out. One file a system, each after that system's own shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts import alertmanager, generic, github, horreum, otava
from bisector.formats.alerts.reading import AlertProblem, Defaults, Ignored, load

__all__ = ["SOURCES", "AlertProblem", "Defaults", "Ignored", "Received", "read_alert"]

Reader = Callable[[Mapping[str, str], object, Defaults], tuple[Trigger, ...]]

SOURCES: Mapping[str, Reader] = {
    "generic": generic.read,
    "alertmanager": alertmanager.read,
    "grafana": alertmanager.read,
    "github": github.read,
    "horreum": horreum.read,
    "otava": otava.read,
    "deploy": generic.read,
}
"""Readers by the name of the source. Grafana sends what Alertmanager does and more; a pipeline after a deployment
sends the generic shape."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """What a body amounts to: triggers, or the reason why there is nothing to do."""

    triggers: tuple[Trigger, ...]
    ignored: str = ""


def read_alert(source: str, headers: Mapping[str, str], body: bytes, defaults: Defaults) -> Received:
    """The triggers in `body`; AlertProblem, for people, where it is not what `source` sends or lacks what is needed.

    `headers` with lower-case names. Call it on bodies whose size and signature were looked at before.
    """
    reader = SOURCES.get(source)
    if reader is None:
        raise AlertProblem(f"no such source: {source[:80]!r} (there is: {', '.join(SOURCES)})")
    try:
        return Received(triggers=reader(headers, load(body), defaults))
    except Ignored as reason:
        return Received(triggers=(), ignored=str(reason))
