"""Two profiles of 1,000,000 samples in 100,000 distinct stacks each: read, compared, explained.

    python -m benchmarks.profiles [folded|speedscope|bushy]

Each run is a fresh process; prints the median of five, with the processor time and the peak memory of the whole
process. The stacks are those of a made-up program of 5,000 functions that call each other down to 60 levels, each stack
an earlier one with its last few frames changed; `after` has one slower function. The speedscope files hold an entry a
sample, as py-spy writes them; in `bushy` stacks share hardly more than their first frames.
"""

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bisector.core.explain.difference import difference
from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Profile
from bisector.core.explain.suspects import suspects_of
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading

SAMPLES, STACKS, FUNCTIONS, DEEPEST, RUNS = 1_000_000, 100_000, 5_000, 60, 5
SLOW = 77


def stacks(seed: int) -> list[list[int]]:
    """Distinct stacks of a program: each function calls a few others, always the same ones."""
    draw = random.Random(seed)
    calls = [[draw.randrange(FUNCTIONS) for _ in range(6)] for _ in range(FUNCTIONS)]
    found: dict[tuple[int, ...], None] = {(0,): None}
    order: list[tuple[int, ...]] = [(0,)]
    while len(found) < STACKS:
        stack = list(draw.choice(order))
        del stack[max(len(stack) - draw.randrange(3), 1) :]
        for _ in range(draw.randint(1, 4)):
            stack.append(draw.choice(calls[stack[-1]]))
        whole = tuple(stack[:DEEPEST])
        if whole not in found:
            found[whole] = None
            order.append(whole)
    return [list(stack) for stack in sorted(found)]


def bushy_stacks(seed: int) -> list[list[int]]:
    """The same with every stack drawn anew from the first frame on."""
    draw = random.Random(seed)
    calls = [[draw.randrange(FUNCTIONS) for _ in range(6)] for _ in range(FUNCTIONS)]
    found: set[tuple[int, ...]] = set()
    while len(found) < STACKS:
        stack = [0]
        while len(stack) < DEEPEST and draw.random() > 0.03:
            stack.append(draw.choice(calls[stack[-1]]))
        found.add(tuple(stack))
    return [list(stack) for stack in sorted(found)]


def counts(all_stacks: list[list[int]], seed: int, slow: int | None) -> list[int]:
    """Samples of each stack, a million in all; those that end in the slow function are five times as many."""
    draw = random.Random(seed)
    weights = [draw.expovariate(1) * (5 if stack[-1] == slow else 1) + 0.01 for stack in all_stacks]
    drawn = [1] * len(all_stacks)
    for index in draw.choices(range(len(all_stacks)), weights, k=SAMPLES - STACKS):
        drawn[index] += 1
    return drawn


def label(function: int) -> str:
    """A frame as py-spy tells it."""
    package = function % 50
    return f"Package{package}.function_{function} (/srv/app/package{package}/module_{function % 400}.py:{function})"


def write_folded(path: Path, all_stacks: list[list[int]], drawn: list[int]) -> None:
    """One line a stack."""
    with path.open("w") as out:
        for stack, count in zip(all_stacks, drawn, strict=True):
            out.write(f"{';'.join(map(label, stack))} {count}\n")


def write_speedscope(path: Path, all_stacks: list[list[int]], drawn: list[int]) -> None:
    """One entry a sample, in a shuffled order."""
    order = [index for index, count in enumerate(drawn) for _ in range(count)]
    random.Random(1).shuffle(order)
    profile = {
        "type": "sampled",
        "unit": "seconds",
        "name": "",
        "startValue": 0,
        "endValue": 10,
        "samples": [all_stacks[index] for index in order],
        "weights": [0.01] * len(order),
    }
    frames = [
        {"name": label(function).partition(" ")[0], "file": f"/srv/app/module_{function % 400}.py", "line": function}
        for function in range(FUNCTIONS)
    ]
    path.write_text(json.dumps({"$schema": "", "shared": {"frames": frames}, "profiles": [profile]}))


def measure(before: Path, after: Path) -> dict[str, float]:
    """One run: seconds of each part and the peak memory in MiB."""
    reading = Reading(names=Names(roots=("/srv/app",)))
    start = time.perf_counter()
    sides = [Profile(label=path.stem, captures=(read_profile(path.read_bytes(), reading),)) for path in (before, after)]
    read = time.perf_counter()
    found = difference(sides[0], sides[1])
    compared = time.perf_counter()
    suspects = suspects_of(found)
    end = time.perf_counter()
    assert suspects[0].function.frame.name.endswith(f"function_{SLOW}")
    return {
        "read both": read - start,
        "compare": compared - read,
        "explain": end - compared,
        "in all": end - start,
        "processor": time.process_time(),
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "nodes": found.tree.size,
    }


def main() -> None:
    """Make the files, run, print."""
    if sys.argv[1:2] == ["run"]:
        print(json.dumps(measure(Path(sys.argv[2]), Path(sys.argv[3]))))
        return
    kind = sys.argv[1] if len(sys.argv) > 1 else "folded"
    write = {"folded": write_folded, "speedscope": write_speedscope, "bushy": write_folded}[kind]
    with tempfile.TemporaryDirectory() as directory:
        all_stacks = bushy_stacks(1) if kind == "bushy" else stacks(1)
        paths = [Path(directory) / name for name in ("before", "after")]
        for seed, (path, slow) in enumerate(zip(paths, (None, SLOW), strict=True)):
            write(path, all_stacks, counts(all_stacks, seed, slow))
        command = [sys.executable, "-m", "benchmarks.profiles", "run", *map(str, paths)]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
        sizes = ", ".join(f"{path.stat().st_size / 2**20:.0f} MiB" for path in paths)
    print(f"{kind}: two profiles of {SAMPLES:,} samples, {len(all_stacks):,} distinct stacks ({sizes}), {RUNS} runs")
    for name in runs[0]:
        print(f"{name:10} {statistics.median(run[name] for run in runs):10.2f}")


if __name__ == "__main__":
    main()
