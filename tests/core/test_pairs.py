"""Runs compared in pairs: what both share cancels, and the interval holds as often as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bisector.core.model.history import main
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.search.observations import FloatArray
from bisector.core.search.pairs import compare_pairs, neighbours, signed_rank

apart = st.lists(st.integers(-50, 50).filter(bool), min_size=1, max_size=40, unique_by=abs).map(
    lambda found: np.array(found, dtype=float)
)


def sample(order: int, index: int, *, step: int = 1, job: str = "") -> Sample:
    return Sample(
        place=main(index),
        build="b",
        purpose=Purpose.ENDS,
        outcome=Outcome.OK,
        values={"m": float(order)},
        step=step,
        order=order,
        clock=float(order),
        host="h",
        adopted_from=job,
    )


@given(apart)
def test_the_probability_is_that_of_the_signed_rank_test(found: FloatArray) -> None:
    assert signed_rank(found) == pytest.approx(stats.wilcoxon(found, method="exact").pvalue)
    assert signed_rank(-3 * found) == pytest.approx(signed_rank(found))


def test_many_pairs_are_judged_by_the_normal_distribution() -> None:
    found = np.random.default_rng(1).normal(0.1, 1, 400)
    assert signed_rank(found) == pytest.approx(stats.wilcoxon(found, method="asymptotic").pvalue, rel=0.02)
    assert signed_rank(np.zeros(5)) == 1.0


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2), st.booleans()), max_size=60))
def test_pairs_are_of_neighbours_of_one_round_and_no_run_is_in_two(made: list[tuple[int, int, bool]]) -> None:
    taken = [
        sample(order, index, step=step, job="7" if other else "") for order, (index, step, other) in enumerate(made)
    ]
    found = neighbours(taken, main(0), main(1))
    orders = [each.order for pair in found for each in pair]
    assert len(set(orders)) == len(orders)
    for old, new in found:
        assert (old.place, new.place) == (main(0), main(1))
        assert (old.step, old.adopted_from) == (new.step, new.adopted_from)
        between = range(min(old.order, new.order) + 1, max(old.order, new.order))
        assert all(taken[order].place == main(2) for order in between)


def test_there_and_back_makes_a_pair_of_every_turn() -> None:
    taken = [sample(order, index) for order, index in enumerate([0, 1, 1, 0, 0, 1])]
    assert [(old.order, new.order) for old, new in neighbours(taken, main(0), main(1))] == [(0, 1), (3, 2), (4, 5)]


@pytest.mark.parametrize("count", [4, 8, 25])
@pytest.mark.parametrize("noise", ["normal", "heavy", "skewed"])
def test_the_interval_holds_the_difference_as_often_as_it_says(count: int, noise: str) -> None:
    """300 trials at 95 %: 14 misses more than 15 have a chance of one in five thousand."""
    random = np.random.default_rng(count)
    missed = 0
    for _ in range(300):
        shared = 3 * random.standard_normal(count)
        draws = {
            "normal": random.standard_normal((2, count)),
            "heavy": random.standard_t(3, (2, count)),
            "skewed": np.exp(random.standard_normal((2, count))),
        }[noise]
        found = compare_pairs(shared + draws[0], 0.5 + shared + draws[1], 0.95)
        assert found is not None
        missed += not found.difference.low <= 0.5 <= found.difference.high
    assert missed <= 29


def test_what_both_share_cancels_and_then_the_pairs_are_preferred() -> None:
    random = np.random.default_rng(3)
    preferred = 0
    for _ in range(100):
        shared = random.standard_normal(12)
        old, new = shared + 0.1 * random.standard_normal(12), shared + 1 + 0.1 * random.standard_normal(12)
        found = compare_pairs(old, new, 0.95)
        assert found is not None
        assert found.difference.high - found.difference.low < 0.5
        preferred += found.preferred
    alone = (compare_pairs(random.standard_normal(12), random.standard_normal(12), 0.95) for _ in range(200))
    assert preferred == 100
    assert sum(found is not None and found.preferred for found in alone) <= 22


def test_interval_and_probability_agree() -> None:
    random = np.random.default_rng(4)
    for _ in range(100):
        old, new = random.standard_normal(10), 0.6 + random.standard_normal(10)
        found = compare_pairs(old, new, 0.95)
        assert found is not None
        assert (found.probability < 0.05) == (not found.difference.low <= 0 <= found.difference.high)


@pytest.mark.parametrize("pairs", [0, 2, 9])
def test_too_few_pairs_or_pairs_without_noise_say_nothing(pairs: int) -> None:
    assert compare_pairs(np.arange(pairs, dtype=float), np.arange(pairs, dtype=float) + 1, 0.95) is None
