"""The manifest of an evidence bundle: what was found where, of which pair of commits, and how it was measured.

A bundle may come from anybody: what is read of it is checked here, and what it claims is only what is to be tested.
"""

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bisector.core.model.request import Request
from bisector.core.model.scenario import Metric, Scenario
from bisector.core.model.units import Bytes
from bisector.core.model.verdict import Change
from bisector.errors import UsageError
from bisector.formats.scenario import scenario_from
from bisector.formats.scenario_prebuilt import with_prebuilt
from bisector.formats.scenario_services import service_table
from bisector.formats.scenario_state import data_table

MOST_BYTES: Bytes = 1 << 20
_Sha = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
_Short = Annotated[str, Field(max_length=400)]
_Finite = Annotated[float, Field(allow_inf_nan=False, strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ChangeTable(_Table):
    """A relative change with its interval."""

    relative: _Finite
    low: _Finite
    high: _Finite

    def change(self) -> Change:
        """The change."""
        return Change(relative=self.relative, low=self.low, high=self.high)


class Manifest(_Table):
    """What a bundle says of itself. `parent` and `culprit` are the commits' own names, `trees` what is built."""

    bundle: Literal[1] = 1
    bisector: _Short
    job: _Short
    parent: _Sha
    culprit: _Sha
    subject: _Short
    trees: tuple[_Sha, _Sha] = Field(strict=False)
    metric: _Short
    confidence: Annotated[float, Field(ge=0.5, le=0.9999, strict=False)]
    change: ChangeTable
    host: _Short
    details: dict[_Short, _Short]
    runner: Literal["docker", "local", "simulated"]
    scenario: dict[str, Any]

    def measured(self, files: str) -> Scenario:
        """The scenario, checked like one that a person wrote; its own files are kept as `files`."""
        return scenario_from(self.scenario, where="the bundle", files=files)


def manifest_to_text(manifest: Manifest) -> bytes:
    """The manifest as JSON."""
    return manifest.model_dump_json(indent=1).encode()


def manifest_from_text(text: bytes) -> Manifest:
    """The manifest in JSON `text`; UsageError where it is none."""
    try:
        if len(text) > MOST_BYTES:
            raise ValueError("it is too long")
        return Manifest.model_validate(json.loads(text))
    except (ValueError, ValidationError, RecursionError) as error:
        raise UsageError(f"the bundle's manifest cannot be used: {str(error)[:300]}") from None


def scenario_table(request: Request, metric: Metric) -> dict[str, Any]:
    """The scenario of `request` with `metric` alone, as a table that `scenario_from` reads."""
    scenario = request.scenario
    # What is held is for sets of packages, which no bundle is about.
    build = {name: value for name, value in asdict(scenario.build).items() if name != "held"}
    build = with_prebuilt({**build, "patches": list(build["patches"])}, scenario.build.prebuilt)
    run = {**asdict(scenario.run), "services": [service_table(service) for service in scenario.run.services]}
    run = {name: value for name, value in run.items() if name not in {"data", "client", "target"}}
    if scenario.run.client:
        run["client"] = {"image": scenario.run.client}
    told = {name: value for name, value in asdict(metric).items() if name != "if_printed"}
    table: dict[str, Any] = {
        "name": _plain(scenario.name),
        "description": scenario.description[:2000],
        "build": build,
        "run": run,
        "metrics": [told],
        "profile": asdict(scenario.profile),
        "data": [data_table(data) for data in scenario.run.data],
    }
    # Through JSON, so that tuples are lists and what stays is text and numbers.
    found: dict[str, Any] = json.loads(json.dumps(table))
    return found


def _plain(name: str) -> str:
    return (
        "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower()).strip("-") or "s"
    )
