"""The peak memory of whole bisects, each a process of its own under our helper."""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.overhead.bench import Bench, run_well
from benchmarks.overhead.containers import remove_install
from bisector.core.model.units import Bytes, Seconds

BISECTOR = (sys.executable, "-c", "from bisector.cli import main; main()")
SIMULATED = ("bisect", "good", "bad", "--simulate", "candidates=4096,culprit=1500,effect=0.1,seed=7", "--json", "-")
DEMO = ("demo", "--scenario", "peak-memory")


def peaks(bench: Bench, root: Path, *, engine: bool) -> Iterator[tuple[str, Bytes, Seconds]]:
    """What was bisected, the largest resident memory of bisector or of anything that it started, and how long it took.

    Through our helper, because a child's peak is never below that of the process it was forked from.
    """
    yield "4096 simulated candidates", *_peak(bench, root, *SIMULATED)
    yield "the demo repository, local runner", *_peak(bench, root, *DEMO, "--runner", "local")
    if engine:
        try:
            yield "the demo repository, Docker runner", *_peak(bench, root, *DEMO, "--runner", "docker")
        finally:
            remove_install(root / "state")


def _peak(bench: Bench, root: Path, *arguments: str) -> tuple[Bytes, Seconds]:
    places = {"BISECTOR_STATE_DIR": str(root / "state"), "BISECTOR_CACHE_DIR": str(root / "cache")}
    usage = run_well(bench.session(*BISECTOR, *arguments, **places)).usage
    if usage is None:
        sys.exit("the helper has no figures")
    return usage.peak_memory, usage.wall
