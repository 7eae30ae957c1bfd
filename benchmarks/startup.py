"""How quickly the command line answers, as ratios to an empty Python process, in one run.

python -m benchmarks.startup
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

BISECTOR = [sys.executable, "-c", "from bisector.cli import main; main()"]
CASES = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import bisector": [sys.executable, "-c", "import bisector"],
    "bisector --help": [*BISECTOR, "--help"],
    **{
        f"bisector {line}": [*BISECTOR, *line.split()]
        for line in ("bisect --help", "jobs list --help", "profile --help", "scenario run --help", "doctor --help")
    },
    "bisector jobs list": [*BISECTOR, "jobs", "list"],
}
ROUNDS = 15


def main() -> None:
    """Measure in turns and print the medians."""
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "BISECTOR_STATE_DIR": state}
        for _ in range(ROUNDS):
            for name, command in CASES.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
                taken[name].append(time.perf_counter() - began)
    base = statistics.median(taken["python -c pass"])
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name:28} {1000 * middle:7.1f} ms   {middle / base:5.1f} x an empty Python")


if __name__ == "__main__":
    main()
