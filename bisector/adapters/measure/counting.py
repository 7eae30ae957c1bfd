"""What can count here, found out by counting: `perf stat`, then valgrind, and what keeps either from it."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bisector.adapters.measure.tools import Tools
from bisector.core.model.counting import COUNTED_BY, Counter, CounterTool, first_counted, tools_for
from bisector.core.model.request import Request
from bisector.core.model.scenario import Metric
from bisector.core.model.units import Seconds
from bisector.errors import EnvironmentFault, ScenarioError

_TRIAL_LIMIT: Seconds = 60.0
_VERSION = re.compile(r"\d+\.\d+[\w.]*")
NO_VALGRIND = "valgrind is not installed beside bisector (Debian: valgrind)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A tool that was tried: its version, or why it cannot count."""

    version: str = ""
    problem: str = ""


Trials = Mapping[CounterTool, Callable[[], Found]]


def counter_facts(request: Request, trials: Trials) -> dict[str, str]:
    """What counts the metrics asked for on this host, as a fact of the host: counts of two tools are not compared.

    Nothing where nothing has to count. EnvironmentFault where nothing can, with what keeps each tool from it;
    ScenarioError where something else is asked for that the tool would distort.
    """
    wanted, problems = first_counted(request.asked), []
    if wanted is None:
        return {}
    for tool in tools_for(wanted):
        found = trials[tool]()
        if not found.problem:
            _check_company(request, wanted, Counter(tool=tool, source=wanted.source))
            return {COUNTED_BY: f"{tool} {found.version}".strip()}
        problems.append(found.problem)
    raise EnvironmentFault(
        f"{wanted.source} cannot be counted here: {'; '.join(problems)}",
        where=f"metric {wanted.name}",
        then="Install valgrind where bisector runs, or ask for another metric (`--metric`)",
    )


def unusable(trials: Trials) -> dict[CounterTool, str]:
    """The tools that cannot count, with why not."""
    return {tool: found.problem for tool, trial in trials.items() if (found := trial()).problem}


def _check_company(request: Request, wanted: Metric, counter: Counter) -> None:
    """ScenarioError where a metric that is asked for as well is not what it is in runs that are counted so."""
    other = next((metric for metric in request.asked if not counter.tells(metric)), None)
    if other is not None:
        raise ScenarioError(
            f"{other.name} cannot be measured in the runs in which {counter.tool} counts {wanted.name}",
            where="the metrics asked for",
            then=f"Ask for one of them with --metric; the report on {wanted.name} tells wall time beside it",
        )


def counters_here(tools: Tools, path: str | None) -> Trials:
    """What there is to try on this machine, with its programs on `path`; each is tried once."""
    return {
        CounterTool.PERF: cache(lambda: perf_found(path)),
        CounterTool.VALGRIND: cache(lambda: valgrind_found(tools)),
    }


def perf_found(path: str | None) -> Found:
    """perf, where the processor's own counter of instructions can be had; most virtual machines have none."""
    program = shutil.which("perf", path=path)
    if program is None:
        return Found(problem="perf is not installed (Debian: linux-perf)")
    with tempfile.TemporaryDirectory() as directory:
        file = os.path.join(directory, "count")
        done = _run([program, "stat", "-x,", "-e", "instructions:u", "-o", file, "--", "true"])
        if done is None or done.returncode or not os.path.exists(file):
            said = done.stderr.decode("utf-8", "replace").strip().splitlines() if done is not None else []
            return Found(problem=f"perf stat fails: {said[0] if said else 'it does not end'}")
        with open(file, encoding="utf-8", errors="replace") as counted:
            numbers = [line.split(",")[0] for line in counted if "instructions" in line]
    if not any(number.isdigit() for number in numbers):
        return Found(problem=f"the processor's counters cannot be had: perf says {(numbers or ['nothing'])[0]}")
    return Found(version=_version_of([program, "--version"]))


def valgrind_found(tools: Tools) -> Found:
    """The valgrind that is brought along, tried on a program that ends at once."""
    if not tools.has_valgrind:
        return Found(problem=NO_VALGRIND)
    launch = str(tools.directory / "valgrind" / "launch")
    version = _version_of([launch, "--version"])
    with tempfile.TemporaryDirectory() as directory:
        options = ["--command-line-only=yes", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "-q"]
        done = _run([launch, *options, "--", "true"], env={"PATH": os.defpath, "TMPDIR": directory})
    if done is None or done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() if done is not None else []
        return Found(problem=f"valgrind fails: {said[-1] if said else 'it does not end'}")
    return Found(version=version)


def _version_of(command: Sequence[str]) -> str:
    done = _run(command)
    found = _VERSION.search(done.stdout.decode("utf-8", "replace")) if done is not None else None
    return found[0] if found else ""


def _run(command: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(command, capture_output=True, timeout=_TRIAL_LIMIT, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
