"""The runners under test. Without an engine the Docker ones skip at home, and fail where CI says that it is there."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest
from docker import APIClient

from bisector.adapters.docker.runner import DockerRunner
from bisector.adapters.local.runner import LocalRunner
from bisector.adapters.measure.tools import Tools, prepare
from bisector.core.model.builds import Build
from bisector.engine.ports import Runner
from tests.adapters.runner.laboratory import Laboratory
from tests.helpers.installs import BASE_IMAGE, need_engine

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep them in one worker: they measure, and share an install on the engine."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("runner"))
            if item.get_closest_marker("long_locally") and "[local" in item.name:
                item.add_marker(pytest.mark.long)


@pytest.fixture(scope="module", params=["compiled", "python"])
def tools(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """The measuring programs, compiled and in Python: one behaviour."""
    compiler = "cc" if request.param == "compiled" else "no-such-compiler"
    made = prepare(tmp_path_factory.mktemp("tools"), compiler=compiler)
    assert made.compiled is (request.param == "compiled")
    return made


@pytest.fixture(scope="session")
def engine() -> Iterator[APIClient]:
    """The engine itself, for looking behind the runner's back."""
    need_engine()
    with contextlib.closing(docker.from_env(timeout=60).api) as client:
        yield client


@pytest.fixture(scope="session")
def instance(engine: APIClient) -> Iterator[str]:
    """An install of its own on the engine, of which nothing is left afterwards."""
    name = f"tests-{uuid.uuid4().hex[:8]}"
    ours = {"label": f"io.bisector.instance={name}"}
    yield name
    for container in engine.containers(all=True, filters=ours):
        engine.remove_container(container["Id"], force=True, v=True)
    for _ in range(2):  # images first that others are made of are refused once
        for image in engine.images(filters=ours):
            try:
                engine.remove_image(image["Id"], force=True)
            except docker.errors.APIError:
                continue
    for volume in engine.volumes(filters=ours)["Volumes"] or []:
        engine.remove_volume(volume["Name"], force=True)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache directory of both runners."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def docker_runner(instance: str, cache: Path) -> DockerRunner:
    """The Docker runner."""
    return DockerRunner(instance, cache, build_env={})


@pytest.fixture(scope="session")
def local_runner(cache: Path) -> LocalRunner:
    """The local runner."""
    return LocalRunner(cache, host_env=os.environ)


@pytest.fixture(scope="session", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def runner(request: pytest.FixtureRequest) -> Runner:
    """Each runner that passes the contract."""
    found: Runner = request.getfixturevalue(f"{request.param}_runner")
    return found


def _laboratory(runner: Runner, root: Path) -> Laboratory:
    return Laboratory(runner=runner, image_id=runner.resolve_image(BASE_IMAGE), root=root)


@pytest.fixture
def lab(runner: Runner, tmp_path: Path) -> Iterator[Laboratory]:
    """A laboratory of either runner; what is built in it goes with the test."""
    laboratory = _laboratory(runner, tmp_path)
    yield laboratory
    laboratory.clean()


@pytest.fixture
def docker_lab(docker_runner: DockerRunner, tmp_path: Path) -> Iterator[Laboratory]:
    """A laboratory of the Docker runner."""
    laboratory = _laboratory(docker_runner, tmp_path)
    yield laboratory
    laboratory.clean()


@pytest.fixture
def local_lab(local_runner: LocalRunner, tmp_path: Path) -> Iterator[Laboratory]:
    """A laboratory of the local runner."""
    laboratory = _laboratory(local_runner, tmp_path)
    yield laboratory
    laboratory.clean()


@pytest.fixture(scope="session")
def plain(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """A build of a small checkout without steps, for tests that only run something; with Python."""
    laboratory = _laboratory(runner, tmp_path_factory.mktemp("plain"))
    yield laboratory.build({"hello.txt": "hello\n", "tool": "#!/bin/sh\necho a tool\n"}, python=True)
    laboratory.clean()


@pytest.fixture(scope="session")
def docker_plain(docker_runner: DockerRunner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """The same, of the Docker runner."""
    laboratory = _laboratory(docker_runner, tmp_path_factory.mktemp("docker-plain"))
    yield laboratory.build({"hello.txt": "hello\n"}, python=True)
    laboratory.clean()
