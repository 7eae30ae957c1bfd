"""What `bisector doctor` looks at."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bisector.engine.ports import Runner
from bisector.engine.queue import EntryState
from bisector.errors import BisectorError, EnvironmentFault
from bisector.wiring import Wiring

if TYPE_CHECKING:
    from bisector.adapters.findings import Finding


def look_around(wiring: Wiring, image: str) -> Iterator["Finding"]:
    """Everything `bisector doctor` looks at."""
    from bisector.adapters.findings import attempt, machine
    from bisector.adapters.git.fresh import git_version

    settings = wiring.settings
    directories = {"state": settings.state_dir, "cache": settings.cache_dir}
    if settings.artifacts_dir is not None:
        directories["artifacts"] = settings.artifacts_dir

    yield from machine.machine_findings()
    yield machine.clock_finding()
    yield from machine.storage_findings(directories)
    yield machine.git_finding(git_version())
    yield from _database(wiring)
    yield from _docker(wiring, image)
    yield attempt("profilers here", lambda: _profilers(wiring.local()), optional=True)
    yield attempt("profilers, Docker", lambda: _profilers(wiring.docker()), optional=True)
    yield attempt("counters here", lambda: _counters(wiring.local()), optional=True)
    yield attempt("counters, Docker", lambda: _counters(wiring.docker()), optional=True)


def _database(wiring: Wiring) -> Iterator["Finding"]:
    """The database, and what stands in it of the queue."""
    from bisector.adapters.findings import attempt, service
    from bisector.adapters.store.health import health_of

    try:
        health = health_of(wiring.database, wiring.clock)
    except BisectorError:
        # Once more, for what it says.
        yield attempt("database", lambda: str(health_of(wiring.database, wiring.clock)))
        return
    kind = "SQLite" if wiring.database.is_sqlite else "PostgreSQL"
    yield service.latency_finding(wiring.database.where, f"{kind} {health.version}", health.latency)
    yield service.schema_finding(health.revision, health.differences)
    if wiring.database.is_sqlite:
        yield service.sqlite_finding(health.version, health.journal)
    else:
        yield service.postgresql_finding(health.number, health.version)
        yield service.skew_finding(health.skew or 0.0)
        yield service.messenger_finding(health.messages)
    yield from _queue(wiring)


def _queue(wiring: Wiring) -> Iterator["Finding"]:
    from bisector.adapters.findings import service

    entries, workers = wiring.queue.entries(), wiring.queue.workers()
    waiting = [entry for entry in entries if entry.state is EntryState.WAITING]
    now = wiring.clock.now()
    oldest = max(((now - entry.enqueued).total_seconds() for entry in waiting), default=None)
    there = [row for row in workers if not row.late]
    served = {name for row in there for name in row.info.host_classes}
    yield service.queue_finding(len(waiting), len(entries) - len(waiting), oldest)
    yield from service.worker_findings(
        len(there),
        [row.info.name for row in workers if row.late],
        sorted({entry.order.host_class for entry in waiting} - served),
    )


def _docker(wiring: Wiring, image: str) -> Iterator["Finding"]:
    """The engine: whether something runs in it, its version, its room, who may talk to it."""
    from bisector.adapters.findings import attempt, machine, service

    docker = wiring.docker()

    def probe() -> str:
        docker.probe(image)
        return f"a step runs in {image}"

    yield attempt("Docker", probe, optional=True)
    try:
        about = docker.about()
    except BisectorError:
        return
    yield from service.engine_findings(about.version, about.parts)
    room = machine.room_finding("engine directory", Path(about.root))
    if room is not None:
        yield room
    if about.socket and Path(about.socket).exists():
        yield service.socket_finding(about.socket, Path(about.socket).stat().st_mode)


def engine_version(wiring: Wiring) -> str:
    """Which Docker engine there is, or that there is none."""
    try:
        return f"Docker {wiring.docker().version()}"
    except BisectorError:
        return "no Docker engine"


def _counters(runner: Runner) -> str:
    """What can count instructions with a runner, and why not the rest; EnvironmentFault where nothing can."""
    from bisector.core.model.counting import CounterTool

    why = runner.unusable_counters()
    problems = [f"no {name}: {reason}" for name, reason in why.items()]
    able = [str(name) for name in CounterTool if name not in why]
    if not able:
        advice = "install valgrind (Debian: valgrind) to search by instructions; runs in containers use it as well"
        raise EnvironmentFault("; ".join(problems), then=advice)
    return "; ".join([f"instructions by {able[0]}", *problems])


def _profilers(runner: Runner) -> str:
    """What can be had of the profilers with a runner, and why not the rest."""
    from bisector.core.model.profiles import ProfilerName

    unusable = runner.unusable_profilers()
    able = ", ".join(name for name in ProfilerName if name not in unusable) or "none"
    return "; ".join([able, *(f"no {name}: {why}" for name, why in unusable.items())])
