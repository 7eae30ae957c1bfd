"""Whether anybody is named where nothing changed: whole bisects of stretches of a real history.

    python -m benchmarks.no_change CLONE --scenario PATH --code PATHSPEC [--code …] [--jobs 20] [--work DIR] [RANGE …]

A stretch is a part of the clone's first-parent line in which no commit touches what the scenario executes (`--code`):
whoever is named in it is named wrongly. The longest are taken, newest first where they are alike, or the ranges given
(`GOOD..BAD`). Each is a job of its own through the command line, with a state of their own, and without
the prior that would tell a commit of documentation from one of code. What comes out is a table, and the share of false
culprits with its exact interval.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.search.summaries import Share

BISECTOR = [sys.executable, "-c", "from bisector.cli import main; main()", "bisect"]
SHORTEST, LONGEST = 6, 40
NAMING = {"culprit", "culprit_set", "several"}
"""Verdicts that say that something changed."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Two commits of the first-parent line, and how many candidates lie between."""

    good: str
    bad: str
    candidates: int


def git(clone: Path, *words: str) -> list[str]:
    """The lines that a git command prints."""
    done = subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def stretches(clone: Path, code: Sequence[str], tip: str) -> list[Stretch]:
    """Where no commit touches `code`, in pieces of at most LONGEST candidates, the longest first."""
    line = git(clone, "rev-list", "--first-parent", tip)
    touching = set(git(clone, "rev-list", "--first-parent", tip, "--", *code))
    found = []
    for begin, end in _between(line, touching):
        for bad in range(begin, end, LONGEST):
            good = min(bad + LONGEST, end)
            if good - bad >= SHORTEST:
                found.append(Stretch(good=line[good], bad=line[bad], candidates=good - bad))
    return sorted(found, key=lambda each: -each.candidates)


def _between(line: Sequence[str], touching: set[str]) -> Iterator[tuple[int, int]]:
    """Positions (newest, oldest) of stretches: the oldest is the commit before which something was touched last."""
    begin = 0
    for position, commit in enumerate(line):
        if commit in touching:
            yield begin, position
            begin = position + 1


def given(clone: Path, text: str) -> Stretch:
    """A range that was asked for."""
    good, _, bad = text.partition("..")
    return Stretch(good=good, bad=bad, candidates=len(git(clone, "rev-list", "--first-parent", f"{good}..{bad}")))


def bisect(clone: Path, stretch: Stretch, options: argparse.Namespace, work: Path) -> dict[str, object]:
    """One job's result, or what it said when there is none, with its seconds."""
    out = work / "result.json"
    out.unlink(missing_ok=True)
    where = ["--repo", str(clone), "--scenario", options.scenario, "--runner", options.runner]
    how = ["--min-effect", options.min_effect, "--no-profile", "--no-prior", "--direction", "either"]
    command = [*BISECTOR, stretch.good, stretch.bad, *where, *how, "--json", str(out)]
    state = {"BISECTOR_STATE_DIR": str(work / "state"), "BISECTOR_CACHE_DIR": str(work / "cache")}
    began = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **state}, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if not out.exists():
        return {"verdict": "no result", "sentence": done.stderr.strip().splitlines()[-1:], "seconds": seconds}
    return {**json.loads(out.read_text()), "seconds": seconds}


def row(stretch: Stretch, result: dict[str, object]) -> str:
    """One line of the table."""
    cost, ends = result.get("cost"), result.get("ends")
    runs, builds = (cost["runs"], cost["builds"]) if isinstance(cost, dict) else ("–", "–")
    change = ends.get("change") if isinstance(ends, dict) else None
    interval = f"{change['low']:+.1%} to {change['high']:+.1%}" if isinstance(change, dict) else "–"
    what = f"{result['verdict']} ({result['reason']})" if result.get("reason") else str(result["verdict"])
    load = os.getloadavg()[0]
    range_ = f"`{stretch.good[:10]}..{stretch.bad[:10]}`"
    cells = (range_, stretch.candidates, what, interval, runs, builds, f"{result['seconds']:.0f}", f"{load:.0f}")
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def told(verdicts: Sequence[str]) -> str:
    """How many of the ranges named something, of those that could be run, with the exact interval."""
    ran = [each for each in verdicts if each != "failed"]
    failed = f"{len(verdicts) - len(ran)} of {len(verdicts)} could not be run"
    if not ran:
        return failed
    named = Share(hits=sum(each in NAMING for each in ran), trials=len(ran))
    low, high = named.interval
    found = f"{named.hits} of {named.trials} named something: {named.value:.0%}, 95 % interval {low:.1%} to {high:.1%}"
    return found if len(ran) == len(verdicts) else f"{found}; {failed}"


def main() -> None:
    """Pick, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("ranges", nargs="*", metavar="GOOD..BAD")
    parser.add_argument("--scenario", required=True, help="directory of the scenario")
    parser.add_argument("--code", action="append", default=[], metavar="PATHSPEC", help="what the scenario executes")
    parser.add_argument("--tip", default="HEAD")
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--runner", default="docker")
    parser.add_argument("--min-effect", default="5%")
    parser.add_argument("--work", type=Path, help="where to keep the jobs; else they are thrown away")
    options = parser.parse_intermixed_args()
    if not options.ranges and not options.code:
        parser.error("say what the scenario executes (--code), or which ranges to take")
    chosen = [given(options.clone, each) for each in options.ranges]
    chosen = chosen or stretches(options.clone, options.code, options.tip)[: options.jobs]
    print("| range | candidates | verdict | change between the ends | runs | builds | seconds | load |")
    print("|---|---|---|---|---|---|---|---|")
    verdicts = []
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for stretch in chosen:
            result = bisect(options.clone, stretch, options, work)
            verdicts.append(str(result["verdict"]))
            print(row(stretch, result), flush=True)
            if result["verdict"] in NAMING:
                print(f"    named: {result.get('sentence')}", flush=True)
    print(f"\n{told(verdicts)}")


if __name__ == "__main__":
    main()
