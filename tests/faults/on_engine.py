"""A bisect in containers, and what an install has on the engine: only what bears its label is looked at or removed."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import docker
import docker.errors

from bisector.adapters.docker.layout import INSTANCE, KEY, ROLE
from bisector.engine.stop import StopSignal
from bisector.settings import Settings
from bisector.wiring import Wiring
from tests.faults.interrupted import BENCH, COUNTING
from tests.faults.scenes import Driver, Ended, Scene
from tests.helpers.installs import BASE_IMAGE
from tests.helpers.repositories import Sandbox

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
THERE = re.compile("container|filler|volume|image|Dockerfile|data set")
"""In the name of a place that lies around a step on the engine."""


@dataclass
class EngineScene(Scene):
    """A command of an install that uses the engine; nothing of its own is there when it begins."""

    scratch: set[str] = field(default_factory=set)
    """Unnamed volumes of its containers that were seen: they bear no label."""

    @property
    def instance(self) -> str:
        """What everything that the install makes on the engine is labelled with."""
        return Wiring(StopSignal(), Settings(state_dir=self.place / "state", cache_dir=self.place / "cache")).instance

    def set_up(self) -> None:
        """Begin afresh on the engine as well."""
        self.remove_all()
        super().set_up()

    def type(self, *arguments: str, **options: Any) -> Ended:
        """Run a command, and note which unnamed volumes its containers have when it has ended."""
        ended = super().type(*arguments, **options)
        with engine() as api:
            for container in api.containers(all=True, filters=self._ours):
                mounts = container["Mounts"]
                self.scratch |= {
                    mount["Name"] for mount in mounts if re.fullmatch("[0-9a-f]{64}", mount.get("Name", ""))
                }
        return ended

    def elsewhere(self) -> dict[str, Any]:
        """What of the install is on the engine."""
        with engine() as api:
            named = api.volumes(filters=self._ours)["Volumes"] or []
            every = {volume["Name"] for volume in api.volumes()["Volumes"] or []}
            images = [image["Labels"] for image in api.images(all=True, filters=self._ours)]
            return {
                "containers": [found["Labels"].get(ROLE) for found in api.containers(all=True, filters=self._ours)],
                "images": sorted((labels.get(ROLE, ""), labels.get(KEY, "")) for labels in images),
                # By kind: the rest of a name goes by the image it is seen from, and a Dockerfile makes a new one.
                "volumes": sorted(volume["Name"].rpartition("-")[0] for volume in named),
                "unnamed volumes": len(self.scratch & every),
            }

    def remove_all(self) -> None:
        """Remove everything that bears the install's label."""
        with engine() as api:
            for container in api.containers(all=True, filters=self._ours):
                api.remove_container(container["Id"], force=True, v=True)
            for image in api.images(filters=self._ours):
                with contextlib.suppress(docker.errors.APIError):  # one that went with another
                    api.remove_image(image["Id"], force=True)
            for volume in api.volumes(filters=self._ours)["Volumes"] or []:
                api.remove_volume(volume["Name"], force=True)
        self.scratch.clear()

    @property
    def _ours(self) -> dict[str, str]:
        return {"label": f"{INSTANCE}={self.instance}"}


@contextlib.contextmanager
def engine() -> Iterator[docker.APIClient]:
    """The engine that the tests use."""
    with contextlib.closing(docker.APIClient(ENGINE, timeout=60)) as api:
        yield api


FURNISHED = """\
name = "furnished"
[build]
BUILD
steps = ["cp lib.py made.py"]
[run]
command = ["python3", "{scenario}/load.py", "{port}", "{data.factor}"]
timeout_seconds = 30
[run.service]
command = ["python3", "-m", "http.server", "{port}"]
[run.client]
image = "IMAGE"
[[data]]
name = "factor"
path = "factor"
sha256 = "DIGEST"
[[metrics]]
name = "operations"
exact = true
"""
LOAD = """\
import json, sys, urllib.request
port, factor = sys.argv[1:]
level = urllib.request.urlopen(f"http://127.0.0.1:{port}/made.py").read().split()[2]
print(json.dumps({"operations": int(level) * int(open(factor).read())}))
"""
FACTOR = "3\n"


def contained(forked: Driver, top: Path) -> EngineScene:
    """A bisect of two candidates in containers, whose runs print a number without noise."""
    scenario = COUNTING.replace("[build]\n", f'[build]\nimage = "{BASE_IMAGE}"\n')
    return _scene(forked, top, {"scenario.toml": scenario, "bench.sh": BENCH})


def with_dockerfile(forked: Driver, top: Path) -> EngineScene:
    """The same of a Dockerfile, a file of data, and a service with its load in an image of its own."""
    return _furnished(forked, top, 'dockerfile = "Dockerfile"')


def with_layers(forked: Driver, top: Path) -> EngineScene:
    """The same with what is installed in a layer of its own, on a base image whose Python modules are compiled."""
    installed = 'dependency_files = ["lib.py"]\ndependency_steps = ["cp lib.py /usr/local/installed.py"]'
    return _furnished(forked, top, f'image = "{BASE_IMAGE}"\n{installed}')


def _furnished(forked: Driver, top: Path, build: str) -> EngineScene:
    scenario = FURNISHED.replace("BUILD", build).replace("IMAGE", BASE_IMAGE)
    scenario = scenario.replace("DIGEST", sha256(FACTOR.encode()).hexdigest())
    dockerfile = f"FROM {BASE_IMAGE}\nRUN echo made > /made\n"
    files = {"scenario.toml": scenario, "load.py": LOAD, "factor": FACTOR, "Dockerfile": dockerfile}
    return _scene(forked, top, files)


def _scene(forked: Driver, top: Path, scenario: Mapping[str, str]) -> EngineScene:
    shop = Sandbox.make(top / "shop")
    for number in range(3):
        shop.commit(f"Change {number}", {"lib.py": f"LEVEL = {1000 if number < 1 else 1300}\n# {number}\n"})
    (top / "scenario").mkdir()
    for name, text in scenario.items():
        (top / "scenario" / name).write_text(text)
    ends = ("HEAD~2", "HEAD", "--repo", str(shop.top), "--runner", "docker", "--jobs", "1", "--no-profile")
    scene = EngineScene(forked, top, ("bisect", *ends, "--scenario", str(top / "scenario")))
    scene.environment = {"DOCKER_HOST": ENGINE}
    return scene
