"""Two culprits and a partial fix in a real repository, through the local runner: shares within their intervals."""

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bisector.cli.main import entry
from bisector.report.json_export import result_schema
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.long]

BENCH = """\
import json, statistics, time
from lib import STEPS
def once(steps):
    began, total = time.process_time(), 0
    for step in range(steps):
        total = (total + step) & 0xFFFF  # numbers of one digit all along: each step is as much work as the last
    return time.process_time() - began
# In units of a fixed loop beside it: a shared machine's speed swings, and takes both along.
print(json.dumps({"loops": statistics.median(once(STEPS) / once(60_000) for _ in range(15))}))
"""
SCENARIO = """\
name = "loop"
[build]
steps = ["python -m py_compile lib.py"]
[run]
command = ["python", "{scenario}/bench.py"]
env = {PYTHONPATH = "{source}"}
timeout_seconds = 60
[[metrics]]
name = "loops"
min_effect = 0.08
"""
COMMITS = 32
CHANGES = {9: 1.35, 20: 1.5, 27: 0.8}
"""Factors on the work by commit: two culprits and a partial fix."""
STEPS = 60_000


@pytest.fixture
def repository(tmp_path: Path) -> Sandbox:
    """Commits that change nothing that matters, and the three that do."""
    made, steps = Sandbox.make(tmp_path / "repository"), float(STEPS)
    for number in range(COMMITS + 1):
        steps *= CHANGES.get(number, 1.0)
        made.commit(f"Change {number}", {"lib.py": f"STEPS = {round(steps)}\n", f"note-{number}.txt": "kept\n"})
    return made


def misses(culprit: dict[str, Any]) -> int:
    """How many of a culprit's two intervals, that of its change and that of its share, do not hold what was planted."""
    planted = CHANGES[int(culprit["subject"].removeprefix("Change "))]
    share = math.log(planted) / math.log(math.prod(CHANGES.values()))
    pairs = ((culprit["change"], planted - 1), (culprit["share_interval"], share))
    return sum(not interval["low"] <= truth <= interval["high"] for interval, truth in pairs)


def test_two_culprits_and_a_partial_fix(repository: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BISECTOR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BISECTOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("BISECTOR_CONFIG", raising=False)
    scenario = tmp_path / "loop"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO)
    (scenario / "bench.py").write_text(BENCH)
    ends = [repository.sha(f"HEAD~{COMMITS}"), repository.sha("HEAD")]
    where = ["--repo", str(repository.top), "--scenario", str(scenario), "--runner", "local"]
    code = entry(["bisect", *ends, *where, "--json", str(tmp_path / "result.json"), "--confidence", "0.99"])
    result = json.loads((tmp_path / "result.json").read_text())
    assert code == 0
    jsonschema.validate(result, result_schema())
    assert result["verdict"] == "several"
    assert {culprit["subject"] for culprit in result["culprits"]} == {"Change 9", "Change 20"}
    assert [culprit["subject"] for culprit in result["opposite"]] == ["Change 27"]
    found = (*result["culprits"], *result["opposite"])
    assert all(culprit["verified"] for culprit in found)
    # Of six intervals of 99 % one misses in one play of seventeen, were they independent.
    assert sum(misses(culprit) for culprit in found) <= 1
    assert sum(culprit["share"] for culprit in found) == pytest.approx(1, abs=0.25)
