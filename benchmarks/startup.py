"""How quickly the command line answers, as ratios to an empty Python process, in one run.

python -m benchmarks.startup
"""

import statistics
import subprocess
import sys
import time

BISECTOR = [sys.executable, "-c", "from bisector.cli import main; main()"]
CASES = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import bisector": [sys.executable, "-c", "import bisector"],
    "bisector --help": [*BISECTOR, "--help"],
    "bisector bisect --help": [*BISECTOR, "bisect", "--help"],
    "bisector jobs list --help": [*BISECTOR, "jobs", "list", "--help"],
}
ROUNDS = 15


def main() -> None:
    """Measure in turns and print the medians."""
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, command in CASES.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - began)
    base = statistics.median(taken["python -c pass"])
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name:28} {1000 * middle:7.1f} ms   {middle / base:5.1f} x an empty Python")


if __name__ == "__main__":
    main()
