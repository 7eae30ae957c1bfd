"""Settings to ports: the only place that names adapters."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bisector import __version__
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.units import digest
from bisector.engine.attended import Attendance
from bisector.engine.background import Background
from bisector.engine.ports import Artifacts, Clock, Locks, Observer, Ports, Repository, Runner, Store
from bisector.engine.queue import Processes, Queue, WorkerInfo, WorkerKind
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError
from bisector.settings import Settings, container_build_environment, load_settings, process_environment
from bisector.wiring.queue import inbox_of, make_database, make_queue, stopped_workers

if TYPE_CHECKING:
    from bisector.adapters.docker.runner import DockerRunner
    from bisector.adapters.store.database import Database
    from bisector.adapters.store.sql_store import SqlStore
    from bisector.engine.worker import WorkerPorts


@dataclass(frozen=True, kw_only=True)
class RunnerChoice:
    """A runner, and why it was taken."""

    runner: Runner
    why: str


class Wiring:
    """The adapters of one process, made when they are first wanted."""

    def __init__(self, stop: StopSignal, settings: Settings | None = None) -> None:
        """Nothing is opened yet; settings are read from the environment unless given."""
        self.stop = stop
        self.settings = settings or load_settings()

    @cached_property
    def clock(self) -> Clock:
        """The system's clock."""
        from bisector.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def database(self) -> "Database":
        """The database of jobs and facts."""
        return make_database(self.settings)

    @cached_property
    def store(self) -> "SqlStore":
        """Jobs and facts."""
        from bisector.adapters.store.sql_store import SqlStore

        return SqlStore(self.database, self.clock)

    @cached_property
    def artifacts(self) -> Artifacts:
        """Files beside the database."""
        from bisector.adapters.store.artifacts import ArtifactFiles

        return ArtifactFiles(self.settings.artifacts_dir or self.settings.state_dir, self.stop)

    def kept(self, sha256: str) -> bytes | None:
        """A file that a job kept; None when it is gone."""
        from bisector.engine.telling import kept_file

        return kept_file(self.artifacts)(sha256)

    @cached_property
    def locks(self) -> Locks:
        """Locks among this host's processes."""
        from bisector.adapters.locks import FileLocks

        return FileLocks(self.settings.state_dir / "locks")

    @property
    def instance(self) -> str:
        """Names this installation in labels: what another one left behind is not ours to remove."""
        return digest("instance", str(self.settings.state_dir.resolve()), str(os.getuid()))[:16]

    def repository(self, location: str, stop: StopSignal | None = None) -> Repository:
        """The repository at a path or URL; what is fetched is given up at `stop`, else at that of the process."""
        from bisector.adapters.git.repository import GitRepository

        return GitRepository(
            location,
            self.settings.cache_dir,
            stop or self.stop,
            environment=process_environment(),
            submodule_urls=self.settings.submodule_urls,
        )

    @cached_property
    def queue(self) -> Queue:
        """What waits to be worked on, and who works."""
        return make_queue(self.database, self.clock, self.settings)

    @cached_property
    def processes(self) -> Processes:
        """The processes of this machine."""
        from bisector.adapters.processes import LinuxProcesses

        return LinuxProcesses()

    @property
    def host(self) -> str:
        """This machine, as the queue names it."""
        return self.about_this_worker(WorkerKind.PERSON).host

    def about_this_worker(self, kind: WorkerKind) -> WorkerInfo:
        """What this process says of itself in the queue."""
        from bisector.adapters.processes import about_this_process

        return about_this_process(kind, self.settings.host_classes, __version__, self.settings.host_name)

    def reap(self) -> None:
        """Give up workers that are gone, as every worker does, for commands that look at what they have."""
        self.queue.reap(self.processes, self.host)

    def attendance(self) -> Attendance:
        """What a command that works on a job itself needs to be seen by the workers."""
        info, lease = self.about_this_worker(WorkerKind.PERSON), self.settings.lease_seconds
        return Attendance(queue=self.queue, processes=self.processes, info=info, lease=lease)

    def worker_ports(self) -> "WorkerPorts":
        """What a worker needs."""
        from bisector.engine.worker import WorkerPorts

        def ports_of(job: str, store: Store, stop: StopSignal) -> Ports:
            repository, runner = self.for_request(store.job(job).request, stop)
            return replace(self.ports(repository, runner), store=store)

        return WorkerPorts(
            queue=self.queue,
            locks=self.locks,
            clock=self.clock,
            processes=self.processes,
            open=ports_of,
            unblock=stopped_workers(self.database, self.settings).end,
            build_slots=self.settings.build_slots,
            inbox=inbox_of(self.database, self.host, self.settings.host_classes),
        )

    def docker(self) -> "DockerRunner":
        """The Docker runner; nothing is asked of the engine yet."""
        from bisector.adapters.docker.runner import DockerRunner

        return DockerRunner(
            self.instance,
            self.settings.cache_dir,
            build_env=container_build_environment(),
            watched=self.settings.reject_disturbed,
        )

    def local(self) -> Runner:
        """The local runner."""
        from bisector.adapters.local.runner import LocalRunner

        return LocalRunner(
            self.settings.cache_dir, host_env=process_environment(), watched=self.settings.reject_disturbed
        )

    def runner(self, name: RunnerName) -> Runner:
        """The runner called `name`."""
        return self.docker() if name is RunnerName.DOCKER else self.local()

    def choose_runner(self, wanted: str, image: str | None, *, needs_docker: bool = False) -> RunnerChoice:
        """The runner for `wanted` (auto, docker or local): auto takes Docker where it works and an image is named, and
        where there is nothing to run but images."""
        if wanted == "local":
            return RunnerChoice(runner=self.local(), why="as asked")
        if wanted == "docker":
            return RunnerChoice(runner=self.docker(), why="as asked")
        if needs_docker:
            return RunnerChoice(runner=self.docker(), why="what is run is an image")
        if image is None:
            return RunnerChoice(runner=self.local(), why="no base image is named")
        docker = self.docker()
        problem = _problem_of(lambda: docker.probe(image))
        if problem is None:
            return RunnerChoice(runner=docker, why="the engine answers and a step runs")
        return RunnerChoice(runner=self.local(), why=f"Docker cannot be used: {problem}")

    def for_request(self, request: Request, stop: StopSignal | None = None) -> tuple[Repository, Runner]:
        """The repository and the runner that a request names."""
        if request.runner is RunnerName.SIMULATED:
            return simulated_world(request.repository.partition(":")[2], request.search.seed)
        return self.repository(request.repository, stop), self.runner(request.runner)

    def ports(self, repository: Repository, runner: Runner, observers: tuple[Observer, ...] = ()) -> Ports:
        """Everything a job needs, with `repository` and `runner`."""
        return Ports(
            repository=repository,
            runner=runner,
            store=self.store,
            artifacts=self.artifacts,
            locks=self.locks,
            clock=self.clock,
            background=background_of(runner),
            observers=observers,
        )

    def passing_ports(self, repository: Repository, runner: Runner, observers: tuple[Observer, ...] = ()) -> Ports:
        """The same, with a store that forgets everything with this process, builds apart."""
        from bisector.adapters.in_memory.store import InMemoryStore

        return replace(self.ports(repository, runner, observers), store=InMemoryStore(self.clock))

    def close(self) -> None:
        """Close what was opened."""
        if "database" in self.__dict__:
            self.database.close()


def _problem_of(attempt: Callable[[], object]) -> str | None:
    try:
        attempt()
    except BisectorError as error:
        return error.what
    return None


def simulated_world(text: str, seed: int) -> tuple[Repository, Runner]:
    """A repository and a runner of the simulated world that `text` describes ("candidates=64,culprit=40")."""
    from bisector.adapters.in_memory.repository import SimulatedRepository
    from bisector.adapters.in_memory.runner import SimulatedRunner
    from bisector.adapters.in_memory.world import World

    world = World.parse(f"seed={seed},{text}")
    return SimulatedRepository(world), SimulatedRunner(world)


def background_of(runner: Runner) -> Background:
    """Where builds are made beside the runs of `runner`."""
    if runner.name is RunnerName.SIMULATED:
        from bisector.adapters.in_memory.runner import SimulatedRunner

        if isinstance(runner, SimulatedRunner):
            return runner.background
    from bisector.adapters.threads import Threads

    return Threads()


def simulated_metrics(repository: Repository) -> tuple[str, ...]:
    """The names of the further metrics that a simulated world yields."""
    from bisector.adapters.in_memory.repository import SimulatedRepository

    return repository.further_metrics if isinstance(repository, SimulatedRepository) else ()


def make_repository(directory: Path, stream: bytes, stop: StopSignal) -> None:
    """A repository in `directory` with the history of a fast-import `stream`."""
    from bisector.adapters.git.fresh import make_repository as make

    make(directory, stream, stop)


def schema_differences(database: "Database") -> list[str]:
    """How the database's schema differs from the one this version wants."""
    from bisector.adapters.store.migrate import differences

    with database.reading() as connection:
        return differences(connection)


def upgrade_schema(database: "Database") -> str:
    """Bring the schema up to date; the revision it then has."""
    from bisector.adapters.store.migrate import newest, upgrade

    upgrade(database)
    return newest()


def scenario_directories(settings: Settings, repository_top: Path | None) -> tuple[Path, ...]:
    """Where scenarios are looked for by name, first match first: the working directory, the repository, ours."""
    package = Path(__file__).parent.parent
    places = [Path("scenarios"), *settings.scenario_dirs]
    if repository_top is not None:
        places.append(repository_top / "scenarios")
    return (*places, package / "scenarios", package.parent / "scenarios")


def write_file(path: Path, content: bytes) -> None:
    """Write a file of which nobody ever sees half."""
    from bisector.adapters.durable import write_whole

    write_whole(path, content)


def write_bundle(path: Path, members: Mapping[str, bytes]) -> None:
    """Write an evidence bundle."""
    from bisector.adapters.bundles import write_bundle as write

    write(path, members)


def read_bundle(path: Path) -> dict[str, bytes]:
    """The members of an evidence bundle; UsageError for one that is not what such a bundle is."""
    from bisector.adapters.bundles import read_bundle as read

    return read(path)


def packed_scenario(directory: Path | None) -> Iterator[tuple[str, bytes]]:
    """The kept files of a scenario as members of a bundle."""
    from bisector.adapters.bundles import packed_scenario as packed

    return packed(directory)


def unpack_scenario(members: Mapping[str, bytes], directory: Path) -> None:
    """Write the scenario's files of a bundle below a new directory."""
    from bisector.adapters.bundles import unpack_scenario as unpack

    unpack(members, directory)


def unbundled(directory: Path, file: Path, stop: StopSignal) -> None:
    """A bare repository in a new directory with the commits of a bundle's history."""
    from bisector.adapters.git.transplant import unbundled as unbundle

    unbundle(directory, file, stop)
