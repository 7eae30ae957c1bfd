"""Shapes of real histories, searched for real: the merge that brought the change, and the commit inside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

SCENARIO = """
name = "parts"
[run]
command = ["python3", "{scenario}/bench.py"]
timeout_seconds = 30
warmup_runs = 0
[[metrics]]
name = "seconds"
exact = true
"""
BENCH = """
import json, pathlib
parts = [float(part.read_text()) for part in pathlib.Path("parts").glob("*.txt")]
print(json.dumps({"seconds": sum(parts)}))
"""
CASES = {
    "old branch": ("merge old", "old 2"),
    "octopus": ("merge octopus", "arm b"),
    "criss-cross": ("merge cross", "cross 1"),
    "other root": ("merge other root", "imported 2"),
    "rename": ("renamed", None),
    "after it all": ("last", None),
}


def odd_history(at: Path, slow: str) -> Sandbox:
    """An old branch, an octopus merge, a criss-cross, a second root and a rename; `slow` names where the change is."""
    made = Sandbox.make(at)

    def part(name: str, case: str) -> dict[str, str]:
        return {f"parts/{name}.txt": "2.0" if case == slow else "0.01"}

    made.commit("start", {"parts/a.txt": "1.0"})
    made.branch("old", "main")
    made.commit("old 1", {"notes.txt": "old"})
    made.commit("old 2", part("old", "old branch"))
    made.switch("main")
    made.commits("one", "two")
    made.git("tag", "good")
    for arm in "abc":
        made.branch(f"arm-{arm}", "good")
        made.commit(f"arm {arm}", part(arm * 2, "octopus" if arm == "b" else ""))
    made.switch("main")
    made.commit("three")
    made.merge("arm-a", "arm-b", "arm-c", subject="merge octopus")
    made.branch("cross", "main")
    made.commit("cross 1", part("cross", "criss-cross"))
    made.switch("main")
    before = made.commit("four")
    made.merge("cross", subject="merge cross")
    made.switch("cross")
    made.merge(before, subject="merge main into cross")
    made.commit("cross 2")
    made.switch("main")
    made.merge("cross", subject="merge cross again")
    made.git("checkout", "--quiet", "--orphan", "root")
    made.git("rm", "-rfq", ".")
    made.commit("imported 1", {"imported/README": "x"})
    made.commit("imported 2", part("imported", "other root"))
    made.switch("main")
    made.git("merge", "--quiet", "--no-ff", "--allow-unrelated-histories", "-m", "merge other root", "root")
    made.git("mv", "parts/a.txt", "parts/renamed.txt")
    made.commit("renamed", part("beside", "rename"))
    made.merge("old", subject="merge old")
    made.commit("last", part("last", "after it all"))
    made.git("tag", "bad")
    return made


@pytest.mark.parametrize("slow", CASES)
def test_the_merge_and_the_commit_inside_it_are_named(cli: Cli, tmp_path: Path, slow: str) -> None:
    made = odd_history(tmp_path / "git", slow)
    named = tmp_path / "parts"
    named.mkdir()
    (named / "scenario.toml").write_text(SCENARIO)
    (named / "bench.py").write_text(BENCH)
    where = ("--repo", made.top, "--scenario", named, "--runner", "local", "--min-effect", "30%")
    done = cli("bisect", "good", "bad", *where, "--no-profile", "--json", "-")
    found: dict[str, Any] = json.loads(done.out)
    assert found["verdict"] == "culprit", done.out
    (culprit,) = found["culprits"]
    outer, inner = CASES[slow]
    assert culprit["subject"] == outer
    assert (culprit["inner"] is None) == (inner is None), culprit
    if inner is not None:
        assert made.git("log", "-1", "--format=%s", culprit["inner"]["commit"]) == inner
