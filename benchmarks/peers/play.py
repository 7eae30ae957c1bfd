"""One tool on one case: in a clone of its own, within the time that all have, judged by the known commits."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.peers.cases import Case
from benchmarks.peers.tools import RECIPES, SESSION, Tool
from benchmarks.peers.workshop import Workshop

LEAVE_SECONDS = 15.0
NOT_IN_TIME = "not in time"


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of it. Runs and builds are the calls that the scripts counted; `load` is the machine's, before."""

    case: str
    tool: str
    verdict: str
    commits: tuple[str, ...]
    runs: int
    builds: int
    seconds: float
    lines: int
    candidates: int
    load: float


def play(case: Case, tool: Tool, workshop: Workshop, clones: Path, limit_seconds: float) -> Played:
    """Let the tool's user do what they wrote down. What it printed stays in the play's directory, as `printed`."""
    space = workshop.programs[0].parent / "spaces" / case.name / f"{tool.recipe}{tool.settings.get('RUNS', '')}"
    shutil.rmtree(space, ignore_errors=True)
    shutil.copytree(RECIPES / tool.recipe, space)
    git("clone", "--quiet", str(clones.resolve() / case.clone), str(space / "repo"))
    good, bad = (commit_of(space / "repo", ref) for ref in (case.good, case.bad))
    git("-C", str(space / "repo"), "checkout", "--quiet", "--detach", bad)
    own = {"BISECTOR_STATE_DIR": str(space / "state"), "BISECTOR_CACHE_DIR": str(space / "cache"), "HOME": str(space)}
    settings = {"GOOD": good, "BAD": bad, **tool.settings, **workshop.scripts(case, space), **own}
    load, began = os.getloadavg()[0], time.perf_counter()
    in_time = _session(space, workshop.environment(settings), limit_seconds)
    seconds = time.perf_counter() - began
    said = tool.read((space / "printed").read_text(errors="replace"), space) if in_time else ()
    commits = tuple(commit_of(space / "repo", each) for each in said)
    counts = (space / "counts").read_text().split() if (space / "counts").exists() else []
    line = git("-C", str(space / "repo"), "rev-list", "--first-parent", f"{good}..{bad}")
    return Played(
        case=case.name,
        tool=tool.name,
        verdict=verdict_of(case, commits) if in_time else NOT_IN_TIME,
        commits=commits,
        runs=counts.count("run"),
        builds=counts.count("build"),
        seconds=seconds,
        lines=tool.lines,
        candidates=len(line),
        load=load,
    )


def judged(played: Played, case: Case) -> Played:
    """A kept play by what is known of the case now."""
    if played.verdict == NOT_IN_TIME:
        return played
    return replace(played, verdict=verdict_of(case, played.commits))


def verdict_of(case: Case, commits: Sequence[str]) -> str:
    """The answer beside the known commit."""
    if not commits:
        return "no answer"
    if not any(case.holds(each) for each in commits):
        return "wrong"
    return "right" if len(commits) == 1 else f"one of {len(commits)}"


def git(*words: str) -> list[str]:
    """The lines that a git command prints."""
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.splitlines()


def commit_of(clone: Path, ref: str) -> str:
    """The commit's full name."""
    (name,) = git("-C", str(clone), "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    return name


def _session(space: Path, environment: dict[str, str], limit_seconds: float) -> bool:
    """Whether it ended by itself in time. All that it started is ended with it."""
    command = ["sh", "-e", str(space / SESSION)]
    with (space / "printed").open("wb") as printed:
        process = subprocess.Popen(
            command,
            cwd=space / "repo",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(process)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
            if sign is signal.SIGKILL:
                return
