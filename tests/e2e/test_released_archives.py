"""A real package's history, one commit a release from its source archives on PyPI, bisected in Docker with pip.

marshmallow 3.12.0 began to check every loaded value through a list of validators, empty or not: loading long lists of
plain values takes 1.5 times as long as with 3.11.1, and neither before nor after does a release differ as much.
"""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.helpers.installs import BASE_IMAGE, Install
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.alone, pytest.mark.long]

PACKAGE = "marshmallow"
RELEASES = (
    *("3.4.0", "3.6.0", "3.7.0", "3.8.0", "3.9.0", "3.10.0", "3.11.0", "3.11.1"),
    *("3.12.0", "3.12.1", "3.13.0", "3.14.0"),
)
SLOWER = "3.12.0"

SCENARIO = """\
name = "load"
[build]
image = "BASE_IMAGE"
steps = ["pip install --no-cache-dir --no-deps --no-build-isolation --break-system-packages ."]
network = "none"
[run]
command = ["python3", "{scenario}/bench.py"]
timeout_seconds = 60
[[metrics]]
name = "loops"
source = "json"
better = "lower"
min_effect = 0.10
"""
BENCH = '''\
"""Processor time of loading two lists, in units of a fixed loop's beside it: a busy machine slows down both alike."""

import json
import time
import warnings

warnings.simplefilter("ignore")

from marshmallow import Schema, fields


class Row(Schema):
    labels = fields.List(fields.String())
    anything = fields.List(fields.Raw())


def seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def loop():
    return sum(number * number for number in range(40_000))


def main():
    row = {"labels": ["a"] * 1000, "anything": [1] * 1000}
    schema = Row()
    schema.load(row)
    print(json.dumps({"loops": [seconds(lambda: schema.load(row)) / seconds(loop) for _ in range(25)]}))


main()
'''


@pytest.fixture(scope="session")
def archives(request: pytest.FixtureRequest) -> Path:
    """The source archives, kept between test runs."""
    kept = request.config.cache.mkdir(f"{PACKAGE}-releases")
    for release in RELEASES:
        if not (kept / f"{PACKAGE}-{release}.tar.gz").exists():
            wanted = (f"--dest={kept}", f"--no-binary={PACKAGE}", "--no-deps", f"{PACKAGE}=={release}")
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *wanted], check=True, timeout=120)
    return kept


@pytest.fixture
def repository(archives: Path, tmp_path: Path) -> Sandbox:
    """One commit and one tag for each release."""
    made = Sandbox.make(tmp_path / "repository")
    for release in RELEASES:
        made.git("rm", "-r", "--quiet", "--ignore-unmatch", ".")
        with tarfile.open(archives / f"{PACKAGE}-{release}.tar.gz") as archive:
            archive.extractall(tmp_path / "unpacked", filter="data")
        (tmp_path / "unpacked" / f"{PACKAGE}-{release}").rename(tmp_path / "release")
        made.write({str(path.relative_to(tmp_path / "release")): path.read_bytes() for path in _files(tmp_path)})
        made.commit(f"Release {release}", {})
        made.git("tag", release)
        (tmp_path / "release").rename(tmp_path / f"done-{release}")
    return made


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "release").rglob("*") if path.is_file()]


def test_the_release_that_made_loading_slower_is_named(
    docker_install: Install, repository: Sandbox, tmp_path: Path
) -> None:
    scenario = tmp_path / "load"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO.replace("BASE_IMAGE", BASE_IMAGE))
    (scenario / "bench.py").write_text(BENCH)
    ends = (RELEASES[0], RELEASES[-1], "--repo", repository.top)
    done = docker_install.bisect(*ends, "--scenario", scenario, "--runner", "docker")
    assert done.culprit["subject"] == f"Release {SLOWER}"
    assert done.culprit["verified"] is True
    assert done.culprit["change"]["relative"] > 0.3
