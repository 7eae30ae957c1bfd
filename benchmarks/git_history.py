"""How long it takes to list the candidates of a long history from the mirror, end to end.

    python -m benchmarks.git_history [CANDIDATES]

Makes a repository of so many commits (100,000 unless told otherwise), mirrors it, and prints the best of five listings
beside the best of five runs of `git log --first-parent` over the same range of the same mirror, its output thrown away.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bisector.adapters.git.repository import GitRepository
from bisector.core.model.facts import HistoryListed
from bisector.engine.stop import StopSignal

CANDIDATES = 100_000
REPEATS = 5
MESSAGE = "Change number {number}: make the widget handle case {case}\n\nThe reasons, at some length.\nA second line.\n"


def history(commits: int) -> Iterator[str]:
    """A stream for `git fast-import`: one line of `commits` commits by 50 people, each changing one of 400 files."""
    for number in range(commits):
        person = f"Author {number % 50} <author{number % 50}@example.org> {1_600_000_000 + number * 600} +0000"
        message = MESSAGE.format(number=number, case=number * 7919 % 1000)
        yield (
            f"commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata {len(message)}\n{message}\n"
            f"M 100644 inline d{number % 20}/f{number % 400}\ndata {len(str(number))}\n{number}\n"
        )


def make(place: Path, commits: int) -> None:
    """Make the repository at `place`."""
    git = shutil.which("git") or "git"
    subprocess.run([git, "init", "--quiet", "--initial-branch=main", str(place)], check=True)
    importing = [git, "-C", str(place), "fast-import", "--quiet"]
    with subprocess.Popen(importing, stdin=subprocess.PIPE, text=True) as process:
        if process.stdin is not None:
            process.stdin.writelines(history(commits))
    if process.returncode != 0:
        sys.exit("git fast-import failed")


def best(work: Callable[[], object]) -> float:
    """Seconds that the quickest of some repeats took."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Make, mirror, list, print."""
    candidates = int(sys.argv[1]) if len(sys.argv) > 1 else CANDIDATES
    with tempfile.TemporaryDirectory() as room:
        make(Path(room) / "repository", candidates + 1)
        repository = GitRepository(str(Path(room) / "repository"), Path(room) / "cache", StopSignal())
        start = time.perf_counter()
        bad = repository.resolve("main").sha
        good = repository.resolve(f"main~{candidates}").sha
        brought = time.perf_counter() - start
        mirror = next((Path(room) / "cache" / "mirrors").glob("*.git"))

        def listing() -> HistoryListed:
            return repository.list_history(good, bad, every_commit=False, paths=())

        def bare() -> None:
            log = ["git", f"--git-dir={mirror}", "log", "--first-parent", bad, f"^{good}"]
            subprocess.run(log, check=True, stdout=subprocess.DEVNULL)

        if listing().line.size != candidates:
            sys.exit(f"{listing().line.size} candidates listed, {candidates} made")
        ours, plain = best(listing), best(bare)
    print(f"mirrored, once     {brought:7.2f} s")
    print(f"{candidates:,} candidates {ours:7.2f} s")
    print(f"bare git log       {plain:7.2f} s   ratio {ours / plain:.2f}")


if __name__ == "__main__":
    main()
