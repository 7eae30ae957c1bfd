"""What it saves to make several runs at the same moment: the same worlds searched with 1, 2, 4 and 8 runs at a time.

    python -m benchmarks.parallel [--trials 60] [--seed 50127] [--write FILE]

The planner is asked as the engine asks it (`bisector bisect --parallel N`) in the worlds of `benchmarks.search`: 128
commits, a change of so many deviations of a run, builds that take as long as five runs. Time is in runs; as many builds
are made at once as runs. What runs do to each other (memory, clock rate) is not in these worlds.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.search.cells import Cell
from benchmarks.search.ours import Planner
from benchmarks.search.strategies import Trial, play
from benchmarks.search.worlds import Setting

WIDTHS = (1, 2, 4, 8)
CELLS = (
    Cell(regime="gauss"),
    Cell(regime="gauss", effect=1.0),
    Cell(regime="bimodal"),
    Cell(regime="burst"),
    Cell(regime="drift"),
    Cell(regime="build"),
    Cell(regime="gauss", size=4096),
    Cell(regime="gauss", setting=Setting.NO_CHANGE),
)


@dataclass(frozen=True, kw_only=True)
class Played:
    """One search."""

    wall: float
    trial: Trial


def played(cell: Cell, width: int, trial: int, seed: int) -> Played:
    """One search of a world of the cell, `width` runs at a time."""
    world = cell.world(trial, seed)
    found = play(Planner(parallel=width), world)
    return Played(wall=world.clock, trial=found)


def row(cell: Cell, width: int, searches: Sequence[Played], alone: float) -> str:
    """A line of the table; `alone` is the time it takes one run at a time."""
    wall, trials = [each.wall for each in searches], [each.trial for each in searches]
    mean, error = statistics.fmean(wall), statistics.stdev(wall) / len(wall) ** 0.5
    stated = [trial.stated for trial in trials if trial.stated is not None]
    cells = (
        f"{cell.regime}{'' if cell.setting is Setting.SINGLE else ', no change'}, d = {cell.effect:g}"
        f"{'' if cell.size == 128 else f', N = {cell.size}'}",
        str(width),
        f"{mean:.0f} ± {error:.0f}",
        f"{mean / alone:.2f}",
        f"{statistics.fmean(trial.runs for trial in trials):.0f}",
        f"{statistics.fmean(trial.builds for trial in trials):.1f}",
        f"{sum(trial.right for trial in trials)} of {len(trials)}",
        str(sum(trial.false_culprit for trial in trials)),
        f"{statistics.fmean(stated):.3f}" if stated else "–",
    )
    return f"| {' | '.join(cells)} |"


def table(trials: int, seed: int) -> Iterator[str]:
    """The table, a line at a time."""
    yield "| cell | `--parallel` | time in runs | ratio | runs | builds | right | wrong names | stated |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    with ProcessPoolExecutor() as pool:
        for cell in CELLS:
            alone = 0.0
            for width in WIDTHS:
                going = [pool.submit(played, cell, width, trial, seed) for trial in range(trials)]
                searches = [each.result() for each in going]
                alone = alone or statistics.fmean(each.wall for each in searches)
                yield row(cell, width, searches, alone)


def main() -> None:
    """Play and print, and write where it is asked for."""
    parser = argparse.ArgumentParser(description="What several runs at the same moment save.")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seed", type=int, default=50127)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    lines = []
    for line in table(asked.trials, asked.seed):
        lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    if asked.write is not None:
        command = f"`python -m benchmarks.parallel --trials {asked.trials} --seed {asked.seed}`"
        asked.write.write_text("\n".join([f"# Several runs at the same moment\n\n{command}\n", *lines]) + "\n")


if __name__ == "__main__":
    main()
