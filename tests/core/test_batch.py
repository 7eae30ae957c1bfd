"""Rounds for several workers: what they look at differs, and a search takes fewer rounds."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.search.batch import next_batch
from bisector.core.search.decide import Costs, MeasureCommit, MeasureEnds, Stop, VerifyPair, decide
from bisector.core.search.observations import Observations, Settings, Verification
from bisector.core.search.posterior import assess
from tests.helpers.lines import graph, line, observations

ENDS = {0: [100.1, 99.9, 100.0, 100.2], 64: [104.1, 103.8, 104.0, 104.2]}
BEST = MeasureCommit(index=32, runs=3, bits=0.9)


def batch(seen: Observations, best: MeasureCommit, workers: int) -> tuple[MeasureCommit, ...]:
    return next_batch(seen, assess(seen, Settings()), best, workers)


@given(st.integers(1, 8), st.sets(st.integers(1, 63), max_size=20))
@settings(max_examples=40, deadline=None)
def test_the_best_comes_first_and_nothing_is_measured_twice_or_cannot_be(workers: int, broken: set[int]) -> None:
    seen = observations(line(64), ENDS, untestable=sorted(broken))
    best = MeasureCommit(index=min({*range(1, 64)} - broken), runs=3, bits=0.9)
    found = batch(seen, best, workers)
    assert found[0] == best
    assert len(found) <= workers
    assert len({(each.index, each.number) for each in found}) == len(found)
    assert all(seen.testable[each.index] and each.runs == 3 for each in found)


def test_workers_are_spread_over_where_the_culprit_may_be() -> None:
    found = batch(observations(line(64), ENDS), BEST, 4)
    assert [each.index for each in found] == [32, 13, 26, 39]
    known = observations(line(64), {**ENDS, 32: [100.0, 100.1, 99.9, 100.0]})
    assert all(each.index > 32 for each in batch(known, replace(BEST, index=48), 4))


def test_what_cannot_be_taken_apart_gets_runs_of_its_less_measured_end() -> None:
    runs = {**ENDS, 20: [100.0, 100.1, 99.9, 100.0, 100.1], 21: [103.9, 104.0]}
    found = batch(observations(line(64), runs), MeasureCommit(index=0, runs=2, bits=0.1), 2)
    assert [each.index for each in found] == [0, 21]


def test_one_worker_a_graph_and_a_counter_have_the_best_alone() -> None:
    assert batch(observations(line(64), ENDS), BEST, 1) == (BEST,)
    exact = observations(line(64), {0: [1.0, 1.0], 64: [2.0, 2.0]}, exact=True)
    assert batch(exact, BEST, 4) == (BEST,)
    forked = graph([(0,), (0,), (1, 2)])
    seen = observations(forked, {0: ENDS[0], 3: ENDS[64]})
    assert batch(seen, replace(BEST, index=1), 4) == (replace(BEST, index=1),)


def searched(workers: int, seed: int) -> tuple[float, int, bool]:
    """Time and builds of a search with so many workers (a build takes five runs' time), and whether it is right."""
    random, size = np.random.default_rng(seed), 64
    culprit = int(random.integers(1, size + 1))
    runs: dict[int, list[float]] = {}
    tried: list[Verification] = []
    time = 0.0

    def draw(index: int, count: int) -> list[float]:
        return [float(100 + 2 * (index >= culprit) + value) for value in random.standard_normal(count)]

    for _ in range(200):
        seen = observations(line(size), {i: runs[i] for i in sorted(runs)}, verifications=tried)
        prices = Costs(run=1.0, round=0.0, build=np.array([0.0 if i in runs else 5.0 for i in range(size + 1)]))
        decision = decide(seen, prices, Settings())
        action, spent = decision.action, [0.0]
        wanted: list[tuple[int, int]] = []
        match action:
            case MeasureEnds():
                wanted = [(0, action.runs), (size, action.runs)]
            case MeasureCommit():
                assert decision.posterior is not None
                wanted = [(each.index, each.runs) for each in next_batch(seen, decision.posterior, action, workers)]
            case VerifyPair():
                wanted = [(action.parent, action.pairs), (action.culprit, action.pairs)]
                tried.append(Verification(parent=action.parent, culprit=action.culprit, passed=True))
            case Stop():
                assert decision.posterior is not None
                found = None if action.found is None else decision.posterior.classes.members(action.found)
                return time, len(runs), found == (culprit,)
        for index, count in wanted:
            spent.append((0 if index in runs else 5) + count)
            runs[index] = [*runs.get(index, []), *draw(index, count)]
        time += max(spent)
    raise AssertionError("the search does not end")


def test_a_search_with_more_workers_is_over_sooner_and_right_as_often() -> None:
    one, more = ([searched(count, seed) for seed in range(12)] for count in (1, 4))
    assert sum(time for time, _, _ in more) < 0.75 * sum(time for time, _, _ in one)
    assert sum(right for _, _, right in more) >= 11
