"""The image that is built from the Dockerfile: commands, and the server without root's rights."""

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector import __version__
from tests.helpers.installs import BASE_IMAGE, need_engine
from tests.helpers.repositories import Sandbox

TOP = Path(__file__).parents[2]
READY = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8372/ready', timeout=3)"
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")
"""As compose.yaml runs it."""

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.xdist_group("image")]


def docker(*arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False)


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    need_engine()
    name = f"bisector-test-{uuid.uuid4().hex[:8]}"
    built = docker("build", "--build-arg", f"BASE={BASE_IMAGE}", "--tag", name, str(TOP), seconds=900)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    yield name
    docker("rmi", "--force", name)


def test_it_is_the_command(image: str) -> None:
    done = docker("run", "--rm", image, "--version")
    assert (done.returncode, done.stdout.split()[-1]) == (0, __version__), done.stderr


@pytest.mark.parametrize(("place", "code"), [("/repository", 0), ("/repository/deep", 0), ("/elsewhere", 2)])
def test_a_repository_of_somebody_else_is_trusted_where_it_is_mounted_to_be_read(
    image: str, tmp_path: Path, place: str, code: int
) -> None:
    sandbox = Sandbox.make(tmp_path / "work")
    first, _ = sandbox.commit("first", {"deep/file": "x"}), sandbox.commit("second")
    mount = f"{sandbox.top}:{place.removesuffix('/deep')}:ro"
    asked = ("bisect", "--repo", place, "--runner", "local", "--dry-run", first, "main", "--", "true")
    done = docker("run", "--rm", "--user", "bisector", "--volume", mount, image, *asked)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("belongs to another user" in done.stderr) == (code != 0)


def test_the_server_is_ready_without_roots_rights_and_ends_when_asked(image: str, tmp_path: Path) -> None:
    settings = tmp_path / "bisector.toml"
    settings.write_text('[server]\ntoken_env = ["THE_TOKEN"]\n')
    settings.chmod(0o644)
    told = ("--env", "THE_TOKEN=only-for-this-test", "--env", "BISECTOR_CONFIG=/etc/bisector.toml")
    flags = (
        "--detach",
        "--user",
        "bisector",
        "--init",
        *HARDENED,
        *told,
        "--volume",
        f"{settings}:/etc/bisector.toml:ro",
    )
    started = docker("run", *flags, image, "serve", "--host", "0.0.0.0")
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    try:
        give_up = time.monotonic() + 60
        while (asked := docker("exec", container, "python3", "-c", READY)).returncode:
            assert time.monotonic() < give_up, asked.stderr + docker("logs", container).stderr
            time.sleep(0.5)
        assert docker("exec", container, "id", "-u").stdout.strip() == "10001"
        assert docker("stop", "--time", "40", container, seconds=90).returncode == 0
        assert docker("inspect", "--format", "{{.State.ExitCode}}", container).stdout.strip() in {"0", "143"}
    finally:
        docker("rm", "--force", "--volumes", container)
