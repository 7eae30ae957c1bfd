"""What a measured run costs beyond the process itself, and how much noise the measuring adds.

    python -m benchmarks.overhead [--repeats N] [--image NAME] [--directory DIR] [--no-memory]

All ways of a table are tried in turn in every round, in one process, so that drift falls on all alike; times are
medians. Noise is told beside the time that the program took of itself in the same run: what is left was added by the
measuring (and by the interpreter's start, which is the same for all). Without a Docker engine the part with containers
is left out, and says so.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.overhead import containers, processes, writes
from benchmarks.overhead.bench import open_bench
from benchmarks.overhead.memory import peaks
from benchmarks.overhead.tables import print_costs, print_peaks, print_spreads
from benchmarks.overhead.timing import loop_of, rounds
from bisector.adapters.local.runner import LocalRunner
from bisector.errors import BisectorError

BENCHMARK_SECONDS = 0.05


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--image", default="python:3.11-slim", help="with python3 in it")
    parser.add_argument("--directory", help="for scratch files, on the disk whose writes count")
    parser.add_argument("--no-memory", action="store_true", help="without the whole bisects")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        root = Path(scratch)
        program = loop_of(BENCHMARK_SECONDS)
        measure_here(root, program, options.repeats)
        engine = measure_in_containers(root, program, options.image, options.repeats)
        if not options.no_memory:
            print("\nPeak memory of bisector itself in whole bisects:")
            with open_bench(LocalRunner(root / "cache", host_env=os.environ), root, None) as bench:
                print_peaks(peaks(bench, root, engine=engine))


def measure_here(root: Path, program: tuple[str, ...], repeats: int) -> None:
    """The part without containers."""
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, load {load:.1f}, {repeats} rounds\n\n`true` on this machine:")
    cache = root / "cache"
    without_compiler = LocalRunner(cache, host_env=os.environ, compiler="no-compiler")
    with (
        open_bench(LocalRunner(cache, host_env=os.environ), root, None) as bench,
        open_bench(without_compiler, root, None) as fallback,
    ):
        print_costs(rounds(processes.costs(bench, fallback), repeats), processes.BARE)
        print("\nA Python loop of about 50 ms on this machine:")
        print_spreads(rounds(processes.spreads(bench, program), repeats))
    print(f"\nKeeping a sample ({root.parent}):")
    with writes.open_writes(root) as ways:
        print_costs(rounds(ways, repeats), writes.BARE)


def measure_in_containers(root: Path, program: tuple[str, ...], image: str, repeats: int) -> bool:
    """The part with containers; whether there is an engine for it."""
    try:
        with containers.open_containers(root, image) as ways:
            print(f"\n`true` in containers of {image}:")
            print_costs(rounds(ways.costs(), repeats), containers.BARE)
            print("\nThe same loop in containers:")
            print_spreads(rounds(ways.spreads(program), repeats))
    except BisectorError as error:
        print(f"\nWithout containers: {error}")
        return False
    return True


if __name__ == "__main__":
    main()
