"""A bisect on what a benchmark tool writes: the culprit is found on the tool's own figure, a run counting once."""

import sys
from pathlib import Path

import pytest

from tests.helpers.installs import Install
from tests.helpers.repositories import Sandbox

BENCH = """\
from lib import work

def test_work(benchmark):
    benchmark(work)

def test_other(benchmark):
    benchmark(len, ())
"""
SCENARIO = f"""\
name = "speed"
[run]
command = [
    "env", "{sys.executable}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:locust",
    "{{scenario}}/test_work.py", "--benchmark-json={{out}}/b.json", "--benchmark-max-time=0.01",
]
env = {{PYTHONPATH = "{{source}}"}}
warmup_runs = 0
[[metrics]]
name = "test_work"
source = "pytest-benchmark"
file = "b.json"
statistic = "min"
min_effect = 0.3
"""


@pytest.mark.long
@pytest.mark.slow
def test_the_culprit_is_found_on_the_figure_of_a_tool(local_install: Install, tmp_path: Path) -> None:
    made = Sandbox.make(tmp_path / "repository")
    for number in range(6):
        loops = 20_000 if number < 4 else 60_000
        text = f"def work():\n    return sum(range({loops}))\n"
        made.commit(f"Change {number}", {"lib.py": text, "number.txt": str(number)})
    scenario = tmp_path / "speed"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO)
    (scenario / "test_work.py").write_text(BENCH)
    where = ("--repo", made.top, "--scenario", scenario, "--runner", "local", "--no-profile", "--max-time", "120s")
    done = local_install.bisect("HEAD~5", "HEAD", *where)
    assert done.culprit["commit"] == made.git("rev-parse", "HEAD~1")
    assert done.result["metric"]["unit"] == "s"
    # Hundreds of rounds a run, and one value of each: what stands in the answer counts runs.
    assert done.result["ends"]["bad"]["n"] <= done.result["cost"]["runs"] < 100
    assert 1e-5 < done.result["ends"]["good"]["median"] < 0.1
