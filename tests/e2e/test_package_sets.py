"""A commit that moves several packages at once, and packages that moved by themselves: which made it, for real."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_packages import FAST, SLOW, served
from tests.helpers.counted import counted
from tests.helpers.installs import BASE_IMAGE, Done, Install
from tests.helpers.repositories import Sandbox
from tests.helpers.wheels import publish

pytestmark = [pytest.mark.slow]

NAMES = ("alpha", "dependency", "front", "omega")
SCENARIO = """
name = "pinned"
[build]
image = "{image}"
steps = ["python -m pip install --no-index {index} --root-user-action=ignore -r requirements.txt"]
[run]
command = ["python", "{{scenario}}/bench.py"]
timeout_seconds = 60
"""


def release(index: Path, version: str, *, slow: str) -> None:
    """A version of each package: of these one is slower from 2.0 on. `front` brings one along that nobody names."""
    for name in (*NAMES, "deep"):
        source = SLOW if name == slow and version == "2.0" else FAST
        publish(index, name, version, source, (f"deep<={version}",) if name == "front" else ())


def wanted(version: str) -> str:
    return "# what is wanted\n" + "".join(f"{name}=={version}\n" for name in NAMES)


def history(at: Path, asked: tuple[str, str]) -> Sandbox:
    """Nine commits, one of which moves what is asked for and nothing else."""
    made = Sandbox.make(at)
    for number in range(9):
        moved = {"requirements.txt": asked[number >= 5]}
        made.commit(f"Change {number}", moved if number == 5 else {**moved, "notes.py": f"NUMBER = {number}\n"})
    return made


def scenario(at: Path, index: str, measured: str) -> Path:
    settings = SCENARIO.format(image=BASE_IMAGE, index=index)
    return counted(at, settings, prepared=f"import {measured}", work=f"{measured}.work()")


def named(done: Done, package: str) -> dict[str, Any]:
    """The parts of the answer, which names this package alone of all that the commit moves."""
    said = done.out + done.err
    assert done.culprit["subject"] == "Change 5", said
    assert done.culprit["kind"] == "dependency", said
    parts: dict[str, Any] = done.result["parts"]
    assert (parts["kind"], parts["commit"], parts["of"]) == ("packages", done.culprit["commit"], 5), said
    assert parts["answer"] == "one", said
    assert parts["packages"] == [{"source": "python", "name": package, "old": "1.0", "new": "2.0"}]
    assert f"of the 5 packages that moved, {package} 1.0 → 2.0 makes +100 %" in done.result["sentence"]
    return parts


@pytest.mark.long
@pytest.mark.parametrize("slow", ["front", "deep"])
def test_of_packages_that_a_commit_moves_the_one_is_named(local_install: Install, tmp_path: Path, slow: str) -> None:
    index = tmp_path / "index"
    for version in ("1.0", "2.0"):
        release(index, version, slow=slow)
    repository = history(tmp_path / "repository", (wanted("1.0"), wanted("2.0")))
    where = scenario(tmp_path / "pinned", f"--find-links {index}", slow)
    done = local_install.bisect(
        "HEAD~8", "HEAD", "--repo", repository.top, "--scenario", where, "--runner", "local", "--no-profile"
    )
    parts = named(done, slow)
    assert [move["name"] for move in parts["order"]] == [*NAMES, "deep"]
    if slow == "front":
        assert parts["alone"]["enough"] is True, "and without those before it as well"
    else:
        # Without a newer front there is no newer deep: that it makes it alone can be neither shown nor refuted.
        assert parts["alone"]["share"] is None
        assert any(each["moved"] == ["deep"] and each["outcome"] == "build_failed" for each in parts["sets"])


@pytest.mark.long
def test_two_packages_that_make_it_only_together_are_named(local_install: Install, tmp_path: Path) -> None:
    index = tmp_path / "index"
    for version in ("1.0", "2.0"):
        release(index, version, slow="")
        publish(index, "alpha", version, f"VERSION = {version}\n")
    publish(index, "omega", "2.0", "import alpha\n" + FAST.replace("2000", "2000 * int(alpha.VERSION)"))
    repository = history(tmp_path / "repository", (wanted("1.0"), wanted("2.0")))
    where = scenario(tmp_path / "pinned", f"--find-links {index}", "omega")
    done = local_install.bisect(
        "HEAD~8", "HEAD", "--repo", repository.top, "--scenario", where, "--runner", "local", "--no-profile"
    )
    parts, said = done.result["parts"], done.out + done.err
    assert (parts["answer"], [move["name"] for move in parts["packages"]]) == ("interaction", ["alpha", "omega"]), said
    assert "omega 1.0 → 2.0 makes it, but only together with alpha 1.0 → 2.0" in done.result["sentence"]


@pytest.mark.long
def test_of_packages_that_moved_by_themselves_the_one_is_named(local_install: Install, tmp_path: Path) -> None:
    index = tmp_path / "index"
    asked = "".join(f"{name}\n" for name in NAMES)
    repository = history(tmp_path / "repository", (asked, asked))
    where = scenario(tmp_path / "pinned", f"--find-links {index}", "omega")
    how = ("--repo", repository.top, "--scenario", where, "--runner", "local", "--no-profile")
    release(index, "1.0", slow="omega")
    assert local_install.bisect("HEAD~8", "HEAD~4", *how).result["verdict"] == "not_reproduced"
    release(index, "2.0", slow="omega")
    done = local_install.bisect("HEAD~8", "HEAD", *how)
    said = done.out + done.err
    assert (done.code, done.result["verdict"], done.result["reason"]) == (5, "environment_changed", "packages"), said
    parts = done.result["parts"]
    assert (parts["answer"], parts["of"]) == ("one", 5), said
    assert parts["packages"] == [{"source": "python", "name": "omega", "old": "1.0", "new": "2.0"}]
    assert "Of the 5 packages that moved, omega 1.0 → 2.0 makes +100 %" in done.result["sentence"]


@pytest.mark.long
@pytest.mark.docker
def test_in_docker_the_package_is_named(docker_install: Install, tmp_path: Path) -> None:
    with served(tmp_path / "index") as served_at:
        for version in ("1.0", "2.0"):
            release(tmp_path / "index", version, slow="front")
        repository = history(tmp_path / "repository", (wanted("1.0"), wanted("2.0")))
        where = scenario(tmp_path / "pinned", served_at, "front")
        done = docker_install.bisect(
            "HEAD~8", "HEAD", "--repo", repository.top, "--scenario", where, "--runner", "docker", "--no-profile"
        )
        named(done, "front")
