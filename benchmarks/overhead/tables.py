"""The benchmark's tables."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.overhead.timing import Timed
from bisector.core.model.units import Bytes, Seconds

Times = Mapping[str, Sequence[Timed]]
WIDTH = 42


def print_costs(times: Times, base: str) -> None:
    """How long each way keeps us, beside `base`."""
    medians = {name: statistics.median(run.elapsed for run in runs) for name, runs in times.items()}
    print(f"  {'':{WIDTH}} {'median':>10} {'over the first':>15} {'ratio':>7}")
    for name, median in medians.items():
        print(f"  {name:{WIDTH}} {_ms(median)} {_ms(median - medians[base]):>15} {median / medians[base]:7.2f}")


def print_spreads(times: Times) -> None:
    """What the measuring adds to a program's own time, and how much that varies from run to run."""
    print(f"  {'the time is taken by':{WIDTH}} {'median':>10} {'adds':>10} {'sd of it':>10} {'IQR of it':>10}")
    for name, runs in times.items():
        taken = statistics.median(run.taken for run in runs)
        added = [run.taken - run.own for run in runs]
        low, median, high = statistics.quantiles(added, n=4)
        print(f"  {name:{WIDTH}} {_ms(taken)} {_ms(median)} {_ms(statistics.stdev(added), 2)} {_ms(high - low, 2)}")


def print_peaks(peaks: Iterable[tuple[str, Bytes, Seconds]]) -> None:
    """The peak memory of whole bisects, line by line as they end."""
    print(f"  {'bisected':{WIDTH}} {'peak':>10} {'took':>10}")
    for name, peak, took in peaks:
        print(f"  {name:{WIDTH}} {peak / (1 << 20):6.1f} MiB {took:8.1f} s", flush=True)


def _ms(seconds: Seconds, digits: int = 1) -> str:
    return f"{seconds * 1e3:7.{digits}f} ms"
