"""Two commits at the same moment, for real through the local runner: both run at once, on processors of their own."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.helpers.installs import Install
from tests.helpers.repositories import Sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two runs at once take two processors"),
]
SCENARIO = """\
name = "level"
[run]
command = ["python", "{{scenario}}/bench.py"]
env = {{PYTHONPATH = "{{source}}", SEEN = "{seen}"}}
[[metrics]]
name = "seconds"
unit = "s"
"""
BENCH = """\
import json, os, random, time
from lib import LEVEL
began = time.monotonic()
time.sleep(0.3)
with open(os.environ["SEEN"], "a") as seen:
    seen.write(f"{LEVEL} {min(os.sched_getaffinity(0))} {began} {time.monotonic()}\\n")
print(json.dumps({"seconds": LEVEL * (1 + 0.01 * random.random())}))
"""


def at_once(runs: Sequence[Sequence[str]]) -> list[tuple[Sequence[str], Sequence[str]]]:
    """The pairs of runs of which one began while the other was under way."""
    ordered = sorted(runs, key=lambda run: float(run[2]))
    return [(one, other) for one, other in pairwise(ordered) if float(other[2]) < float(one[3])]


def test_two_commits_are_run_at_once_and_the_culprit_is_named(local_install: Install, tmp_path: Path) -> None:
    made = Sandbox.make(tmp_path / "repository")
    for number in range(17):
        made.commit(f"Change {number}", {"lib.py": f"LEVEL = {1.0 if number < 11 else 1.2}  # {number}\n"})
    scenario, seen = tmp_path / "level", tmp_path / "seen"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO.format(seen=seen))
    (scenario / "bench.py").write_text(BENCH)
    where = ("--repo", made.top, "--scenario", scenario, "--runner", "local", "--no-profile", "--no-descend")
    done = local_install.bisect("HEAD~16", "HEAD", *where, "--parallel", "2")
    assert done.culprit["commit"] == made.sha("HEAD~5")
    assert "2 runs at a time" in done.out
    pairs = at_once([line.split() for line in seen.read_text().splitlines()])
    assert len(pairs) >= 10
    assert all(one[1] != other[1] for one, other in pairs), "two runs at once shared a processor"
    assert any(one[0] != other[0] for one, other in pairs), "both ends were never run at once"
