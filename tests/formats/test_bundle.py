"""The manifest of a bundle: what is written is read, and what is forged is refused in one message."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bisector.core.model.verdict import Change, Verdict, VerdictKind
from bisector.core.search.agreement import Agreement, agreement
from bisector.errors import BisectorError, UsageError
from bisector.formats.bundle import ChangeTable, Manifest, manifest_from_text, manifest_to_text, scenario_table
from bisector.formats.scenario import parse_scenario
from tests.helpers.lines import name
from tests.report.worlds import MERGE, finished

FULL = b"""
name = "full"
description = "everything"
[build]
image = "python:3.11-slim"
steps = ["pip install ."]
env = {A = "1"}
patches = [{file = "fix.patch", when = "always"}]
[run]
command = ["python", "{scenario}/bench.py"]
env = {B = "2"}
cpus = 2
fresh = "run"
[[run.services]]
name = "db"
command = ["db", "{port}"]
env = {C = "3"}
ready = {log = "open"}
stop_signal = "SIGINT"
[[run.services]]
name = "cache"
command = ["cache"]
ready = {tcp = 6379}
[[run.services]]
name = "queue"
command = ["queue"]
ready = {command = ["queue", "ping"]}
ready_seconds = 5.0
[[run.services]]
name = "web"
command = ["web", "{port}", "{port.db}"]
ready = {http = "http://localhost:{port}/health"}
[[metrics]]
name = "seconds"
unit = "s"
[[metrics]]
name = "wall"
source = "wall"
"""


def manifest() -> Manifest:
    request = replace(finished(MERGE).request, scenario=parse_scenario(FULL, where="full"))
    return Manifest(
        bisector="0",
        job="1",
        parent=name(1),
        culprit=name(2),
        subject="A subject",
        trees=(name(3), name(4)),
        metric="seconds",
        confidence=0.95,
        change=ChangeTable(relative=0.1, low=0.08, high=0.12),
        host="host",
        details={"kernel": "6"},
        runner="docker",
        scenario=scenario_table(request, request.scenario.metrics[0]),
    )


def test_what_is_written_is_read_and_measured_as_it_was() -> None:
    found = manifest_from_text(manifest_to_text(manifest()))
    assert found == manifest()
    scenario = parse_scenario(FULL, where="full", files="digest")
    assert found.measured("digest") == replace(scenario, metrics=scenario.metrics[:1])


FORGED: list[dict[str, Any]] = [
    {"trees": [name(3)]},
    {"trees": ["--upload-pack=evil", name(4)]},
    {"parent": "HEAD"},
    {"culprit": name(2)[:10]},
    {"change": {"relative": "much", "low": 0, "high": 0}},
    {"change": {"relative": 1e999, "low": 0, "high": 0}},
    {"confidence": 1.0},
    {"confidence": True},
    {"bundle": 2},
    {"subject": "x" * 5000},
    {"details": {"a": 1}},
    {"runner": "ssh"},
    {"more": "than there is"},
    {"scenario": []},
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: json.dumps(forged)[:40])
def test_a_forged_manifest_is_refused(forged: dict[str, Any]) -> None:
    told = json.loads(manifest_to_text(manifest())) | forged
    with pytest.raises(UsageError, match="manifest cannot be used"):
        manifest_from_text(json.dumps(told).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"bundle": NaN}', b" " * (2 << 20)])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(UsageError, match="manifest cannot be used"):
        manifest_from_text(text)


@pytest.mark.parametrize(
    "forged",
    [
        {"run": {"command": [], "timeout_seconds": 1}},
        {"run": {"command": ["true"], "timeout_seconds": 1e9}},
        {"metrics": [{"name": "a", "source": "unheard"}]},
        {"name": "../../x"},
        {"volumes": ["/"]},
    ],
)
def test_a_forged_scenario_is_refused_like_a_persons_own(forged: dict[str, Any]) -> None:
    told = json.loads(manifest_to_text(manifest()))
    told["scenario"] |= forged
    with pytest.raises(BisectorError):
        manifest_from_text(json.dumps(told).encode()).measured("")


@pytest.mark.parametrize(
    ("there", "kind", "here", "same_host", "found"),
    [
        (0.1, VerdictKind.CULPRIT, 0.3, False, Agreement.AGREE),
        (0.1, VerdictKind.CULPRIT, 0.3, True, Agreement.AGREE),
        (0.1, VerdictKind.CULPRIT, -0.1, False, Agreement.DISAGREE),
        (0.1, VerdictKind.NOT_REPRODUCED, 0.0, True, Agreement.DISAGREE),
        (0.1, VerdictKind.NOT_REPRODUCED, 0.0, False, Agreement.HOST),
        (0.1, VerdictKind.INCONCLUSIVE, 0.05, False, Agreement.UNKNOWN),
        (0.1, VerdictKind.FAILED, None, False, Agreement.UNKNOWN),
    ],
)
def test_two_hosts_agree_by_the_direction_of_the_change(
    there: float, kind: VerdictKind, here: float | None, same_host: bool, found: Agreement
) -> None:
    change = Change(relative=here, low=here - 0.01, high=here + 0.01) if here is not None else None
    claimed = Change(relative=there, low=there - 0.01, high=there + 0.01)
    assert agreement(claimed, Verdict(kind=kind, change=change), same_host=same_host) is found
