"""Contract: a build tells which packages it was resolved to."""

from dataclasses import replace

import pytest

from bisector.adapters.docker.packages import packages_as_label, packages_from
from bisector.adapters.measure.packages import packages_in
from bisector.adapters.measure.pinned import calls_pip
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import BuildRecipe
from bisector.core.model.units import digest
from bisector.errors import ScenarioError
from bisector.formats.installed import debian_versions
from tests.adapters.runner.laboratory import Files, Laboratory
from tests.helpers.installs import BASE_IMAGE
from tests.helpers.wheels import wheel_of

FOO_FILE, FOO = wheel_of("foo_bar", "1.2", "LEVEL = 1")
BACKEND = """
import pathlib, shutil
def build_wheel(directory, config_settings=None, metadata_directory=None):
    wheel = next(pathlib.Path("own").glob("*.whl"))
    shutil.copy(wheel, directory)
    return wheel.name
"""
PROJECT = """
[project]
name = "own"
version = "7"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
OWN_FILE, OWN = wheel_of("own", "7", "")
INSTALL = "python3 -m pip install --no-index --find-links . --root-user-action=ignore"


def test_installed_packages_are_told_and_the_checkouts_own_is_not(lab: Laboratory) -> None:
    files: Files = {FOO_FILE: FOO, "pyproject.toml": PROJECT, "backend.py": BACKEND, f"own/{OWN_FILE}": OWN}
    build = lab.build(files, steps=(f"{INSTALL} foo-bar", f"{INSTALL} ."), python=True)
    assert build.outcome is Outcome.OK, build.reason
    assert build.packages is not None
    assert build.packages["python:foo-bar"] == "1.2"
    assert "python:own" not in build.packages
    assert lab.run(build, "python3", "-c", "import foo_bar, own").outcome is Outcome.OK


def test_packages_in_a_directory_of_the_checkout_are_told(lab: Laboratory) -> None:
    build = lab.build({FOO_FILE: FOO}, steps=(f"{INSTALL} --target vendor foo-bar",), python=True)
    assert build.packages is not None
    assert build.packages["python:foo-bar"] == "1.2"


def test_a_build_that_is_found_again_knows_its_packages(lab: Laboratory) -> None:
    order = lab.order({FOO_FILE: FOO}, steps=(f"{INSTALL} --target vendor foo-bar",), python=True)
    build, again = lab.make(order), lab.make(order)
    assert again.reused
    assert again.packages == build.packages
    assert again.packages


def test_more_packages_than_a_label_holds_are_not_kept_in_one() -> None:
    few = {f"python:{digest(str(n))}": str(n) for n in range(500)}
    assert packages_from(packages_as_label(few)) == few
    assert packages_from(packages_as_label({})) == {}
    many = {f"python:{digest(str(n))}": str(n) for n in range(5000)}
    assert packages_from(packages_as_label(many)) is None
    assert packages_from(packages_as_label(None)) is None


def test_those_of_the_dependencies_below_a_build_count_as_its_own(lab: Laboratory) -> None:
    layer = lab.build({FOO_FILE: FOO}, steps=(f"{INSTALL} foo-bar",), python=True)
    build = lab.make(replace(lab.order({"a": ""}, steps=("true",), python=True), layer=layer))
    assert build.packages is not None
    assert build.packages["python:foo-bar"] == "1.2"


@pytest.mark.docker
def test_everything_in_an_image_of_a_dockerfile_is_told(docker_lab: Laboratory) -> None:
    docker_lab.image_id = None
    text = f"FROM {BASE_IMAGE}\nCOPY *.whl /w/\nRUN pip install --no-index --find-links /w foo-bar\n"
    build = docker_lab.build({FOO_FILE: FOO, "D": text}, candidate_dockerfile="D")
    assert build.packages is not None, build.reason
    assert build.packages["python:foo-bar"] == "1.2"
    assert "python:pip" in build.packages


STATUS = b"""Package: gcc-12
Status: install ok installed
Version: 12.2.0-14
Description: compiler
 Version: not this

Package: removed
Status: deinstall ok config-files
Version: 1

"""


def test_only_what_the_build_installed_of_a_distribution_is_told() -> None:
    paths = ["/var/lib/dpkg/status", "/var/lib/dpkg/info/gcc-12.list", "/var/lib/dpkg/info/removed:amd64.list"]
    assert packages_in(paths, lambda _: STATUS) == {"debian:gcc-12": "12.2.0-14"}
    assert debian_versions(STATUS) == {"gcc-12": "12.2.0-14"}


def test_a_package_from_a_repository_has_its_commit_for_a_version() -> None:
    paths = ["/v/x_y-1.0.dist-info/METADATA", "/v/x_y-1.0.dist-info/direct_url.json"]
    told = b'{"url": "https://example.org/x", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}'
    assert packages_in(paths, lambda _: told) == {"python:x-y": "1.0 (0123456789ab)"}
    assert packages_in(paths, lambda _: b"[broken") == {"python:x-y": "1.0"}


def test_a_date_reaches_the_steps_and_makes_another_build(lab: Laboratory) -> None:
    steps = ("echo $PIP_UPLOADED_PRIOR_TO $UV_EXCLUDE_NEWER > dates",)
    build = lab.build({"a": ""}, steps=steps, as_of="2026-01-31T00:00:00Z")
    assert lab.run(build, "cat", "dates").stdout == b"2026-01-31T00:00:00Z 2026-01-31T00:00:00Z\n"
    recipes = [
        BuildRecipe(steps=steps, as_of=moment) for moment in ("", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z")
    ]
    assert len({recipe.identity() for recipe in recipes}) == 3


def test_a_pip_that_does_not_know_a_date_is_not_passed_over(lab: Laboratory) -> None:
    files: Files = {FOO_FILE: FOO}
    knows = lab.build(files, steps=("python3 -m pip install --help > help; true",), python=True)
    known = b"--uploaded-prior-to" in lab.run(knows, "cat", "help").stdout
    order = lab.order(files, steps=(f"{INSTALL} foo-bar",), python=True, as_of="2026-01-31T00:00:00Z")
    if known:
        assert lab.make(order).outcome is Outcome.OK
        return
    with pytest.raises(ScenarioError, match="not resolved as of 2026-01-31"):
        lab.make(order)


def test_a_step_without_pip_is_not_asked_for_its_age() -> None:
    assert calls_pip(["python -m pip install x"])
    assert calls_pip(["make", "pip3.11 install ."])
    assert not calls_pip(["uv pip install x", "uv sync", "make pipeline"])


def test_constraints_hold_the_steps_to_their_versions(lab: Laboratory) -> None:
    newer_file, newer = wheel_of("foo_bar", "1.3", "")
    files: Files = {FOO_FILE: FOO, newer_file: newer}
    scenario = {"pins.txt": "foo-bar==1.2\n"}
    for constraints, version in (("", "1.3"), ("pins.txt", "1.2")):
        order = lab.order(files, scenario=scenario, steps=(f"{INSTALL} foo-bar",), python=True, constraints=constraints)
        packages = lab.make(order).packages
        assert packages is not None
        assert packages["python:foo-bar"] == version


NPM = '{"lockfileVersion": 3, "packages": {"node_modules/left-pad": {"version": "1.3.0"}}}'
CARGO = '[[package]]\nname = "serde"\nversion = "1.0.200"\n'


def test_what_npm_and_cargo_resolved_is_told(lab: Laboratory) -> None:
    files: Files = {"npm.json": NPM, "lock": CARGO}
    steps = ("mkdir node_modules", "cp npm.json node_modules/.package-lock.json", "cp lock Cargo.lock")
    packages = lab.build(files, steps=steps).packages
    assert packages == {"npm:left-pad": "1.3.0", "cargo:serde": "1.0.200"}


def test_a_lock_that_cannot_be_read_tells_nothing() -> None:
    assert packages_in(["/b/source/Cargo.lock", "/b/node_modules/.package-lock.json"], lambda _: b"[") == {}
