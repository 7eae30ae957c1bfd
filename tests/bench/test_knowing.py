"""Searches that know their world: their beliefs are probabilities, and what they find is as sure as they say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.search.bounds import burnashev_bound, capacity
from benchmarks.search.campaign import strategy_called
from benchmarks.search.cells import Cell
from benchmarks.search.knowing import FLOORS, RUNS, SHARES, KnownLevels, UnknownLevels, log_density, run_information
from benchmarks.search.strategies import play
from benchmarks.search.worlds import LEVEL

SHAPES = ("gauss", "lognorm", "t3", "bimodal", "quant")
runs = st.lists(st.tuples(st.integers(0, 16), st.floats(-8, 8)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(shape=st.sampled_from(SHAPES), learnt=runs, no_change=st.sampled_from((0.0, 0.2)))
def test_a_belief_in_known_levels_sums_to_one(shape: str, learnt: list[tuple[int, float]], no_change: float) -> None:
    belief = KnownLevels(shape=shape, effect=2.0, size=16, no_change=no_change)
    for index, value in learnt:
        belief.learn(index, LEVEL + value)
    chances = belief.chances()
    assert chances.shape == (17,)
    assert (chances >= 0).all()
    assert chances.sum() == pytest.approx(1)
    assert no_change > 0 or chances[-1] == 0


@settings(max_examples=60, deadline=None)
@given(shape=st.sampled_from(SHAPES), learnt=runs)
def test_a_belief_in_unknown_levels_sums_to_one(shape: str, learnt: list[tuple[int, float]]) -> None:
    belief = UnknownLevels(shape=shape, size=16)
    for index, value in [(0, 0.0), (16, 2.0), *learnt]:
        belief.learn(index, LEVEL + value)
        chances = belief.chances()
        assert chances.shape == (17,)
        assert (chances >= 0).all()
        assert chances.sum() == pytest.approx(1)
    chances = belief.chances()
    for low, high in pairwise(sorted(belief.likelihood)):
        assert np.ptp(chances[low:high]) == pytest.approx(0)


def test_a_belief_is_bayes_rule_by_hand() -> None:
    belief = KnownLevels(shape="gauss", effect=2.0, size=4, no_change=0.2)
    belief.learn(2, LEVEL + 1.5)
    # The run lies half a deviation nearer the new level than the middle: a nat for commit 2 being bad.
    worth = np.array([0.2 * np.e, 0.2 * np.e, 0.2, 0.2, 0.2])
    assert belief.chances() == pytest.approx(worth / worth.sum())


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("size", [8, 128])
def test_a_change_that_stands_out_of_all_noise_takes_the_builds_and_is_found(name: str, size: int) -> None:
    cell = Cell(regime="gauss", effect=30.0, size=size)
    trials = [play(strategy_called(name, cell), cell.world(number, 3)) for number in range(6)]
    assert all(trial.right for trial in trials)
    ends = 0 if name == "knowing" else 2
    assert max(trial.builds for trial in trials) <= np.log2(size) + ends + 1
    assert max(trial.runs for trial in trials) <= np.log2(size) + ends + 10


@pytest.mark.parametrize("name", FLOORS)
def test_what_a_search_states_is_how_often_it_is_right_and_it_costs_no_less_than_can_be(name: str) -> None:
    cell = Cell(regime="gauss", size=32)
    trials = [play(strategy_called(name, cell), cell.world(number, 5)) for number in range(60)]
    assert sum(trial.right for trial in trials) >= 53
    assert all(trial.stated is not None and trial.stated >= 0.95 for trial in trials)
    assert np.mean([trial.cost for trial in trials]) > 0.9 * burnashev_bound("gauss", 2.0, 32, 5.0)


def test_only_a_world_in_which_nothing_but_runs_deviates_can_be_known() -> None:
    cell = Cell(regime="build")
    with pytest.raises(ValueError, match="more than the noise of single runs"):
        strategy_called("knowing", cell)(cell.world(0, 3))


@pytest.mark.parametrize("shape", SHAPES)
def test_one_run_teaches_no_more_than_the_capacity_and_more_runs_teach_more(shape: str) -> None:
    table = run_information(shape, 1.0)
    assert table.shape == (len(RUNS), len(SHARES))
    assert table[0].max() == pytest.approx(capacity(shape, 1.0), rel=0.02)
    assert (np.diff(table, axis=0) > -1e-6).all()
    assert table[:, [0, -1]] == pytest.approx(0, abs=1e-6)


def test_the_probabilities_of_rounded_values_sum_to_one() -> None:
    steps = np.arange(-20.0, 21.0, 2.0)
    assert np.exp(log_density("quant", steps - 0.7)).sum() == pytest.approx(1)
