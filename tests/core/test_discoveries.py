"""Benjamini and Hochberg's rule, against its definition and against what it promises."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.discoveries import discoveries

CHANCES = st.lists(st.floats(0, 1, allow_nan=False), max_size=30)
RATES = st.sampled_from([0.01, 0.05, 0.2])


@given(CHANCES, RATES)
def test_the_most_findings_stand_whose_largest_chance_is_within_their_share(chances: list[float], rate: float) -> None:
    found = discoveries(np.array(chances), rate)
    most = 0
    for count in range(1, len(chances) + 1):
        if sorted(chances)[count - 1] <= rate * count / len(chances):
            most = count
    limit = sorted(chances)[most - 1] if most else -1.0
    assert found.tolist() == [chance <= limit for chance in chances]


@given(CHANCES, RATES, st.randoms())
def test_the_order_does_not_matter(chances: list[float], rate: float, draw: random.Random) -> None:
    order = list(range(len(chances)))
    draw.shuffle(order)
    shuffled = discoveries(np.array(chances)[order] if chances else np.array([]), rate)
    assert shuffled.tolist() == discoveries(np.array(chances), rate)[order].tolist() if chances else not shuffled.size


@given(CHANCES, RATES)
def test_it_names_no_fewer_than_a_bound_for_all_together_and_no_more_than_each_alone(
    chances: list[float], rate: float
) -> None:
    found = discoveries(np.array(chances), rate)
    for chance, stands in zip(chances, found.tolist(), strict=True):
        assert stands or chance > rate / len(chances)
        assert not stands or chance <= rate


@given(CHANCES, RATES, st.integers(0, 5))
def test_what_was_not_looked_at_changes_nothing(chances: list[float], rate: float, more: int) -> None:
    found = discoveries(np.array([*chances, *[np.nan] * more]), rate)
    assert found.tolist() == [*discoveries(np.array(chances), rate).tolist(), *[False] * more]


@pytest.mark.parametrize("real", [0, 20])
def test_of_what_is_named_at_most_the_rate_is_false(real: int) -> None:
    draw, shares = np.random.default_rng(7), []
    for _ in range(2000):
        chance = draw.random(100)
        chance[:real] **= 12
        found = discoveries(chance, 0.1)
        shares.append(found[real:].sum() / max(found.sum(), 1))
    # 2,000 draws: the mean share lies within 0.02 of what is expected, three deviations out.
    assert np.mean(shares) <= 0.1 + 0.02
    assert np.mean(shares) >= 0.1 * (1 - real / 100) - 0.02
