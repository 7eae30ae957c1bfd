"""The peak memory of whole bisects, each a process of its own under our helper."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.overhead.bench import Bench, run_well
from benchmarks.overhead.containers import remove_install
from bisector.core.model.units import Bytes, Seconds

PROGRAM = """
import atexit, os
from pathlib import Path
from bisector.cli import main
status = Path("/proc/self/status")
atexit.register(lambda: Path(os.environ["PEAK"]).write_text(status.read_text()))
main()
"""
BISECTOR = (sys.executable, "-c", PROGRAM)
SIMULATED = ("bisect", "good", "bad", "--simulate", "candidates=4096,culprit=1500,effect=0.1,seed=7", "--json", "-")
DEMO = ("demo", "--scenario", "peak-memory")


def peaks(bench: Bench, root: Path, *, engine: bool) -> Iterator[tuple[str, Bytes, Seconds]]:
    """What was bisected, the largest resident memory of bisector's own process, and how long it took.

    Not of what it starts: a program under a memory profiler needs several times what the program does.
    """
    yield "4096 simulated candidates", *_peak(bench, root, *SIMULATED)
    yield "the demo repository, local runner", *_peak(bench, root, *DEMO, "--runner", "local")
    if engine:
        try:
            yield "the demo repository, Docker runner", *_peak(bench, root, *DEMO, "--runner", "docker")
        finally:
            remove_install(root / "state")


def _peak(bench: Bench, root: Path, *arguments: str) -> tuple[Bytes, Seconds]:
    told = root / "peak"
    places = {"BISECTOR_STATE_DIR": str(root / "state"), "BISECTOR_CACHE_DIR": str(root / "cache"), "PEAK": str(told)}
    usage = run_well(bench.session(*BISECTOR, *arguments, **places)).usage
    if usage is None:
        sys.exit("the helper has no figures")
    return _own_peak(told.read_text()), usage.wall


def _own_peak(status: str) -> Bytes:
    # The kernel counts it anew for each program that starts; `ru_maxrss` is never below that of who forked it.
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024
