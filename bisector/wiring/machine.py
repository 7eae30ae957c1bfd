"""What `bisector doctor` looks at."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bisector.engine.ports import Runner
from bisector.errors import BisectorError
from bisector.wiring import Wiring

if TYPE_CHECKING:
    from bisector.adapters.findings import Finding


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
