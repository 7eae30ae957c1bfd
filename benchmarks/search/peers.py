"""Other tools' ways of searching, written from their descriptions. Each pays for its own reference runs and builds.

A commit that does not build is passed over for its nearest neighbour inside the open interval, as `git bisect skip`
does; builds are kept, also for tools that would make them again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from benchmarks.search.strategies import Answer
from benchmarks.search.tests_of_difference import highest_p_of_a_shift, kolmogorov_smirnov, mann_whitney, welch
from benchmarks.search.worlds import World

Floats = npt.NDArray[np.float64]
Difference = Callable[[Floats, Floats], float]
SIGNIFICANT = 0.05
ATTEMPTS = 10
LOW = 0.01


@dataclass
class Bench:
    """A world with its builds and values kept by commit."""

    world: World
    units: dict[int, int | None] = field(default_factory=dict)
    values: dict[int, list[float]] = field(default_factory=dict)

    def builds(self, index: int) -> bool:
        """Whether `index` builds; the first question about it is paid for."""
        if index not in self.units:
            self.units[index] = self.world.build(index)
        return self.units[index] is not None

    def run(self, index: int, times: int) -> Floats:
        """`times` more runs of a commit that builds, and all its values so far."""
        if not self.builds(index):
            raise ValueError(f"commit {index} does not build")
        unit = self.units[index]
        assert unit is not None
        self.values.setdefault(index, []).extend(self.world.run(unit) for _ in range(times))
        return np.array(self.values[index])

    def middle(self, low: int, high: int) -> int | None:
        """The buildable commit nearest to the middle of the open interval, or None where there is none."""
        centre = (low + high) / 2
        for index in sorted(range(low + 1, high), key=lambda i: (abs(i - centre), i)):
            if self.builds(index):
                return index
        return None

    def halve(self, is_bad: Callable[[int], bool]) -> Answer:
        """Plain bisection by a verdict on each commit."""
        low, high = 0, self.world.size
        while (index := self.middle(low, high)) is not None:
            low, high = (low, index) if is_bad(index) else (index, high)
        return Answer(found=tuple(range(low + 1, high + 1)))


def git_bisect(runs: int) -> Callable[[World], Answer]:
    """`git bisect run` with a script: the median of `runs` runs against the middle between the ends' medians."""

    def search(world: World) -> Answer:
        bench, several = Bench(world), max(5, runs)
        ends = [float(np.median(bench.run(index, several))) for index in (0, world.size)]
        threshold = sum(ends) / 2
        return bench.halve(lambda index: bool(np.median(bench.run(index, runs)) > threshold))

    return search


def by_test(runs: int, difference: Difference) -> Callable[[World], Answer]:
    """Two-sample tests at 0.05 against both ends; undecided goes to the end with the larger p."""

    def search(world: World) -> Answer:
        bench = Bench(world)
        good, bad = bench.run(0, runs), bench.run(world.size, runs)
        if difference(good, bad) >= SIGNIFICANT:
            return Answer(no_change=True)
        return bench.halve(lambda index: _nearer_to_bad(bench.run(index, runs), good, bad, difference))

    return search


def _nearer_to_bad(values: Floats, good: Floats, bad: Floats, difference: Difference) -> bool:
    return difference(values, bad) > difference(values, good)


def asv_find(runs: int) -> Callable[[World], Answer]:
    """`asv find`: medians of `runs` runs, kept; on into the half with the larger relative step."""

    def search(world: World) -> Answer:
        bench = Bench(world)

        def result(index: int) -> float:
            known = bench.values.get(index)
            return float(np.median(bench.run(index, runs) if known is None else known))

        low, high = 0, world.size
        result(low), result(high)
        while (index := bench.middle(low, high)) is not None:
            left, mid, right = result(low), result(index), result(high)
            low, high = (low, index) if (mid - left) / left > (right - mid) / mid else (index, high)
        return Answer(found=tuple(range(low + 1, high + 1)))

    return search


def pinpoint(world: World) -> Answer:
    """Pinpoint's job: ten attempts a commit, neighbours compared, more attempts while unknown, halved while different.

    Its threshold for "the same" is given the true effect, which favours it; no speculation.
    """
    bench = Bench(world)
    quartiles = max(world.plan.effect, 1.0) / 1.349
    line = [0, world.size]
    for index in line:
        bench.run(index, ATTEMPTS)
    while True:
        changed = False
        for left, right in pairwise(line):
            state = _compared(bench, left, right, quartiles)
            if state == "unknown":
                bench.run(min((left, right), key=lambda i: len(bench.values[i])), ATTEMPTS)
                changed = True
            elif state == "different" and (between := bench.middle(left, right)) is not None:
                bench.run(between, ATTEMPTS)
                line = sorted({*line, between})
                changed = True
                break
        if not changed:
            break
    found = [
        range(left + 1, right + 1)
        for left, right in pairwise(line)
        if _compared(bench, left, right, quartiles) == "different"
    ]
    return Answer(found=tuple(index for part in found for index in part), no_change=not found)


def _compared(bench: Bench, left: int, right: int, quartiles: float) -> str:
    first, second = np.array(bench.values[left]), np.array(bench.values[right])
    p = min(mann_whitney(first, second), kolmogorov_smirnov(first, second))
    if p <= LOW:
        return "different"
    return "unknown" if p <= highest_p_of_a_shift(min(len(first), len(second)), quartiles) else "same"


def bayesect(world: World) -> Answer:
    """git-bayesect: Beta(½, ½) on how often each side's runs exceed the ends' middle, smallest expected entropy next.

    It asks for binary outcomes; the threshold is the middle of 5 + 5 reference runs, which count as outcomes too.
    """
    bench = Bench(world)
    threshold = float(np.mean([np.median(bench.run(index, 5)) for index in (0, world.size)]))
    size = world.size
    over, total = np.zeros(size + 1), np.zeros(size + 1)
    for index in (0, size):
        over[index], total[index] = float((np.array(bench.values[index]) > threshold).sum()), 5.0
    while True:
        chances, good, bad = _beta_posterior(over, total)
        classes = _buildable_classes(bench, chances)
        best = max(classes, key=lambda part: part[1])
        if best[1] >= 0.95:
            return Answer(found=best[0], stated=float(best[1]))
        index = _least_entropy(chances, good, bad, bench)
        if bench.builds(index):
            value = bench.run(index, 1)[-1]
            over[index] += value > threshold
            total[index] += 1


def _beta_posterior(over: Floats, total: Floats) -> tuple[Floats, Floats, Floats]:
    """Posterior over culprits 1..N, and, given each, the chance of an outcome over the threshold on both sides."""
    before_over, before = np.cumsum(over)[:-1], np.cumsum(total)[:-1]
    after_over, after = over.sum() - before_over, total.sum() - before
    log = betaln(before_over + 0.5, before - before_over + 0.5) + betaln(after_over + 0.5, after - after_over + 0.5)
    chances = np.exp(log - log.max())
    return chances / chances.sum(), (before_over + 0.5) / (before + 1), (after_over + 0.5) / (after + 1)


def _least_entropy(chances: Floats, good: Floats, bad: Floats, bench: Bench) -> int:
    """The commit whose outcome leaves the least entropy on average."""
    expected = np.zeros(len(chances) + 1)
    for on_good, on_bad in ((good, bad), (1 - good, 1 - bad)):
        mass = _either_side(chances * on_bad, chances * on_good)
        logs = _either_side(
            *(part * np.log(np.maximum(part, 1e-300)) for part in (chances * on_bad, chances * on_good))
        )
        expected += _plogp(mass) - logs
    expected[[index for index, unit in bench.units.items() if unit is None]] = np.inf
    return int(np.argmin(expected))


def _plogp(part: Floats) -> Floats:
    return np.asarray(part * np.log(np.maximum(part, 1e-300)))


def _either_side(bad: Floats, good: Floats) -> Floats:
    """For each index 0..N: the sum of `bad` over culprits up to it and of `good` over later ones."""
    upto = np.concatenate([[0.0], np.cumsum(bad)])
    return np.asarray(upto + good.sum() - np.concatenate([[0.0], np.cumsum(good)]))


def _buildable_classes(bench: Bench, chances: Floats) -> list[tuple[tuple[int, ...], float]]:
    """Candidates grouped where the commits between them are known not to build, with their probability."""
    groups: list[list[int]] = [[]]
    for candidate in range(1, len(chances) + 1):
        groups[-1].append(candidate)
        if bench.units.get(candidate, 0) is not None:
            groups.append([])
    return [(tuple(group), float(sum(chances[c - 1] for c in group))) for group in groups if group]


PEERS: dict[str, Callable[[World], Answer]] = {
    "git-k5": git_bisect(5),
    "git-k10": git_bisect(10),
    "mwu-k20": by_test(20, mann_whitney),
    "welch-k20": by_test(20, welch),
    "pinpoint": pinpoint,
    "asv-k10": asv_find(10),
    "bayesect95": bayesect,
}
