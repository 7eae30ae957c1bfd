"""Our own shape, for whatever can be taught what to send: templates of monitors, pipelines after a deployment."""

from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts.reading import Defaults, Shape, seconds, shaped, trigger


class _Alert(Shape):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    repository: str | None = None
    scenario: str | None = None
    metric: str | None = None
    good: str | None = None
    bad: str | None = None
    occurred_at: str | None = None
    dedup_key: str | None = None
    link: str | None = None


def read(headers: Mapping[str, str], document: object, defaults: Defaults) -> tuple[Trigger, ...]:
    """The one trigger of the body; unknown fields are refused, since the sender was written for us."""
    del headers
    alert = shaped(_Alert, document)
    said = {
        "repository": alert.repository,
        "scenario": alert.scenario,
        "metric": alert.metric,
        "good": alert.good,
        "bad": alert.bad,
        "key": alert.dedup_key,
        "link": alert.link,
    }
    return (trigger(defaults, said, time=seconds(alert.occurred_at)),)
