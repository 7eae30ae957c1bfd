"""The demo repository for real: what was planted is found, by both runners and by every scenario that ships."""

import shlex
import shutil
from pathlib import Path

import pytest

from bisector.cli.demo_history import PLANTED
from tests.helpers.installs import Done, Install, install_at
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MERGE_OF = {PLANTED["python-cpu"]: "Merge branch 'hyphens'", PLANTED["compiled-c"]: "Merge branch 'c-counter'"}
"""The merge that brought a planted commit in, where it is not on the main line itself."""
QUIET = 0.1
"""Below this deviation of a run a search that ends without a name is a fault, not the machine's."""


def subject(demo: Sandbox, commit: str) -> str:
    return demo.git("log", "-1", "--format=%s", commit)


def check(demo: Sandbox, done: Done, scenario: str) -> None:
    """What was planted is named: alone where the machine is quiet, and on any machine among what is left."""
    merge, commit = truth(scenario)
    found, inner = done.found, done.found["inner"]
    outside = [subject(demo, each) for each in found["set"]]
    inside = [subject(demo, each) for each in inner["set"]] if inner else [""]
    assert merge in outside, done.out
    assert commit in inside, done.out
    if done.noise < QUIET:
        assert (outside, inside) == ([merge], [commit]), done.out
        assert found["verified"] is True, done.out


def need_program(name: str) -> None:
    """Not every machine has every language: these are no part of what CI installs."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")


def truth(scenario: str) -> tuple[str, str]:
    """Subjects of the culprit and of the commit inside it ("" where it is none that brings others in)."""
    planted = PLANTED[scenario]
    return (MERGE_OF[planted], planted) if planted in MERGE_OF else (planted, "")


def ends(demo: Sandbox, scenario: str) -> tuple[str | Path, ...]:
    return "v1.0", "main", "--repo", demo.top, "--scenario", scenario


@pytest.mark.docker
def test_in_docker_the_merge_and_the_commit_inside_it_are_named_and_named_again(
    docker_install: Install, demo: Sandbox
) -> None:
    first = docker_install.bisect(*ends(demo, "demo"), "--runner", "docker")
    check(demo, first, "demo")
    assert first.result["runner"] == "docker"
    assert first.result["cost"]["builds"] > 0

    second = docker_install.bisect(*ends(demo, "demo"), "--runner", "docker", "--no-profile")
    check(demo, second, "demo")
    assert second.result["cost"]["builds_reused"] > 0
    if max(first.noise, second.noise) < QUIET:
        assert second.result["cost"]["builds"] == 0
        assert second.result["cost"]["runs"] < first.result["cost"]["runs"]


@pytest.mark.long
@pytest.mark.docker
def test_what_a_report_says_of_doing_it_again_finds_the_same_elsewhere(
    docker_install: Install, demo: Sandbox, tmp_path: Path
) -> None:
    first = docker_install.bisect(*ends(demo, "demo"), "--runner", "docker", "--no-profile")
    command = shlex.split(first.result["reproduce"])
    assert {first.result["good"], first.result["bad"]} < set(command)
    with install_at(tmp_path / "elsewhere", engine=True) as elsewhere:
        reproduced = elsewhere.again(command)
    check(demo, reproduced, "demo")
    assert reproduced.result["cost"]["builds"] > 0


@pytest.mark.parametrize("scenario", ["python-cpu", pytest.param("import-time", marks=pytest.mark.long)])
def test_each_scenario_finds_its_own_commit_on_this_machine(
    local_install: Install, demo: Sandbox, scenario: str
) -> None:
    done = local_install.bisect(*ends(demo, scenario), "--runner", "local", "--no-profile")
    check(demo, done, scenario)


@pytest.mark.long
def test_the_modules_that_come_along_are_counted_once_a_commit(local_install: Install, demo: Sandbox) -> None:
    how = ("--runner", "local", "--no-profile", "--metric", "imports")
    done = local_install.bisect(*ends(demo, "import-time"), *how)
    check(demo, done, "import-time")
    cost = done.result["cost"]
    # A run a build, and another one of both ends, the culprit and its parent.
    assert cost["runs"] <= cost["builds"] + cost["builds_reused"] + 4
    assert done.result["ends"]["change"]["relative"] > 0.01


TOOLS = {"c-cmake": "cmake", "go": "go", "java": "javac", "javascript-npm": "npm", "rust": "cargo"}


@pytest.mark.long
@pytest.mark.parametrize("scenario", ["python-package", "c-make", *TOOLS])
def test_each_language_finds_its_own_commit(local_install: Install, demo: Sandbox, scenario: str) -> None:
    need_program(TOOLS.get(scenario, "make"))
    done = local_install.bisect(*ends(demo, scenario), "--runner", "local", "--no-profile")
    check(demo, done, scenario)


@pytest.mark.long
@pytest.mark.docker
@pytest.mark.parametrize("scenario", ["peak-memory", "compiled-c", "c-make", "python-package"])
def test_each_scenario_finds_its_own_commit_in_docker(docker_install: Install, demo: Sandbox, scenario: str) -> None:
    """The heavy import planted for another scenario takes memory too, an eighth: less than is worth naming here."""
    done = docker_install.bisect(*ends(demo, scenario), "--runner", "docker", "--no-profile", "--min-effect", "25%")
    check(demo, done, scenario)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_without_a_change_nobody_is_blamed(local_install: Install, demo: Sandbox, seed: int) -> None:
    """Up to the commit before the planted merge nothing makes counting slower."""
    bad = demo.git("log", "--merges", "--format=%P", "--grep", "hyphens", "main").split()[0]
    repository = ("v1.0", bad, "--repo", demo.top, "--scenario", "python-cpu", "--min-effect", "30%")
    done = local_install.bisect(*repository, "--runner", "local", "--seed", str(seed))
    assert (done.code, done.result["verdict"], done.result["reason"]) == (1, "not_reproduced", "no_change"), done.out
    assert done.result["culprits"] == []
