"""The belief of a search that knows how its machine drifts, against the same sums done in one piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from benchmarks.search.campaign import strategy_called
from benchmarks.search.cells import Cell
from benchmarks.search.knowing import KnownLevels
from benchmarks.search.knowing_drift import UNSURE, Walk, WanderingLevels, taught
from benchmarks.search.strategies import play
from benchmarks.search.worlds import LEVEL

SIZE = 8
runs = st.lists(st.tuples(st.integers(0, SIZE), st.floats(-6, 6)), min_size=1, max_size=12)


def in_one_piece(learnt: list[tuple[int, float]], walk: Walk, effect: float | None) -> np.ndarray:
    """The chances without a filter: the density of all runs at once, for every culprit and for no change."""
    places = np.array([index for index, _ in learnt])
    values = np.array([value for _, value in learnt])
    first = [index not in places[:position] for position, index in enumerate(places)]
    time = np.cumsum(1.0 + walk.build_cost * np.array(first))
    common = walk.drift**2 * np.minimum(time[:, None], time) + np.eye(len(places))
    density = []
    for culprit in range(1, SIZE + 2):
        bad = (places >= culprit).astype(float)
        mean, covariance = bad * (effect or 0.0), common.copy()
        if effect is None:
            covariance += UNSURE**2 * (1 + np.outer(bad, bad))
        density.append(multivariate_normal(mean, covariance).logpdf(values))
    weight = np.append(np.full(SIZE, 0.8 / SIZE), 0.2) * np.exp(np.array(density) - max(density))
    return np.asarray(weight / weight.sum())


@settings(max_examples=60, deadline=None)
@given(learnt=runs, drift=st.sampled_from((0.0, 0.1, 0.3, 1.0)))
def test_run_by_run_a_belief_comes_to_what_all_runs_say_at_once(learnt: list[tuple[int, float]], drift: float) -> None:
    walk = Walk(drift=drift, build_cost=5.0)
    belief = WanderingLevels(walk=walk, size=SIZE, effect=2.0, no_change=0.2)
    for index, value in learnt:
        belief.learn(index, LEVEL + value)
    assert belief.chances() == pytest.approx(in_one_piece(learnt, walk, 2.0), abs=1e-9)


def test_levels_that_are_not_known_are_found_from_the_runs() -> None:
    learnt = [(0, 0.3), (8, 4.1), (0, -0.2), (8, 3.6), (4, 0.4), (4, -0.9), (6, 3.9)]
    walk = Walk(drift=0.3, build_cost=5.0)
    belief = WanderingLevels(walk=walk, size=SIZE, no_change=0.2)
    for index, value in learnt:
        belief.learn(index, LEVEL + value)
    # A step so clear is not one below the smallest that counts: leaving that out halves the prior and no more.
    expected = in_one_piece(learnt, walk, None)
    worth = np.append(expected[:-1] / (1 - 0.528), expected[-1])
    assert belief.chances() == pytest.approx(worth / worth.sum(), abs=2e-3)
    assert belief.chances()[4:6].sum() > 0.95


@settings(max_examples=40, deadline=None)
@given(learnt=runs)
def test_on_a_machine_that_stands_still_it_is_the_belief_in_known_levels(learnt: list[tuple[int, float]]) -> None:
    still = WanderingLevels(walk=Walk(drift=0.0, build_cost=5.0), size=SIZE, effect=2.0, no_change=0.2)
    known = KnownLevels(shape="gauss", effect=2.0, size=SIZE, no_change=0.2)
    for index, value in learnt:
        still.learn(index, LEVEL + value)
        known.learn(index, LEVEL + value)
    assert still.chances() == pytest.approx(known.chances(), abs=1e-6)


def test_a_run_and_a_reference_that_share_their_deviation_teach_what_their_difference_does() -> None:
    chance = np.array([0.5, 0.5])
    alone = taught(chance, np.array([[0.0], [2.0]]), np.full((2, 1, 1), 2.0))
    together = taught(chance, np.array([[0.0, 0.0], [2.0, 0.0]]), np.tile(np.eye(2) + 1e6, (2, 1, 1)))
    assert together == pytest.approx(alone, rel=1e-4)
    assert 0 < alone < np.log(2)


@pytest.mark.parametrize("name", ["knowing", "knowing-ends", "knowing-noise"])
def test_what_it_states_is_how_often_it_is_right_on_a_machine_that_drifts(name: str) -> None:
    cell = Cell(regime="drift3", size=16)
    trials = [play(strategy_called(name, cell), cell.world(number, 5)) for number in range(24)]
    assert sum(trial.right for trial in trials) >= 20
    assert all(trial.stated is not None and trial.stated >= 0.95 for trial in trials)
