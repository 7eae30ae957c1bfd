"""An unpinned package gets slower while a history changes nothing: the answer is the package, for real."""

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import docker
import pytest

from tests.helpers.counted import counted
from tests.helpers.installs import BASE_IMAGE, Done, Install
from tests.helpers.repositories import Sandbox
from tests.helpers.wheels import publish

pytestmark = [pytest.mark.slow]

WORK = "def step(n):\n    return n * n\n\n\ndef work():\n    return sum(step(n) for n in range({steps}))\n"
FAST, SLOW = WORK.format(steps=2000), WORK.format(steps=4000)
SCENARIO = """
name = "unpinned"
[build]
image = "{image}"
steps = ["python -m pip install --no-index {index} --root-user-action=ignore dependency"]
[run]
command = ["python", "{{scenario}}/bench.py"]
timeout_seconds = 60
"""


def history(at: Path) -> Sandbox:
    """Nine commits that only change a text that nothing reads."""
    made = Sandbox.make(at)
    for number in range(9):
        made.commit(f"Change {number}", {"requirements.txt": "dependency\n", "notes.py": f"NUMBER = {number}\n"})
    return made


def scenario(at: Path, index: str) -> Path:
    settings = SCENARIO.format(image=BASE_IMAGE, index=index)
    return counted(at, settings, prepared="import dependency", work="dependency.work()")


def answered(install: Install, top: Path, index: Path, where: str, runner: str) -> Done:
    """A bisect of the whole history, after one of its first half that was asked before a new version came out."""
    repository = history(top / "repository")
    wanted = ("--repo", repository.top, "--scenario", scenario(top / "unpinned", where), "--runner", runner)
    publish(index, "dependency", "1.0", FAST)
    before = install.bisect("HEAD~8", "HEAD~4", *wanted, "--no-profile")
    assert before.result["verdict"] == "not_reproduced", before.out + before.err
    publish(index, "dependency", "2.0", SLOW)
    return install.bisect("HEAD~8", "HEAD", *wanted, "--no-profile")


def check(done: Done) -> None:
    said = done.out + done.err
    assert (done.code, done.result["verdict"], done.result["reason"]) == (5, "environment_changed", "packages"), said
    assert done.result["culprits"] == []
    assert "The environment changed, not the code" in done.result["sentence"]
    assert "dependency 1.0" in done.result["sentence"]
    assert "dependency 2.0" in done.result["sentence"]
    rebuilt = done.result["rebuilt"]
    assert rebuilt["packages"] == [{"source": "python", "name": "dependency", "old": "1.0", "new": "2.0"}]
    assert rebuilt["caused"] is True
    assert done.result["packages"] == rebuilt["packages"]
    assert rebuilt["again"] == [done.result["good"]]


@pytest.mark.long
def test_on_this_machine_the_answer_names_the_package(local_install: Install, tmp_path: Path) -> None:
    index = tmp_path / "index"
    check(answered(local_install, tmp_path, index, f"--find-links {index}", "local"))


@contextlib.contextmanager
def served(directory: Path) -> Iterator[str]:
    """The directory as a list of links, as containers reach it."""
    directory.mkdir()
    with contextlib.closing(docker.from_env(timeout=60).api) as api:
        network = api.inspect_network("bridge")["IPAM"]["Config"][0]
        gateway = network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory))
    with ThreadingHTTPServer((gateway, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"--find-links http://{gateway}:{server.server_port}/ --trusted-host {gateway}"
        finally:
            server.shutdown()


@pytest.mark.docker
def test_in_docker_the_answer_names_the_package(docker_install: Install, tmp_path: Path) -> None:
    with served(tmp_path / "index") as where:
        check(answered(docker_install, tmp_path, tmp_path / "index", where, "docker"))
