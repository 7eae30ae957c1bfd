"""Contract: a build tells which packages it was resolved to."""

from dataclasses import replace

import pytest

from bisector.adapters.measure.packages import packages_in
from bisector.core.model.samples import Outcome
from bisector.formats.installed import debian_versions
from tests.adapters.runner.conftest import BASE_IMAGE
from tests.adapters.runner.laboratory import Files, Laboratory
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
