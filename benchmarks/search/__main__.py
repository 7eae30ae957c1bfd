"""Play the bench and write its tables.

    python -m benchmarks.search --cells aim --trials 200 --processes 1

Every trial is kept under --cache as it is played: a run that was stopped goes on where it stood.
"""

import argparse
from pathlib import Path

from benchmarks.search.campaign import OURS, Campaign, one_thread_each
from benchmarks.search.cells import SEED, TABLES, cells_named
from benchmarks.search.peers import PEERS


def arguments() -> argparse.Namespace:
    """What to play and where to write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search", description="Play the bench of the search and write its tables."
    )
    parser.add_argument("--cells", default="aim", help=f"a table ({', '.join(TABLES)}) or a part of a cell's name")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--strategies", default=",".join([OURS, *PEERS]), help="names with commas between")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--cache", type=Path, default=Path(".bench/search"))
    parser.add_argument("--out", type=Path, default=Path("docs/search"))
    return parser.parse_args()


def main() -> None:
    """Play what is missing."""
    asked = arguments()
    one_thread_each()
    campaign = Campaign(
        cells=cells_named(asked.cells),
        strategies=tuple(asked.strategies.split(",")),
        trials=asked.trials,
        seed=asked.seed,
        cache=asked.cache,
    )
    print(f"seed {asked.seed}, {asked.trials} trials a cell, {len(campaign.cells)} cells")
    for done in campaign.play(asked.processes):
        print(done, flush=True)


if __name__ == "__main__":
    main()
