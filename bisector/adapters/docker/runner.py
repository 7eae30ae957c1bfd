"""The runner in containers."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bisector.adapters.docker import images
from bisector.adapters.docker.beside import beside_problem
from bisector.adapters.docker.build import build_in_docker
from bisector.adapters.docker.counting import counters_inside
from bisector.adapters.docker.engine import About, Engine
from bisector.adapters.docker.host import engine_facts
from bisector.adapters.docker.layout import LEFTOVERS
from bisector.adapters.docker.leftovers import remove_leftovers
from bisector.adapters.docker.session import DockerSession, measuring_cpus, open_session, probe
from bisector.adapters.docker.sweep import sweep
from bisector.adapters.docker.workshop import make_workshop
from bisector.adapters.measure.counting import counter_facts, unusable
from bisector.adapters.measure.host import fingerprint
from bisector.adapters.measure.lock import locked
from bisector.adapters.measure.profilers import without_tools
from bisector.adapters.measure.together import run_together
from bisector.core.model.builds import Build
from bisector.core.model.counting import CounterTool
from bisector.core.model.facts import EnvironmentSeen
from bisector.core.model.profiles import ProfilerName
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.units import Bytes
from bisector.engine.ports import BuildOrder, RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault


class DockerRunner:
    """Builds and runs candidates in hardened containers of the engine that DOCKER_HOST names.

    A fence, not a wall: the kernel is shared, and a candidate's code can forge its own figures. `instance` names this
    install of bisector; whatever it leaves on the engine bears that name, and nothing else is ever touched.
    """

    def __init__(self, instance: str, cache: Path, *, build_env: Mapping[str, str], compiler: str = "cc") -> None:
        """`build_env` is set for the steps of a build only: proxies, as they are reached from a container."""
        self._workshop = make_workshop(instance, cache.resolve(), build_env, compiler)

    @property
    def name(self) -> RunnerName:
        """Docker."""
        return RunnerName.DOCKER

    def resolve_image(self, image: str | None) -> str | None:
        """The image's id, pulled if need be; None where a Dockerfile takes its place."""
        if image is None:
            return None
        with Engine() as engine:
            return images.resolve(engine, image)

    def probe(self, image: str) -> None:
        """Run something in a container of `image`, fenced in as a run is; an error when that does not work."""
        with Engine() as engine:
            probe(engine, self._workshop, images.resolve(engine, image))

    def version(self) -> str:
        """The engine's own version."""
        with Engine() as engine:
            return str(engine.info().get("ServerVersion", "of unknown version"))

    def about(self) -> About:
        """What the engine says of itself."""
        with Engine() as engine:
            return engine.about()

    def environment(self, request: Request) -> EnvironmentSeen:
        """The engine's machine and the engine, and what counts there; the toolchain is the base image."""
        with Engine() as engine:
            info = engine.info()
            counter = counter_facts(request, counters_inside(engine, self._workshop, request.image_id))
        facts = {**engine_facts(info), "runner": str(self.name), **counter}
        cpus = measuring_cpus(info, request.scenario.run.cpus)
        details = {
            **facts,
            "cpus": f"cpuset {cpus['cpuset_cpus']}" if "cpuset_cpus" in cpus else f"quota {cpus['nano_cpus'] / 1e9:g}",
            "cgroup": str(info.get("CgroupVersion", "1")),
            "helper": "compiled" if self._workshop.tools.compiled else "python",
            "isolation": "container",
        }
        return EnvironmentSeen(host=fingerprint(facts), toolchain=request.image_id or "", details=details)

    def processors(self) -> int:
        """Those of the engine's machine; 0 where containers cannot be tied to some of them."""
        with Engine() as engine:
            info = engine.info()
        return int(info["NCPU"]) if info.get("CPUSet", True) else 0

    def unusable_counters(self) -> Mapping[CounterTool, str]:
        """perf, and valgrind where it is not installed beside bisector; images are not asked for anything."""
        with Engine() as engine:
            return unusable(counters_inside(engine, self._workshop, None))

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        """Build in a container and keep it as an image, once, however many processes ask."""
        with locked(self._workshop.locks / f"docker-{order.key}", stop), Engine() as engine:
            return build_in_docker(engine, order, self._workshop, stop)

    def holds(self, build: Build) -> bool:
        """Whether the build's image is there."""
        with Engine() as engine:
            image = images.find(engine, build.handle)
        return image is not None and images.is_ours(image, self._workshop.instance, build.key)

    def open(self, build: Build, order: RunOrder, stop: StopSignal) -> AbstractContextManager[DockerSession]:
        """A warm container of the build's image."""
        return open_session(self._workshop, build, order, stop)

    def run_together(self, sessions: Sequence[Session]) -> tuple[RunRecord | InfraFault, ...]:
        """A run in each session, begun at the same moment."""
        return run_together(sessions)

    def unusable_profilers(self) -> Mapping[ProfilerName, str]:
        """Those that are not installed where bisector is, and perf where it cannot look into a container."""
        with Engine() as engine:
            return {**without_tools(self._workshop.tools), **beside_problem(engine.info())}

    def size(self, build: Build) -> Bytes:
        """What the image takes on the disk beyond the one it was made from."""
        with Engine() as engine:
            return images.own_size(engine, build.handle)

    def discard(self, build: Build) -> None:
        """Remove the build's image, if it is ours; InfraFault while a container runs from it."""
        with Engine() as engine:
            image = images.find(engine, build.handle)
            if image is not None and images.is_ours(image, self._workshop.instance, build.key):
                images.remove(engine, image["Id"])
                remove_leftovers(engine, list(filter(None, images.labels_of(image).get(LEFTOVERS, "").split(","))))
        (self._workshop.locks / f"docker-{build.key}").unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what killed processes of this install left on the engine; how many things."""
        with Engine() as engine:
            return sweep(engine, self._workshop)
