"""Builds taken from elsewhere, on the command line."""

import json
import shutil
from pathlib import Path

import pytest

from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

SCENARIO = """\
name = "level"
[build]
prebuilt = ["cp", "-r", "ARTIFACTS/{sha}/.", "."]
[run]
command = ["sh", "-c", ". ./level; echo $LEVEL"]
[[metrics]]
name = "seconds"
source = "number"
unit = "s"
exact = true
"""


@pytest.fixture
def kept(tmp_path: Path, repository: Sandbox) -> Path:
    """A scenario whose builds lie in a directory, of every commit but one."""
    for sha in repository.git("log", "--format=%H", "bad").splitlines():
        made = tmp_path / "artifacts" / sha
        made.mkdir(parents=True)
        (made / "level").write_text(repository.git("show", f"{sha}:lib.py").replace(" ", ""))
    missing = repository.git("rev-parse", "bad~5")
    shutil.rmtree(tmp_path / "artifacts" / missing)
    made = tmp_path / "level"
    made.mkdir()
    (made / "scenario.toml").write_text(SCENARIO.replace("ARTIFACTS", str(tmp_path / "artifacts")))
    return made


def test_the_culprit_is_found_among_builds_that_others_made(cli: Cli, repository: Sandbox, kept: Path) -> None:
    """Its end was not built: the next commit takes its place."""
    where = ("--repo", repository.top, "--scenario", kept, "--runner", "local")
    done = cli("bisect", "bad~5", "bad", *where, "--no-profile", "--events", "events.jsonl", "--json", "-")
    result = json.loads(done.out)
    assert (done.code, [each["subject"] for each in result["culprits"]]) == (0, ["Change 5"]), done.err
    (missing,) = result["untestable"]
    assert (missing["outcome"], "No such file" in missing["reason"]) == ("build_failed", True)
    events = map(json.loads, Path("events.jsonl").read_text().splitlines())
    builds = [event["fact"]["build"] for event in events if event.get("kind") == "BuildRecorded"]
    taken = {build["taken"]["digest"] for build in builds if build["taken"]}
    assert taken == {build["content"] for build in builds if build["content"]}
    assert len(taken) == 2, "equal files of two commits are one build"
    check = cli("scenario", "check", kept, "--ref", "bad", *where[:2], *where[4:])
    assert "build      prebuilt: cp -r " in check.out
    assert f"/{repository.git('rev-parse', 'bad')}/. . (" in check.out
    assert "\nseconds    median 1.50 s" in check.out


def test_the_work_tree_has_no_build(cli: Cli, repository: Sandbox, kept: Path) -> None:
    done = cli("compare", "bad", ".", "--repo", repository.top, "--scenario", kept, "--runner", "local")
    assert (done.code, "nobody has built the work tree" in done.err) == (2, True)
