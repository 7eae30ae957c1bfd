"""Of the wall time of a whole bisect with runs of a second: what is neither a build nor a run of the program.

    python -m benchmarks.overhead.share [--candidates 64] [--seconds 1] [--noise 0.02]

The program sleeps, so that a busy machine does not make it longer, and writes down when its process began (to a
hundredth of a second) and when it ended; what lies between these times is measuring, everything else is bisector's own:
its start, its decisions, starting processes, keeping facts, and the report. Builds (a step that sleeps as long) are
written down alike. Nothing is profiled. What bisector does once on a machine (it compiles its measuring helper) was
done by a short job before.

Where other things keep the processors busy, the rest is longer than it has to be; the processor time of everything
that was started is told beside it, the interpreters of the sleeping program among them.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.histories import culprit_of, make_history

STEP = 1.15
PROGRAM = """\
import json, os, pathlib, random, sys, time
ticks = int(pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
began = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
seconds = float(pathlib.Path("seconds").read_text()) if sys.argv[1] == "run" else 1.0
time.sleep({seconds} * seconds * random.gauss(1.0, {noise}))
with open({spans!r}, "a") as spans:
    spans.write(json.dumps([sys.argv[1], began, time.time()]) + "\\n")
"""


@dataclass(frozen=True, kw_only=True)
class Span:
    """When a build or a run began and ended, on the wall's clock."""

    kind: str
    began: float
    ended: float


def main() -> None:
    """Bisect once and print where the time went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0, help="that a run at good sleeps")
    parser.add_argument("--noise", type=float, default=0.02, help="relative deviation of a run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bisector-share-") as directory:
        root = Path(directory)
        script = PROGRAM.format(seconds=options.seconds, noise=options.noise, spans=str(root / "spans"))
        (root / "program.py").write_text(script)
        culprit = culprit_of(options.candidates)
        make_history(
            root / "git",
            options.candidates,
            lambda number: {"seconds": str(STEP if number >= culprit else 1.0), "number": str(number)},
        )
        bisected(root, 1, "--max-runs", "2")
        (root / "spans").unlink()
        began, spent = time.time(), processor_seconds()
        verdict = bisected(root, options.candidates)
        whole, spent = Span(kind="whole", began=began, ended=time.time()), processor_seconds() - spent
        records = [json.loads(line) for line in (root / "spans").read_text().splitlines()]
    spans = [Span(kind=kind, began=first, ended=last) for kind, first, last in records]
    print(f"{options.candidates} candidates, {verdict}, load {os.getloadavg()[0]:.1f}")
    for line in told(whole, spans):
        print(line)
    print(f"  processor time of all     {spent:7.2f} s")


def processor_seconds() -> float:
    """Of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bisected(root: Path, candidates: int, *limits: str) -> str:
    """The verdict of a bisect; all of them share state and cache."""
    program = [sys.executable, str(root / "program.py")]
    command = [sys.executable, "-c", "from bisector.cli import main; main()", "bisect", f"main~{candidates}", "main"]
    command += [
        "--repo",
        str(root / "git"),
        "--runner",
        "local",
        "--no-profile",
        "--build",
        " ".join([*program, "build"]),
    ]
    places = {f"BISECTOR_{name}_DIR": str(root / name.lower()) for name in ("STATE", "CACHE")}
    command += [*limits, "--no-reuse", "--json", "-", "--", *program, "run"]
    done = subprocess.run(command, env={**os.environ, **places}, capture_output=True, check=False, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    return str(json.loads(done.stdout)["verdict"])


def told(whole: Span, spans: Sequence[Span]) -> Iterator[str]:
    """Runs, builds and what is left, and where that lies."""
    total = whole.ended - whole.began
    for kind in ("run", "build"):
        own = [each for each in spans if each.kind == kind]
        yield _line(f"{len(own)} {kind}s", sum(each.ended - each.began for each in own), total)
    inside = sum(each.ended - each.began for each in spans)
    yield _line("neither", total - inside, total)
    yield _line("  before the first", spans[0].began - whole.began, total)
    gaps = [later.began - earlier.ended for earlier, later in itertools.pairwise(spans)]
    yield _line(f"  between two, {len(gaps)} times", sum(gaps), total)
    yield _line("  after the last", whole.ended - spans[-1].ended, total)


def _line(name: str, seconds: float, total: float) -> str:
    return f"  {name:26} {seconds:7.2f} s {seconds / total:7.1%}"


if __name__ == "__main__":
    main()
