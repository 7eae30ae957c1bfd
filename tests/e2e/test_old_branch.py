"""A branch forked long before a speed-up of the main line: its commits are judged on the merge's first parent."""

from pathlib import Path

import pytest

from tests.helpers.installs import Install
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.alone]

SCENARIO = """\
name = "levels"
[run]
command = ["python", "{scenario}/bench.py"]
env = {PYTHONPATH = "{source}"}
timeout_seconds = 30
[[metrics]]
name = "seconds"
unit = "s"
"""
BENCH = """\
import json, random
from core import LEVEL
from extra import FACTOR
print(json.dumps({"seconds": LEVEL * FACTOR * (1 + 0.01 * random.random())}))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Sandbox:
    """The main line becomes four times faster after the branch was forked; the branch makes it slower by half."""
    made = Sandbox.make(tmp_path / "repository")
    made.commit("Start", {"core.py": "LEVEL = 4.0\n", "extra.py": "FACTOR = 1.0\n"})
    made.branch("old", "main")
    made.commits("Begin", "Prepare")
    made.commit("Slow down", {"extra.py": "FACTOR = 1.5\n"})
    made.commits("Describe", "Tidy up")
    made.switch("main")
    made.commits("Main 1", "Main 2")
    made.commit("Speed up", {"core.py": "LEVEL = 1.0\n"})
    made.git("tag", "good")
    made.commits("Main 3", "Main 4", "Main 5")
    made.merge("old", subject="Merge branch 'old'")
    made.commits("Main 6", "Main 7")
    return made


def test_the_inner_commit_is_found_though_the_whole_branch_is_slower_than_both_sides_of_the_merge(
    local_install: Install, repository: Sandbox, tmp_path: Path
) -> None:
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO)
    (scenario / "bench.py").write_text(BENCH)
    done = local_install.bisect(
        "good",
        "main",
        "--repo",
        repository.top,
        "--scenario",
        scenario,
        "--runner",
        "local",
        "--seed",
        "1",
        "--no-profile",
    )
    culprit = done.culprit
    assert culprit["commit"] == repository.sha("main~2")
    assert culprit["is_merge"] is True
    assert culprit["inner"]["commit"] == repository.sha("old~2")
    assert "judged on top of the merge's first parent" in " ".join(done.out.split())
