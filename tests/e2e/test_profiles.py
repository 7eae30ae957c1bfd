"""Why, for real: the planted function is the prime suspect, in Docker and on this machine, Python and C."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.helpers.installs import Done, Install
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def around(demo: Sandbox, branch: str) -> tuple[str, str]:
    """The first parent of the merge of `branch`, and the merge."""
    merge, parent = demo.git("log", "--merges", "--format=%H %P", "--grep", branch, "main").split()[:2]
    return parent, merge


def bisected(install: Install, demo: Sandbox, runner: str, *more: str) -> Done:
    ends = around(demo, "hyphens")
    where = ("--repo", demo.top, "--scenario", "demo", "--runner", runner)
    return install.bisect(*ends, *where, "--no-descend", *more)


def check(done: Done) -> None:
    """The planted function is the prime suspect, in the result, in the sentence and in what is written beside it."""
    prime = done.culprit["suspects"][0]
    assert prime["function"].partition(".")[0] == "normalise", done.out
    assert (prime["file"], prime["touched"]) == ("src/tinytext/clean.py", True)
    ours = [each["share"] for each in done.culprit["suspects"] if each["function"].startswith("normalise")]
    assert sum(ours) > 0.4, done.out
    assert "of the extra time is in normalise" in done.result["sentence"]
    written = {(each["kind"], each["side"]): each for each in done.result["artifacts"] if each["sha256"]}
    assert {kind for kind, _ in written} == {"speedscope", "folded", "flamegraph", "diff"}
    for each in written.values():
        assert hashlib.sha256(Path(each["path"]).read_bytes()).hexdigest() == each["sha256"]
    after = json.loads(Path(written["speedscope", "after"]["path"]).read_text())
    assert "normalise" in {frame["name"] for frame in after["shared"]["frames"]}
    page = next(each["path"] for each in done.result["artifacts"] if each["kind"] == "report")
    assert "normalise" in Path(page).read_text()


def test_the_planted_function_is_the_prime_suspect_on_this_machine(local_install: Install, demo: Sandbox) -> None:
    check(bisected(local_install, demo, "local"))


@pytest.mark.docker
def test_the_planted_function_is_the_prime_suspect_in_docker(docker_install: Install, demo: Sandbox) -> None:
    check(bisected(docker_install, demo, "docker"))


@pytest.mark.long
def test_without_profiles_there_are_no_suspects(local_install: Install, demo: Sandbox) -> None:
    done = bisected(local_install, demo, "local", "--no-profile")
    assert done.culprit["suspects"] == []
    assert {each["kind"] for each in done.result["artifacts"]} == {"report"}


@pytest.mark.long
@pytest.mark.docker
def test_two_commits_are_profiled_without_measuring(docker_install: Install, demo: Sandbox, tmp_path: Path) -> None:
    ends = around(demo, "hyphens")
    where = ("--repo", demo.top, "--scenario", "demo", "--runner", "docker", "--report", tmp_path / "out")
    done = docker_install.run("profile", *ends, *where)
    assert done.code == 0, done.err
    assert "normalise" in done.out
    assert (tmp_path / "out" / "after.speedscope.json").exists()


@pytest.mark.long
def test_one_commit_is_profiled(local_install: Install, demo: Sandbox, tmp_path: Path) -> None:
    where = ("--repo", demo.top, "--scenario", "demo", "--runner", "local", "--report", tmp_path / "out")
    done = local_install.run("profile", "main", *where)
    assert done.code == 0, done.err
    assert "normalise (src/tinytext/clean.py)" in done.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "after.speedscope.json",
        "after.folded.txt",
        "flamegraph.html",
    }
