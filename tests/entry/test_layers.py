"""Dependency files in a scenario: installed once for all commits that have them, on the local runner."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bisector.core.model.layouts import layout_of
from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

SCENARIO = """
name = "layered"
[build]
dependency_files = ["requirements.txt"]
dependency_steps = ["echo installed >> {count}", "{install}"]
steps = ["test -f vendored"]
[run]
command = ["env", "python3", "{{scenario}}/bench.py"]
env = {{PYTHONPATH = "{{source}}"}}
timeout_seconds = 30
[[metrics]]
name = "seconds"
exact = true
"""
BENCH = 'import json; from lib import LEVEL; print(json.dumps({"seconds": LEVEL}))'


def history(at: Path, *, changes_at: int = 0) -> Sandbox:
    """Seventeen commits, the eighth of which raises LEVEL; requirements change at `changes_at`."""
    made = Sandbox.make(at)
    for number in range(17):
        files = {"lib.py": f"LEVEL = {1.0 if number < 8 else 1.5}\n", "number.txt": str(number)}
        made.commit(f"Change {number}", {**files, "requirements.txt": str(bool(changes_at) and number >= changes_at)})
    made.git("tag", "good", "HEAD~16")
    made.git("tag", "bad", "HEAD")
    return made


def layered(at: Path, install: str = "cp requirements.txt vendored") -> Path:
    at.mkdir()
    (at / "scenario.toml").write_text(SCENARIO.format(count=at.parent / "count", install=install))
    (at / "bench.py").write_text(BENCH)
    return at


def bisect(cli: Cli, tmp_path: Path, made: Path) -> dict[str, object]:
    arguments = ("--scenario", made, "--runner", "local", "--no-profile", "--json", "-")
    found: dict[str, object] = json.loads(cli("bisect", "good", "bad", "--repo", tmp_path / "git", *arguments).out)
    return found


def installed(tmp_path: Path) -> int:
    count = tmp_path / "count"
    return len(count.read_text().splitlines()) if count.exists() else 0


@pytest.mark.parametrize(("changes_at", "times"), [pytest.param(0, 1, marks=pytest.mark.long), (12, 2)])
def test_equal_dependency_files_are_installed_once(cli: Cli, tmp_path: Path, changes_at: int, times: int) -> None:
    history(tmp_path / "git", changes_at=changes_at)
    found = bisect(cli, tmp_path, layered(tmp_path / "layered"))
    assert found["verdict"] == "culprit"
    assert str(found["sentence"]).count("Change 8") == 1
    assert installed(tmp_path) == times


def test_dependencies_that_cannot_be_installed_are_tried_twice_for_all_commits_and_nobody_is_blamed(
    cli: Cli, tmp_path: Path
) -> None:
    history(tmp_path / "git")
    found = bisect(cli, tmp_path, layered(tmp_path / "layered", install="exit 3"))
    assert found["verdict"] == "failed"
    assert "installing the dependencies" in str(found["untestable"])
    assert installed(tmp_path) == 2, "once, and once more from scratch, since both ends hang on it"


def test_files_without_steps_are_refused(cli: Cli, tmp_path: Path, scenario: Path) -> None:
    text = (scenario / "scenario.toml").read_text()
    (scenario / "scenario.toml").write_text(text.replace("[build]", '[build]\ndependency_files = ["requirements.txt"]'))
    done = cli("scenario", "check", scenario)
    assert done.code == 2
    assert "name the steps, or leave both out" in done.err


def test_a_layout_is_no_matter_of_what_all_builds_share(cli: Cli, scenario: Path) -> None:
    text = (scenario / "scenario.toml").read_text()
    (scenario / "scenario.toml").write_text(text.replace("[build]", '[build]\ndependency_steps = ["make P={layout}"]'))
    done = cli("scenario", "check", scenario)
    assert done.code == 2
    assert "use it in steps" in done.err


def test_builds_made_afresh_are_told_a_layout_each_and_both_sides_the_same(cli: Cli, tmp_path: Path) -> None:
    history(tmp_path / "git")
    made, told = layered(tmp_path / "layered"), tmp_path / "layouts"
    text = (made / "scenario.toml").read_text().replace("exact = true", "")
    (made / "scenario.toml").write_text(text.replace("test -f vendored", f"echo {{layout}} | tee -a {told} > layout"))
    assert bisect(cli, tmp_path, made)["verdict"] == "culprit"
    layouts = Counter(told.read_text().split())
    assert layouts.pop("0") >= 4, "first builds stand as they are"
    assert layouts == {str(layout_of(1)): 2}, "the culprit and its parent, made afresh to verify it"


@pytest.mark.parametrize(("step", "told"), [("cc -dumpversion", True), ("true", False)])
def test_what_fresh_builds_of_compiled_code_do_not_tell_is_told(
    cli: Cli, tmp_path: Path, step: str, told: bool
) -> None:
    history(tmp_path / "git")
    made = layered(tmp_path / "layered")
    text = (made / "scenario.toml").read_text().replace("exact = true", "")
    (made / "scenario.toml").write_text(text.replace("test -f vendored", step))
    done = cli("bisect", "good", "bad", "--repo", tmp_path / "git", "--scenario", made, "--runner", "local")
    assert done.code == 0
    assert ("{layout} in the build's steps tells the two apart" in " ".join(done.out.split())) is told
    assert ("layout     the same in every build" in cli("scenario", "check", made, "--no-try").out) is told


@pytest.mark.long
def test_steps_without_files_are_run_once_for_all_commits(cli: Cli, tmp_path: Path) -> None:
    """What the benchmark needs and no commit says, such as the tool that runs it."""
    history(tmp_path / "git", changes_at=12)
    made = layered(tmp_path / "layered", install="touch vendored")
    text = (made / "scenario.toml").read_text()
    (made / "scenario.toml").write_text(text.replace('dependency_files = ["requirements.txt"]\n', ""))
    assert bisect(cli, tmp_path, made)["verdict"] == "culprit"
    assert installed(tmp_path) == 1
