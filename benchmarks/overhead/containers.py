"""Runs in containers: by the plain tools, and by the Docker runner."""

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
from docker import APIClient

from benchmarks.overhead.bench import Bench, open_bench
from benchmarks.overhead.processes import bare
from benchmarks.overhead.timing import Reading, Way
from bisector.adapters.docker.runner import DockerRunner
from bisector.engine.stop import StopSignal
from bisector.settings import Settings
from bisector.wiring import Wiring

BARE = "a bare docker exec"
LABEL = "io.bisector.instance"


@dataclass(frozen=True, kw_only=True)
class Containers:
    """A bench of the Docker runner, and beside it a plain container of the same image."""

    bench: Bench
    api: APIClient
    image: str
    plain: str

    def costs(self) -> list[Way]:
        """Ways to run `true`."""
        ways = [Way(name=BARE, run=lambda: self._exec("true")), self.bench.measured("by our Docker runner", "true")]
        return ways + self._by_client("docker run, one after the other", ("true",))

    def spreads(self, program: tuple[str, ...]) -> list[Way]:
        """Who takes the time of a program that also takes its own."""
        ways = [
            self.bench.measured("our helper", *program),
            Way(name="a clock around docker exec", run=lambda: self._exec(*program)),
        ]
        return ways + self._by_client("a clock around docker run", program)

    def _by_client(self, name: str, command: tuple[str, ...]) -> list[Way]:
        client = shutil.which("docker")
        if client is None:
            return []
        run = (client, "run", "--rm", "--network", "none", self.image, *command)
        return [Way(name=name, run=lambda: bare(*run))]

    def _exec(self, *command: str) -> Reading:
        made = self.api.exec_create(self.plain, list(command))
        return Reading(own=float(self.api.exec_start(made["Id"]) or 0))


@contextlib.contextmanager
def open_containers(root: Path, image: str) -> Iterator[Containers]:
    """Both, of which nothing stays on the engine; EnvironmentFault when it cannot be used."""
    instance = f"overhead-{uuid.uuid4().hex[:8]}"
    runner = DockerRunner(instance, root / "cache", build_env={})
    image_id = runner.resolve_image(image)
    api = docker.from_env(timeout=60).api
    with contextlib.ExitStack() as stack:
        stack.callback(api.close)
        stack.callback(_remove_everything_of, instance, api)
        bench = stack.enter_context(open_bench(runner, root, image_id))
        made = api.create_container(image, ["sleep", "86400"], labels={LABEL: instance}, network_disabled=True)
        api.start(made["Id"])
        yield Containers(bench=bench, api=api, image=image, plain=made["Id"])


def remove_install(state: Path) -> None:
    """Remove everything from the engine that the bisector with this state directory left there."""
    with contextlib.closing(docker.from_env(timeout=60).api) as api:
        _remove_everything_of(Wiring(StopSignal(), Settings(state_dir=state)).instance, api)


def _remove_everything_of(instance: str, api: APIClient) -> None:
    ours = {"label": f"{LABEL}={instance}"}
    for container in api.containers(all=True, filters=ours):
        api.remove_container(container["Id"], force=True, v=True)
    for image in api.images(filters=ours):
        with contextlib.suppress(docker.errors.APIError):  # one that went with another
            api.remove_image(image["Id"], force=True)
    for volume in api.volumes(filters=ours)["Volumes"] or []:
        api.remove_volume(volume["Name"], force=True)
