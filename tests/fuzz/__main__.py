"""Fuzz the parsers for real, guided by what they reach.

    python -m tests.fuzz --seconds 120 [--target NAME ...]

Each target runs in a process of its own, from the inputs that are kept and from real files. What a parser chokes on is
put into tests/fuzz/corpus and told; the exit code is 1 then. What only reached new code is kept below --reached.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from tests.fuzz.targets import CORPUS, TARGETS, kept

LONGEST = 16384
MEGABYTES = 1024
PATIENCE = 10
"""Seconds that one input may take."""


def arguments() -> argparse.Namespace:
    """What to fuzz and for how long."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the parsers.")
    parser.add_argument("--seconds", type=int, default=120, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="so many at once; one a processor by default")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="all by default")
    parser.add_argument("--reached", type=Path, default=Path(".bench/fuzz"), help="inputs that reached something new")
    return parser.parse_args()


def fuzz(name: str, seconds: int, reached: Path) -> bool:
    """Fuzz one target; whether it held."""
    own = reached / name
    own.mkdir(parents=True, exist_ok=True)
    for content in (*TARGETS[name].seed_inputs(), *(path.read_bytes() for path in kept(name))):
        (own / sha256(content).hexdigest()[:16]).write_bytes(content)
    with tempfile.TemporaryDirectory() as found:
        command = [sys.executable, "-m", "tests.fuzz.child", name, str(own), f"-max_total_time={seconds}"]
        limits = [f"-max_len={LONGEST}", f"-timeout={PATIENCE}", f"-rss_limit_mb={MEGABYTES}"]
        done = subprocess.run(
            [*command, *limits, f"-artifact_prefix={found}/", "-print_final_stats=1"],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        inputs = [path.read_bytes() for path in Path(found).iterdir()]
    executed = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    sys.stdout.write(f"{name}: {(executed or ['?'])[0]} inputs, {'held' if done.returncode == 0 else 'FAILED'}\n")
    for content in inputs:
        place = CORPUS / name / sha256(content).hexdigest()[:16]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        sys.stdout.write(f"  kept as {place}\n")
    if done.returncode:
        told = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("#")]
        sys.stdout.write("".join(f"  {line}\n" for line in told[-40:]))
    sys.stdout.flush()
    return done.returncode == 0


def main() -> None:
    """Fuzz what was asked for."""
    asked = arguments()
    with ThreadPoolExecutor(asked.jobs) as pool:
        held = list(pool.map(lambda name: fuzz(name, asked.seconds, asked.reached), asked.target or TARGETS))
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
