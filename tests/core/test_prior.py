"""What is believed of candidates beforehand: only weights, none of them nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.idle import is_idle
from bisector.core.search.decide import VerifyPair, decide
from bisector.core.search.observations import Settings
from bisector.core.search.posterior import assess
from bisector.core.search.prior import prior_weights
from tests.core.test_decide import costs
from tests.helpers.lines import line, observations

SIZE = 24
indexes = st.frozensets(st.integers(1, SIZE))


@given(indexes, indexes, st.none() | indexes, st.lists(st.integers(0, 10_000), min_size=SIZE, max_size=SIZE))
def test_every_candidate_keeps_a_weight_and_suspicion_only_raises_it(
    idle: frozenset[int], suspected: frozenset[int], touched: frozenset[int] | None, sizes: list[int]
) -> None:
    plain = replace(line(SIZE), idle=idle, touched=touched, sizes=tuple(sizes))
    before, after = (prior_weights(each, guessing=True) for each in (plain, replace(plain, suspected=suspected)))
    assert (before > 0).all()
    raised = np.array([index in suspected for index in range(1, SIZE + 1)])
    assert (after[raised] > before[raised]).all()
    assert (after[~raised] == before[~raised]).all()


@given(indexes, st.lists(st.integers(0, 10_000), min_size=SIZE, max_size=SIZE))
def test_without_guessing_all_are_alike(idle: frozenset[int], sizes: list[int]) -> None:
    told = replace(line(SIZE), idle=idle, sizes=tuple(sizes))
    assert (prior_weights(told, guessing=False) == 1).all()


def test_larger_commits_weigh_more_within_bounds() -> None:
    weights = prior_weights(replace(line(4), sizes=(1, 4, 64, 10_000)), guessing=True)
    assert list(weights) == sorted(weights)
    assert weights[0] == 1
    assert weights[-1] == 3


def test_the_prior_is_a_factor_of_the_posterior_and_nothing_else() -> None:
    """Two candidates that the runs cannot tell apart share their chance by weight; the evidence stays what it is."""
    runs = {0: [100.0, 100.5, 99.5, 100.2], 4: [104.0, 104.4, 103.7, 104.1]}
    even = observations(line(4), runs)
    skewed = replace(even, weights=np.array([1.0, 3.0, 1.0, 1.0]))
    one, other = assess(even, Settings()), assess(skewed, Settings())
    assert one.no_change == pytest.approx(other.no_change, rel=1e-9)
    chances = other.of_candidates(skewed.weights)
    assert chances[1] == pytest.approx(3 * chances[0])
    assert chances.sum() + other.no_change == pytest.approx(1)


def test_a_candidate_that_stands_out_is_verified_against_its_parent_at_once() -> None:
    runs = {0: [100.0, 100.2, 99.9, 100.1], 8: [110.0, 110.2, 109.9, 110.1]}
    weights = np.full(8, 1e-3)
    weights[4] = 1.0
    action = decide(replace(observations(line(8), runs), weights=weights), costs(8), Settings()).action
    assert isinstance(action, VerifyPair)
    assert (action.parent, action.culprit) == (4, 5)


@pytest.mark.parametrize(
    "path", ["README.md", "docs/index.html", "CHANGES", "LICENSE.txt", ".github/workflows/ci.yml", "src/a/NOTES.rst"]
)
def test_documentation_and_the_like_are_idle(path: str) -> None:
    assert is_idle(path)


@pytest.mark.parametrize(
    "path", ["requirements.txt", "CMakeLists.txt", "src/docs.py", "docs", "setup.cfg", "tests/data.txt", "a/docs/x.py"]
)
def test_what_a_build_or_run_may_read_is_not(path: str) -> None:
    assert not is_idle(path)
