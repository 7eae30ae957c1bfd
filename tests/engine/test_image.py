"""A request that leaves the base image open: looked up once, and known to whoever reads the job."""

from dataclasses import replace

from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import EnvironmentSeen
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.verdict import VerdictKind
from bisector.engine.loop import run_job
from bisector.engine.stop import StopSignal
from bisector.report.reproduce import reproduce_command
from tests.helpers.simulated import Simulation

WORLD = World(candidates=4, culprit=2)


class Engine(SimulatedRunner):
    """A runner with base images, whose tag moves each time it is asked after."""

    name = RunnerName.DOCKER
    asked = 0

    def resolve_image(self, image: str | None) -> str | None:
        """Another id every time."""
        self.asked += 1
        return f"sha256:{self.asked:064x}"

    def environment(self, request: Request) -> EnvironmentSeen:
        """The base image is the toolchain."""
        return replace(super().environment(request), toolchain=request.image_id or "")


def test_the_image_is_looked_up_once_and_is_the_jobs_from_then_on() -> None:
    simulation = Simulation(WORLD)
    runner = Engine(WORLD)
    ports = replace(simulation.ports, runner=runner, background=runner.background)
    asked = simulation.request()
    build = replace(asked.scenario.build, image="python:3.11-slim")
    request = replace(asked, runner=RunnerName.DOCKER, scenario=replace(asked.scenario, build=build))
    job = ports.store.create(request)
    done = run_job(job, ports, StopSignal(), lambda _: None)
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT
    first = f"sha256:{1:064x}"
    assert done.request.image_id == first
    read = Investigation.replay(job, ports.store.job(job).request, ports.store.facts(job))
    assert read.request.image_id == first
    assert f"--image {first}" in reproduce_command(read.request)
    assert runner.asked == 1
    simulation.close()


def test_an_image_that_is_known_is_not_looked_up() -> None:
    asked = Simulation(WORLD).request()
    assert not asked.leaves_image_open
    build = replace(asked.scenario.build, image="python:3.11-slim")
    docker = replace(asked, runner=RunnerName.DOCKER, scenario=replace(asked.scenario, build=build))
    assert docker.leaves_image_open
    known = replace(docker, image_id="sha256:1")
    assert known.on_image("sha256:2") is known
