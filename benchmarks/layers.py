"""What it saves to install dependencies once: the same bisect with and without a layer for them, in one run.

    python -m benchmarks.layers [COMMITS] [PACKAGE ...]

Makes a repository of so many commits (200 unless told otherwise) whose requirements never change, bisects it twice on
the local runner with state and cache of their own, and prints both wall times, how often the dependencies were
installed, and the ratio. Downloads are fetched beforehand, so that neither waits for the network.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.histories import culprit_of, make_history

COMMITS = 200
PACKAGES = ("jinja2", "pyyaml", "requests")
BENCH = 'import json; from lib import LEVEL; print(json.dumps({"steps": LEVEL}))'
SCENARIO = """
name = "{name}"
[build]
{build}
[run]
command = ["python", "{{scenario}}/bench.py"]
env = {{PYTHONPATH = "{{source}}"}}
[[metrics]]
name = "steps"
exact = true
"""


def bisected(root: Path, wheels: Path, commits: int, *, layered: bool) -> tuple[float, int]:
    """Wall seconds of a bisect and how often it installed the dependencies."""
    name = "layered" if layered else "plain"
    count = root / f"{name}.count"
    steps = f'["echo once >> {count}", "pip install --quiet --no-index --find-links {wheels} -r requirements.txt"]'
    build = f'dependency_files = ["requirements.txt"]\ndependency_steps = {steps}' if layered else f"steps = {steps}"
    scenario = root / name
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO.format(name=name, build=build))
    (scenario / "bench.py").write_text(BENCH)
    own = {"BISECTOR_STATE_DIR": str(root / f"{name}-state"), "BISECTOR_CACHE_DIR": str(root / f"{name}-cache")}
    program = str(Path(sys.executable).with_name("bisector"))
    command = [program, "bisect", f"main~{commits}", "main", "--repo", str(root / "git")]
    command += ["--scenario", str(scenario), "--runner", "local", "--no-profile"]
    began = time.monotonic()
    subprocess.run(command, check=True, env={**os.environ, **own}, capture_output=True)
    return time.monotonic() - began, len(count.read_text().splitlines())


def main() -> None:
    """Measure and print."""
    commits = int(sys.argv[1]) if len(sys.argv) > 1 else COMMITS
    packages = sys.argv[2:] or PACKAGES
    with tempfile.TemporaryDirectory(prefix="bisector-layers-") as directory:
        root = Path(directory)
        wheels = root / "wheels"
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels), *packages]
        subprocess.run(fetch, check=True)
        culprit = culprit_of(commits)
        make_history(
            root / "git",
            commits,
            lambda number: {
                "lib.py": f"LEVEL = {150 if number >= culprit else 100}",
                "number.txt": str(number),
                "requirements.txt": "\n".join(packages),
            },
        )
        plain, times = bisected(root, wheels, commits, layered=False)
        once, installed = bisected(root, wheels, commits, layered=True)
    print(f"{commits} commits; without a layer {plain:.1f} s, {times} installations")
    print(f"with it {once:.1f} s, {installed}; ratio {once / plain:.2f}")


if __name__ == "__main__":
    main()
