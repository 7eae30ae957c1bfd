"""Settings to ports: the only place that names adapters."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bisector.core.model.request import Request, RunnerName
from bisector.core.model.units import digest
from bisector.engine.background import Background
from bisector.engine.ports import Artifacts, Clock, Locks, Observer, Ports, Repository, Runner
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError
from bisector.settings import Settings, container_build_environment, load_settings, process_environment

if TYPE_CHECKING:
    from bisector.adapters.docker.runner import DockerRunner
    from bisector.adapters.findings import Finding
    from bisector.adapters.store.database import Database
    from bisector.adapters.store.sql_store import SqlStore


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
        from bisector.adapters.store.database import Database, sqlite_url

        return Database(self.settings.database_url or sqlite_url(self.settings.state_dir / "bisector.sqlite3"))

    @cached_property
    def store(self) -> "SqlStore":
        """Jobs and facts."""
        from bisector.adapters.store.sql_store import SqlStore

        return SqlStore(self.database, self.clock)

    @cached_property
    def artifacts(self) -> Artifacts:
        """Files beside the database."""
        from bisector.adapters.store.artifacts import ArtifactFiles

        return ArtifactFiles(self.settings.state_dir)

    def kept(self, sha256: str) -> bytes | None:
        """A file that a job kept; None when it is gone."""
        try:
            return self.artifacts.kept(sha256).read_bytes()
        except (BisectorError, OSError):
            return None

    @cached_property
    def locks(self) -> Locks:
        """Locks among this host's processes."""
        from bisector.adapters.locks import FileLocks

        return FileLocks(self.settings.state_dir / "locks")

    @property
    def instance(self) -> str:
        """Names this installation in labels: what another one left behind is not ours to remove."""
        return digest("instance", str(self.settings.state_dir.resolve()), str(os.getuid()))[:16]

    def repository(self, location: str) -> Repository:
        """The repository at a path or URL."""
        from bisector.adapters.git.repository import GitRepository

        return GitRepository(
            location,
            self.settings.cache_dir,
            self.stop,
            environment=process_environment(),
            submodule_urls=self.settings.submodule_urls,
        )

    def docker(self) -> "DockerRunner":
        """The Docker runner; nothing is asked of the engine yet."""
        from bisector.adapters.docker.runner import DockerRunner

        return DockerRunner(self.instance, self.settings.cache_dir, build_env=container_build_environment())

    def local(self) -> Runner:
        """The local runner."""
        from bisector.adapters.local.runner import LocalRunner

        return LocalRunner(self.settings.cache_dir, host_env=process_environment())

    def runner(self, name: RunnerName) -> Runner:
        """The runner called `name`."""
        return self.docker() if name is RunnerName.DOCKER else self.local()

    def choose_runner(self, wanted: str, image: str | None) -> RunnerChoice:
        """The runner for `wanted` (auto, docker or local): auto takes Docker where it works and an image is named."""
        if wanted == "local":
            return RunnerChoice(runner=self.local(), why="as asked")
        if wanted == "docker":
            return RunnerChoice(runner=self.docker(), why="as asked")
        if image is None:
            return RunnerChoice(runner=self.local(), why="no base image is named")
        docker = self.docker()
        problem = _problem_of(lambda: docker.probe(image))
        if problem is None:
            return RunnerChoice(runner=docker, why="the engine answers and a step runs")
        return RunnerChoice(runner=self.local(), why=f"Docker cannot be used: {problem}")

    def for_request(self, request: Request) -> tuple[Repository, Runner]:
        """The repository and the runner that a request names."""
        if request.runner is RunnerName.SIMULATED:
            return simulated_world(request.repository.partition(":")[2], request.search.seed)
        return self.repository(request.repository), self.runner(request.runner)

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


def look_around(wiring: Wiring, image: str) -> Iterator["Finding"]:
    """Everything `bisector doctor` looks at."""
    from bisector.adapters import findings
    from bisector.adapters.git.fresh import git_version

    def database() -> str:
        wiring.store.jobs()
        return wiring.database.where

    def docker() -> str:
        wiring.docker().probe(image)
        return f"a step runs in {image}"

    yield from findings.machine_findings()
    yield from findings.storage_findings(wiring.settings.state_dir, wiring.settings.cache_dir)
    yield findings.git_finding(git_version())
    yield findings.attempt("database", database)
    yield findings.attempt("Docker", docker, optional=True)
    yield findings.attempt("profilers here", lambda: _profilers(wiring.local()), optional=True)
    yield findings.attempt("profilers, Docker", lambda: _profilers(wiring.docker()), optional=True)


def engine_version(wiring: Wiring) -> str:
    """Which Docker engine there is, or that there is none."""
    try:
        return f"Docker {wiring.docker().version()}"
    except BisectorError:
        return "no Docker engine"


def _profilers(runner: Runner) -> str:
    """What can be had of the profilers with a runner, and why not the rest."""
    from bisector.core.model.profiles import ProfilerName

    unusable = runner.unusable_profilers()
    able = ", ".join(name for name in ProfilerName if name not in unusable) or "none"
    return "; ".join([able, *(f"no {name}: {why}" for name, why in unusable.items())])


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
    package = Path(__file__).parent
    places = [Path("scenarios"), *settings.scenario_dirs]
    if repository_top is not None:
        places.append(repository_top / "scenarios")
    return (*places, package / "scenarios", package.parent / "scenarios")


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
