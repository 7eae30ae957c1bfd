"""Whether a compiler's luck is blamed: real bisects of compiled C whose hot loop may lie elsewhere in every commit.

    python -m benchmarks.layout [--jobs 10] [--commits 40] [--seed 50127] [--runner local]

Each commit changes how much code lies before a loop, which moves the loop, and where it begins in a line of the cache
decides on a good part of its speed, though nobody touched it. In half of the histories one commit makes the loop do
more, too. Each history is bisected twice by the command line, with a state of its own: as the compiler puts the code,
and with a layout drawn for every fresh build (`{layout}` in the steps). What comes out is how often the culprit was
named, or a set that holds it, or somebody else, or nobody, with the runs and builds it took.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.histories import culprit_of, make_history
from benchmarks.no_change import BISECTOR

COLD = 60
"""Most statements of the code that lies before the loop."""
LIBRARY = """
unsigned cold(unsigned x) {
    %s
    return x;
}

unsigned hash_words(const char *text, long size) {
    unsigned hash = 0;
    long i = 0;
    while (i < size) {
        unsigned word = 0;
        while (i < size && text[i] == ' ') i++;
        while (i < size && text[i] != ' ') { word = word * 31u + (unsigned char)text[i]; i++; }
        %s
        if (word & 1) hash ^= word; else hash += word;
    }
    return hash;
}
"""
MORE = "for (int k = 0; k < 8; k++) word = (word << 5) ^ (word >> 3);"
BENCH = r"""
#include <stdio.h>
#include <stdlib.h>

#ifndef LAYOUT
#define LAYOUT 0
#endif
#define AS_TEXT(x) #x
#define TEXT(x) AS_TEXT(x)
__asm__(".section .text.unlikely.layout,\"axR\"\n.rept " TEXT(LAYOUT) " % 4096\nnop\n.endr\n.text");

unsigned hash_words(const char *, long);

int main(void) {
    enum { SIZE = 1 << 16, ROUNDS = 2000 };
    char *text = malloc(SIZE);
    unsigned x = 1, hash = 0;
    if (!text) return 1;
    for (long i = 0; i < SIZE; i++) {
        x = x * 1103515245u + 12345u;
        text[i] = (x >> 16) % 5 ? 'a' + (x >> 20) % 26 : ' ';
    }
    for (int round = 0; round < ROUNDS; round++) {
        hash ^= hash_words(text, SIZE);
        text[round] = 'a' + hash % 26;
    }
    printf("%u\n", hash);
    return 0;
}
"""
SCENARIO = """
schema = 1
name = "layout"

[build]
image = "python:3.11-slim"
steps = ["%s"]

[run]
command = ["{source}/bench"]

[[metrics]]
name = "cpu"
source = "cpu"
min_effect = 0.05
"""
STEPS = {
    "as compiled": "cc -O2 -o bench lib.c {scenario}/bench.c",
    "drawn": "cc -O2 -DLAYOUT={layout} -o bench lib.c {scenario}/bench.c",
}


@dataclass(frozen=True, kw_only=True)
class History:
    """A repository of so many commits, of which one is to blame or none."""

    place: Path
    commits: int
    culprit: str
    """Its name; "" where nothing but the layout changes."""


def make(place: Path, commits: int, seed: int, *, changed: bool) -> History:
    """A history whose cold code is drawn by `seed`."""
    draw = random.Random(seed)
    sizes = [draw.randrange(COLD) for _ in range(commits + 1)]
    first = culprit_of(commits)

    def files(number: int) -> Mapping[str, str]:
        cold = " ".join(f"x = x * {2 * each + 3}u + {each}u;" for each in range(sizes[number]))
        return {"lib.c": LIBRARY % (cold, MORE if changed and number >= first else "")}

    make_history(place, commits, files)
    asked = ["git", "-C", str(place), "rev-parse", f"main~{commits - first}"]
    name = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return History(place=place, commits=commits, culprit=name if changed else "")


def bisect(history: History, way: str, runner: str, work: Path) -> dict[str, Any]:
    """One job's result."""
    scenario, out = work / "scenario", work / "result.json"
    scenario.mkdir(parents=True)
    (scenario / "scenario.toml").write_text(SCENARIO % STEPS[way])
    (scenario / "bench.c").write_text(BENCH)
    command = [*BISECTOR, f"main~{history.commits}", "main", "--repo", str(history.place), "--scenario", str(scenario)]
    state = {"BISECTOR_STATE_DIR": str(work / "state"), "BISECTOR_CACHE_DIR": str(work / "cache")}
    how = ["--runner", runner, "--no-profile", "--direction", "either", "--json", str(out)]
    done = subprocess.run([*command, *how], env={**os.environ, **state}, capture_output=True, text=True, check=False)
    if not out.exists():
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def judged(history: History, result: Mapping[str, Any]) -> str:
    """What the answer was worth."""
    named = [culprit["set"] for culprit in [*result["culprits"], *result["opposite"]]]
    if not named:
        return "nobody"
    if any(history.culprit not in each for each in named):
        return "somebody else"
    return "the culprit" if named == [[history.culprit]] else "a set with it"


def main() -> None:
    """Make, bisect, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10, help="histories with a change, and as many without one")
    parser.add_argument("--commits", type=int, default=40)
    parser.add_argument("--seed", type=int, default=50127)
    parser.add_argument("--runner", default="local")
    options = parser.parse_args()
    print("| layout | what changes the loop | named | runs | builds |")
    print("|---|---|---|---|---|")
    for changed in (True, False):
        for way in STEPS:
            with tempfile.TemporaryDirectory() as scratch:
                answers, costs = Counter[str](), []
                for job in range(options.jobs):
                    work = Path(scratch) / str(job)
                    history = make(work / "repository", options.commits, options.seed + job, changed=changed)
                    result = bisect(history, way, options.runner, work)
                    answers[judged(history, result)] += 1
                    costs.append(result["cost"])
            told = ", ".join(f"{answer} {count}" for answer, count in answers.most_common())
            runs, builds = (median(cost[what] for cost in costs) for what in ("runs", "builds"))
            print(f"| {way} | {'one commit' if changed else 'nothing'} | {told} | {runs:g} | {builds:g} |", flush=True)


if __name__ == "__main__":
    main()
