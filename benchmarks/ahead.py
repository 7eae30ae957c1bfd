"""What it saves to build ahead, beside dependencies that are installed once: wall times of the same bisect, in one run.

    python -m benchmarks.ahead [COMMITS] [ROUNDS]

Makes a repository of so many commits (128 unless told otherwise) whose requirements never change. To install them takes
four seconds and to build a commit on top of them four more, which is longer than the runs of a step. It is bisected on
the local runner with and without a layer for the dependencies, one thing at a time and with builds beside, each with
state and cache of its own; every way once a round (3), in an order that turns from round to round. Prints medians of
the wall times, builds, and ratios to the first way.

The seconds are slept, as if each build had a core of its own: the figures are what the order of things can save. Where
builds share cores they slow each other down, and building ahead saves less.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.histories import culprit_of, make_history, subject_of

COMMITS, ROUNDS = 128, 3
WAYS = ((False, 1), (False, 2), (False, 4), (True, 1), (True, 2), (True, 4))
"""With a layer for the dependencies or not, and how many things at once."""
INSTALL, BUILD = "sleep 4; mkdir -p vendor; cp requirements.txt vendor", "sleep 4"
SCENARIO = """
name = "ahead"
[build]
{build}
[run]
command = ["sh", "{{scenario}}/bench.sh"]
[[metrics]]
name = "steps"
"""
BENCH = """
sleep 0.3
noise=$(od -An -N1 -tu1 /dev/urandom)
echo "{\\"steps\\": $(($(cat level.txt) + noise))}"
"""


def bisected(root: Path, commits: int, way: tuple[bool, int]) -> tuple[float, int, bool]:
    """Wall seconds of a bisect, the builds it made, and whether it was right."""
    layered, jobs = way
    own = Path(tempfile.mkdtemp(dir=root))
    build = f'steps = ["{INSTALL}", "{BUILD}"]'
    if layered:
        build = f'dependency_files = ["requirements.txt"]\ndependency_steps = ["{INSTALL}"]\nsteps = ["{BUILD}"]'
    (own / "scenario.toml").write_text(SCENARIO.format(build=build))
    (own / "bench.sh").write_text(BENCH)
    places = {f"BISECTOR_{name}_DIR": str(own / name.lower()) for name in ("STATE", "CACHE")}
    command = [str(Path(sys.executable).with_name("bisector")), "bisect", f"main~{commits}", "main", "--no-profile"]
    command += ["--repo", str(root / "git"), "--scenario", str(own), "--runner", "local"]
    command += ["--jobs", str(jobs), "--json", "-"]
    began = time.monotonic()
    done = subprocess.run(command, check=True, env={**os.environ, **places}, capture_output=True)
    took = time.monotonic() - began
    answer = json.loads(done.stdout)
    named = [culprit["subject"] for culprit in answer["culprits"]]
    return took, answer["cost"]["builds"], named == [subject_of(culprit_of(commits))]


def main() -> None:
    """Measure and print."""
    given = [int(text) for text in sys.argv[1:3]]
    commits, rounds = [*given, *[COMMITS, ROUNDS][len(given) :]]
    with tempfile.TemporaryDirectory(prefix="bisector-ahead-") as directory:
        root = Path(directory)
        culprit = culprit_of(commits)
        make_history(
            root / "git",
            commits,
            lambda number: {
                "level.txt": "15000" if number >= culprit else "10000",
                "number.txt": str(number),
                "requirements.txt": "some\n",
            },
        )
        found: dict[tuple[bool, int], list[tuple[float, int, bool]]] = {way: [] for way in WAYS}
        for turn in range(rounds):
            for way in WAYS if turn % 2 == 0 else WAYS[::-1]:
                found[way].append(bisected(root, commits, way))
                print(way, found[way][-1], file=sys.stderr, flush=True)
        tell(found, commits)


def tell(found: dict[tuple[bool, int], list[tuple[float, int, bool]]], commits: int) -> None:
    """Print the table."""
    print(f"{commits} commits, {os.cpu_count()} processors, load {os.getloadavg()[0]:.0f}")
    print("| dependencies | `--jobs` | wall | builds | right | ratio |\n|---|---|---|---|---|---|")
    first = statistics.median(took for took, _, _ in found[WAYS[0]])
    for (layered, jobs), runs in found.items():
        took = statistics.median(each for each, _, _ in runs)
        builds, right = statistics.median(each for _, each, _ in runs), sum(each for _, _, each in runs)
        name = "installed once" if layered else "in every build"
        print(f"| {name} | {jobs} | {took:.0f} s | {builds:g} | {right} of {len(runs)} | {took / first:.2f} |")


if __name__ == "__main__":
    main()
