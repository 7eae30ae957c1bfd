"""Play the bench and write its tables.

    python -m benchmarks.search --cells aim --trials 200 --processes 1

Every trial is kept under --cache as it is played: a run that was stopped goes on where it stood.
"""

import argparse
from pathlib import Path

from benchmarks.search.campaign import CALIBRATED, OURS, THIRD, Campaign, one_thread_each
from benchmarks.search.cells import SEED, TABLES, cells_named
from benchmarks.search.kept import with_peers
from benchmarks.search.knowing import FLOORS
from benchmarks.search.ours import Planner
from benchmarks.search.peers import PEERS
from benchmarks.search.plots import write_calibration_plot, write_costs
from benchmarks.search.replay import read_recording, replay
from benchmarks.search.summaries import calibration
from benchmarks.search.tables import by_kind_of_noise, summaries, write_calibration, write_tables

EVERY_STRATEGY = ",".join([OURS, CALIBRATED, *PEERS])


def arguments() -> argparse.Namespace:
    """What to play and where to write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search", description="Play the bench of the search and write its tables."
    )
    parser.add_argument("--cells", default="aim", help=f"a table ({', '.join(TABLES)}) or a part of a cell's name")
    parser.add_argument("--calibration", action="store_true", help="stated probability against the share right")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FILE", help="events files of real jobs to play on")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--strategies",
        default=EVERY_STRATEGY,
        help=f"names with commas between; beside the usual ones {', '.join([THIRD, *FLOORS])}",
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--cache", type=Path, default=Path(".bench/search"))
    parser.add_argument("--out", type=Path, default=Path("docs/search"))
    return parser.parse_args()


def replay_all(files: list[Path], strategies: list[str], trials: int, seed: int) -> None:
    """Print how each strategy fares on worlds made of recorded jobs."""
    for recording in map(read_recording, files):
        cost, effect = f"{recording.build_cost:.2g} runs a build", f"{recording.effect:.1f} deviations"
        print(f"{recording.name}: {recording.size} candidates, {effect}, {cost}; seed {seed}")
        for name in strategies:
            strategy = PEERS.get(name) or Planner()
            played = list(replay(recording, strategy, trials, seed))
            right = sum(trial.right for trial in played)
            spent = sum(trial.cost for trial in played) / trials
            print(f"  {name:12s} {right:3d} of {trials} right at {spent:.0f}", flush=True)


def main() -> None:
    """Play what is missing."""
    asked = arguments()
    one_thread_each()
    if asked.replay:
        playing = [name for name in asked.strategies.split(",") if name not in {CALIBRATED, THIRD}]
        replay_all(asked.replay, playing, asked.trials, asked.seed)
        return
    cells = "calibration" if asked.calibration else asked.cells
    strategies = OURS if asked.calibration else asked.strategies
    command = f"python -m benchmarks.search {'--calibration' if asked.calibration else f'--cells {cells}'}"
    command += f" --trials {asked.trials}"
    if not asked.calibration and asked.strategies != EVERY_STRATEGY:
        command += f" --strategies {asked.strategies}"
    campaign = Campaign(
        cells=cells_named(cells),
        strategies=tuple(strategies.split(",")),
        trials=asked.trials,
        seed=asked.seed,
        cache=asked.cache,
    )
    print(f"seed {asked.seed}, {asked.trials} trials a cell, {len(campaign.cells)} cells")
    for done in campaign.play(asked.processes):
        print(done, flush=True)
    if asked.calibration:
        write_calibration(campaign, command, asked.out)
        write_calibration_plot(calibration(by_kind_of_noise(campaign)["all"]), asked.out)
    else:
        write_tables(campaign, asked.cells, command, asked.out)
        found = with_peers(summaries(campaign), campaign, asked.out / f"{asked.cells}.json")
        write_costs(found, asked.cells, asked.out)
    print(f"written to {asked.out}")


if __name__ == "__main__":
    main()
