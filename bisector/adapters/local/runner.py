"""The runner on this machine."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from bisector.adapters.local.aside import kept_off
from bisector.adapters.local.build import Workshop, build_locally, content_at_hand
from bisector.adapters.local.places import BuildPlace, Cache, purge, remove_tree, size_of
from bisector.adapters.local.session import LocalSession, measuring_cpus, open_session
from bisector.adapters.measure.counting import counter_facts, counters_here, unusable
from bisector.adapters.measure.host import fingerprint, host_facts
from bisector.adapters.measure.lock import Owner, locked, locked_if_free
from bisector.adapters.measure.profilers import perf_problem, ptrace_problem, without_tools
from bisector.adapters.measure.together import run_together
from bisector.adapters.measure.tools import prepare
from bisector.core.model.builds import Build
from bisector.core.model.counting import CounterTool
from bisector.core.model.facts import EnvironmentSeen
from bisector.core.model.profiles import ProfilerName
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.units import Bytes, Seconds
from bisector.engine.ports import BuildOrder, RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault, ScenarioError

_COMPILER_LIMIT: Seconds = 10.0


class LocalRunner:
    """Builds and runs candidates on this machine, as this user.

    THERE IS NO ISOLATION: steps and commands can read, change and send whatever this user can, and `network = "none"`
    is not enforced. A clean environment, directories of their own and an end to every process they start keep runs
    from disturbing each other, not from doing harm. Memory is watched four times a second and not limited by the
    kernel: limits on address space break programs that only reserve it (Go, Java), so a quick burst may go unseen.
    For the demo, for tests, and for machines without Docker.
    """

    def __init__(self, cache: Path, *, host_env: Mapping[str, str], compiler: str = "cc") -> None:
        """`host_env` is what PATH, proxies and certificates are taken from, and nothing else."""
        self._cache = Cache(root=cache.resolve())
        self._workshop = Workshop(
            cache=self._cache,
            tools=prepare(self._cache.root, compiler=compiler),
            host_env=dict(host_env),
        )
        self._owner = Owner(self._cache.owners)
        self._counters = counters_here(self._workshop.tools, self._workshop.host_env.get("PATH"))

    @property
    def name(self) -> RunnerName:
        """Local."""
        return RunnerName.LOCAL

    def resolve_image(self, image: str | None) -> str | None:  # noqa: ARG002  the port's signature
        """None: a build starts from this machine's programs."""
        return None

    def environment(self, request: Request) -> EnvironmentSeen:
        """This machine, its Python, C library and compiler, and what counts on it where something has to."""
        facts = {**host_facts(), "runner": str(self.name), **counter_facts(request, self._counters)}
        details = {
            **facts,
            "cpus": "cpuset " + ",".join(map(str, measuring_cpus(request.scenario.run.cpus))),
            "helper": "compiled" if self._workshop.tools.compiled else "python",
            "isolation": "none",
        }
        return EnvironmentSeen(host=fingerprint(facts), toolchain=self._toolchain(), details=details)

    def processors(self) -> int:
        """Those that this process may use."""
        return len(os.sched_getaffinity(0))

    def unusable_counters(self) -> Mapping[CounterTool, str]:
        """perf where the processor's counters cannot be had, and valgrind where it is not installed."""
        return unusable(self._counters)

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        """Build in a directory of its own, once, however many processes ask."""
        if order.recipe.dockerfile or order.recipe.candidate_dockerfile:
            raise ScenarioError(
                "a Dockerfile can only be built with Docker", where="[build]", then="Use --runner docker, or name steps"
            )
        with ExitStack() as held:
            held.enter_context(locked(self._cache.lock(order.key), stop))
            held.enter_context(kept_off(order.leave_cpus))
            if order.layer is not None:
                held.enter_context(locked(self._cache.lock(order.layer.key), stop, shared=True))
                if not self._cache.build(order.layer.key).complete.exists():
                    raise InfraFault(f"the dependencies in {order.layer.handle} are gone")
            return build_locally(order, self._workshop, stop)

    def holds(self, build: Build) -> bool:
        """Whether the directory is there and was completed."""
        return content_at_hand(self._cache.build(build.key)) is not None

    def open(self, build: Build, order: RunOrder, stop: StopSignal) -> AbstractContextManager[LocalSession]:
        """The build's directory to run in; nobody can remove it meanwhile."""
        return self._open(build, order, stop)

    @contextmanager
    def _open(self, build: Build, order: RunOrder, stop: StopSignal) -> Iterator[LocalSession]:
        with locked(self._cache.lock(build.key), stop, shared=True):
            place = self._cache.build(build.key)
            if not place.complete.exists():
                raise InfraFault(f"the build in {place.root} is gone")
            with open_session(place, order, self._workshop, self._owner, stop) as session:
                yield session

    def run_together(self, sessions: Sequence[Session]) -> tuple[RunRecord | InfraFault, ...]:
        """A run in each session, begun at the same moment."""
        return run_together(sessions)

    def unusable_profilers(self) -> Mapping[ProfilerName, str]:
        """Those that are not installed, perf where the kernel does not let this user record, and py-spy where no
        process may look into another."""
        path = self._workshop.host_env.get("PATH")
        return {**ptrace_problem(), **without_tools(self._workshop.tools), **perf_problem(path)}

    def size(self, build: Build) -> Bytes:
        """What the directory takes on the disk."""
        return size_of(self._cache.build(build.key).root)

    def discard(self, build: Build) -> None:
        """Remove the build's directory; InfraFault while somebody runs it."""
        lock = self._cache.lock(build.key)
        with locked_if_free(lock) as free:
            if not free:
                raise InfraFault(f"the build {build.key[:12]} is in use")
            remove_tree(self._cache.build(build.key).root)
            lock.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove half-made builds and scratch directories of processes that are gone; how many."""
        removed = sum(self._sweep_build(BuildPlace(root=path)) for path in _below(self._cache.builds))
        for path in _below(self._cache.sessions):
            if not self._owner.is_alive(path.name.partition("-")[0]):
                purge(path)
                removed += 1
        self._owner.forget_dead()
        return removed

    def _sweep_build(self, place: BuildPlace) -> bool:
        if place.complete.exists():
            return False
        if place.root.name.startswith("."):  # on its way out when its remover died
            purge(place.root)
            return True
        with locked_if_free(self._cache.lock(place.root.name)) as free:
            unfinished = free and not place.complete.exists()
            if unfinished:
                remove_tree(place.root)
            return unfinished

    def _toolchain(self) -> str:
        """What a build depends on besides its recipe and tree."""
        implementation = f"{platform.python_implementation()} {platform.python_version()}"
        system = f"{platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}".strip()
        return f"{implementation}, {system}, {self._compiler_version()}, {sys.base_prefix}"

    def _compiler_version(self) -> str:
        path = shutil.which("cc", path=self._workshop.host_env.get("PATH"))
        if path is None:
            return "no C compiler"
        try:
            done = subprocess.run([path, "--version"], capture_output=True, timeout=_COMPILER_LIMIT, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return path
        return done.stdout.decode("utf-8", "replace").partition("\n")[0].strip() or path


def _below(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []
