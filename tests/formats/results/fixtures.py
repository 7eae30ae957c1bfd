"""The files that the real tools wrote, and a metric to read from one."""

import json
from pathlib import Path
from typing import Any

from bisector.core.model.samples import Usage
from bisector.core.model.scenario import Metric
from bisector.formats.results import read_value
from bisector.formats.scenario import scenario_from

FIXTURES = Path(__file__).parents[2] / "data" / "results"
USAGE = Usage(wall=1.5, cpu=1.25, peak_memory=4096)


def content(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def document(name: str) -> Any:
    """The JSON in a fixture, by nobody's reader but Python's."""
    return json.loads(content(name))


def metric(source: str, **more: object) -> Metric:
    """The metric that a scenario with these keys and no others would have."""
    keys = {"name": "asked", "source": source, **more}
    table = {"name": "s", "run": {"command": ["true"]}, "metrics": [keys]}
    return scenario_from(table, where="here").metrics[0]


def read(source: str, text: bytes, **more: object) -> float:
    return read_value(metric(source, **more), USAGE, text, {})
