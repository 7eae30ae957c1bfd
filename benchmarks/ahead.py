"""What it saves to build ahead, beside dependencies that are installed once: wall times of the same bisect, in one run.

    python -m benchmarks.ahead [COMMITS] [SECONDS] [ROUNDS]

Makes a repository of so many commits (64 unless told otherwise) whose requirements never change and whose build, after
they are installed, takes so many seconds more (3), which is longer than all runs of a step. Bisects it on the local
runner with and without a layer for the dependencies, one thing at a time and with builds beside, each with state and
cache of its own; every way once a round (1), in an order that turns from round to round. Prints wall times, builds and
ratios to the first way.

The seconds are slept: they stand for a compiler that waits for a core of its own. Where cores are shared, builds beside
each other slow each other down, and building ahead saves less.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.layers import SCENARIO, history

COMMITS, SECONDS, ROUNDS = 64, 3.0, 1
PACKAGES = ("jinja2",)
WAYS = ((False, 1), (False, 2), (False, 4), (True, 1), (True, 2), (True, 4))
"""With a layer for the dependencies or not, and how many things at once."""
BENCH = """
import json, random, time
from lib import LEVEL
time.sleep(0.3)
print(json.dumps({"steps": LEVEL * (1 + 0.01 * random.gauss(0, 1))}))
"""


def bisected(root: Path, wheels: Path, commits: int, seconds: float, way: tuple[bool, int]) -> tuple[float, int, bool]:
    """Wall seconds of a bisect, the builds it made, and whether it was right."""
    layered, jobs = way
    with tempfile.TemporaryDirectory(dir=root) as directory:
        own = Path(directory)
        install = f'["pip install --quiet --no-index --find-links {wheels} -r requirements.txt"]'
        build = f'dependency_files = ["requirements.txt"]\ndependency_steps = {install}\nsteps = ["sleep {seconds}"]'
        if not layered:
            build = f'steps = {install[:-1]}, "sleep {seconds}"]'
        (own / "scenario.toml").write_text(SCENARIO.format(name="ahead", build=build).replace("exact = true\n", ""))
        (own / "bench.py").write_text(BENCH)
        places = {f"BISECTOR_{name}_DIR": str(own / name.lower()) for name in ("STATE", "CACHE")}
        command = [str(Path(sys.executable).with_name("bisector")), "bisect", f"main~{commits}", "main", "--repo"]
        command += [str(root / "git"), "--scenario", str(own), "--runner", "local", "--no-profile", "--no-prior"]
        command += ["--jobs", str(jobs), "--json", "-"]
        began = time.monotonic()
        done = subprocess.run(command, check=True, env={**os.environ, **places}, capture_output=True)
        took = time.monotonic() - began
    answer = json.loads(done.stdout)
    subject = f"c{(commits * 2 // 3 + 1) % 10}"
    return took, answer["cost"]["builds"], [c["subject"] for c in answer["culprits"]] == [subject]


def main() -> None:
    """Measure and print."""
    given = [float(text) for text in sys.argv[1:4]]
    commits, seconds, rounds = [*given, *[COMMITS, SECONDS, ROUNDS][len(given) :]]
    with tempfile.TemporaryDirectory(prefix="bisector-ahead-") as directory:
        root = Path(directory)
        wheels = root / "wheels"
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels), *PACKAGES]
        subprocess.run(fetch, check=True)
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root / "git")], check=True)
        stream = "".join(history(int(commits), "\n".join(PACKAGES)))
        subprocess.run(["git", "-C", str(root / "git"), "fast-import", "--quiet"], input=stream, text=True, check=True)
        found: dict[tuple[bool, int], list[tuple[float, int, bool]]] = {way: [] for way in WAYS}
        for turn in range(int(rounds)):
            for way in WAYS if turn % 2 == 0 else WAYS[::-1]:
                found[way].append(bisected(root, wheels, int(commits), seconds, way))
    print(f"{commits:g} commits, {seconds:g} s of build, {os.cpu_count()} processors, load {os.getloadavg()[0]:.0f}")
    print("| dependencies | `--jobs` | wall | builds | right | ratio |\n|---|---|---|---|---|---|")
    first = statistics.median(took for took, _, _ in found[WAYS[0]])
    for (layered, jobs), runs in found.items():
        took = statistics.median(each for each, _, _ in runs)
        builds, right = statistics.median(each for _, each, _ in runs), sum(each for _, _, each in runs)
        name = "installed once" if layered else "in every build"
        print(f"| {name} | {jobs} | {took:.0f} s | {builds:g} | {right}/{len(runs)} | {took / first:.2f} |")


if __name__ == "__main__":
    main()
