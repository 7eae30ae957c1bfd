"""What a counter saves: a regression of 3 % in C, searched for by instructions and by wall time, with the cost of both.

    python -m benchmarks.counters --repeats 3

A repository is made in which one commit of 30 digests every 33rd block a second time: 3.0 % more of everything. The
others change comments, add functions that nobody calls and move code about, so that builds differ. Each way is a whole
`bisector bisect` with a state and a cache of its own, in turns, so that the machine does the same to both.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from tests.helpers.installs import BISECTOR
from tests.helpers.repositories import Sandbox

CULPRIT = 19
LIBRARY = """\
#include "digest.h"
{extra}
unsigned digest(const unsigned char *block, unsigned length)
{{
    unsigned state = 2166136261u;
    for (unsigned i = 0; i < length; i++)
        state = (state ^ block[i]) * 16777619u;
    return state;
}}

unsigned digest_all(const unsigned char *text, unsigned blocks)
{{
    unsigned sum = 0;
    for (unsigned i = 0; i < blocks; i++) {{
        sum += digest(text + i * BLOCK, BLOCK);{again}
    }}
    return sum;
}}
"""
HEADER = """\
enum {{ BLOCK = 256 }}; /* version {number} */
unsigned digest(const unsigned char *block, unsigned length);
unsigned digest_all(const unsigned char *text, unsigned blocks);
"""
MAIN = """\
#include "digest.h"
#include <stdio.h>
static unsigned char text[3300 * BLOCK];
int main(void)
{
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = i * 2654435761u >> 24;
    unsigned sum = 0;
    for (int turn = 0; turn < TURNS; turn++)
        sum += digest_all(text, sizeof text / BLOCK);
    printf("%u\\n", sum);
    return 0;
}
"""
AGAIN = "\n        if (i % 33 == 0)\n            sum ^= digest(text + i * BLOCK, BLOCK);"
SCENARIO = """\
name = "digest"
[build]
image = "{image}"
steps = ["cc -O2 -DTURNS={turns} -o digest main.c digest.c"]
[run]
command = ["./digest"]
timeout_seconds = 30
[[metrics]]
name = "instructions"
source = "instructions"
min_effect = 0.02
[[metrics]]
name = "wall"
source = "wall"
min_effect = 0.02
"""


@dataclass(frozen=True)
class Search:
    """What one bisect by one metric answered, and what that took."""

    metric: str
    answer: str
    right: bool
    runs: int
    builds: int
    seconds: float
    wall: str


def make_repository(top: Path, commits: int) -> tuple[Sandbox, str]:
    """The repository, its first commit tagged `good`, and the full name of its culprit, the 19th of 30."""
    made, found = Sandbox.make(top), ""
    for number in range(commits + 1):
        slow = number >= CULPRIT * commits // 30
        spare = (f"\nunsigned spare_{each}(unsigned n) {{ return n * {each}; }}\n" for each in range(number // 3))
        library = LIBRARY.format(extra="".join(spare), again=AGAIN if slow else "")
        files = {"digest.c": library, "digest.h": HEADER.format(number=number), "main.c": MAIN}
        commit = made.commit(f"Change {number}", files)
        found = found or (commit if slow else "")
        if number == 0:
            made.git("tag", "good")
    return made, found


def search(metric: str, where: Path, repository: Path, culprit: str, options: list[str]) -> Search:
    """A bisect by `metric`, in an install of its own."""
    result = where / "result.json"
    env = {**os.environ, "BISECTOR_STATE_DIR": str(where / "state"), "BISECTOR_CACHE_DIR": str(where / "cache")}
    command = [*BISECTOR, "bisect", "good", "main", "--metric", metric]
    command += ["--repo", str(repository), "--no-profile", "--json", str(result), *options]
    began = monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    seconds = monotonic() - began
    if not result.exists():
        raise SystemExit(f"the bisect by {metric} failed: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(result.read_text())
    named = [each["commit"] for each in told["culprits"]]
    chance = "".join(f"with {each['probability']:.1%}" for each in told["culprits"])
    walls = told["counted"]["wall_seconds"] if told["counted"] else None
    return Search(
        metric=metric,
        answer=" ".join(filter(None, (told["verdict"], chance, told["reason"] and f"({told['reason']})"))),
        right=told["verdict"] == "culprit" and named == [culprit],
        runs=told["cost"]["runs"],
        builds=told["cost"]["builds"],
        seconds=seconds,
        wall="" if not walls else f"{walls['old']['median'] * 1e3:.0f} ms → {walls['new']['median'] * 1e3:.0f} ms",
    )


def searches(arguments: argparse.Namespace, top: Path) -> Iterator[Search]:
    """Both ways, in turns, as often as asked."""
    repository, culprit = make_repository(top / "repository", arguments.commits)
    scenario = top / "digest" / "scenario.toml"
    scenario.parent.mkdir()
    scenario.write_text(SCENARIO.format(turns=arguments.turns, image=arguments.image))
    options = ["--scenario", str(scenario), "--runner", arguments.runner, "--max-time", arguments.max_time]
    for number in range(arguments.repeats):
        for metric in ("instructions", "wall"):
            where = top / f"{metric}-{number}"
            where.mkdir()
            yield search(metric, where, repository.top, culprit, options)


def table(found: list[Search]) -> Iterator[str]:
    """A row for each way: the medians, and how often it was right."""
    yield "| by | right | runs | builds | seconds | answer | wall time beside it |"
    yield "|---|---|---|---|---|---|---|"
    for metric in dict.fromkeys(each.metric for each in found):
        own = [each for each in found if each.metric == metric]
        right = f"{sum(each.right for each in own)} of {len(own)}"
        runs, builds, seconds = (median(getattr(each, name) for each in own) for name in ("runs", "builds", "seconds"))
        cells = (metric, right, f"{runs:g}", f"{builds:g}", f"{seconds:.0f}", own[-1].answer, own[-1].wall or "–")
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Make the repository, search it both ways, print what that took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--commits", type=int, default=30)
    parser.add_argument("--turns", type=int, default=200, help="how much the program does; 200 take about 0.2 s")
    parser.add_argument("--runner", default="local", choices=("local", "docker"))
    parser.add_argument("--image", default="python:3.11-slim")
    parser.add_argument("--max-time", default="20m")
    arguments = parser.parse_args()
    where = f"{platform.machine()}, {os.cpu_count()} processors, {arguments.runner} runner"
    print(f"{where}, load {os.getloadavg()[0]:.1f} at the beginning")
    found = []
    with tempfile.TemporaryDirectory(prefix="bisector-counters-") as directory:
        for each in searches(arguments, Path(directory)):
            found.append(each)
            print(f"{each.metric}: {each.answer}, {each.runs} runs, {each.builds} builds, {each.seconds:.0f} s")
    print("\n".join(["", *table(found)]))


if __name__ == "__main__":
    main()
