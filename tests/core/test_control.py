"""Two builds of one commit beside each other: when their difference is luck, and when it is only noise."""

import numpy as np
import pytest

from bisector.core.search.control import is_luck, noise_within
from bisector.core.search.effect import Spread
from bisector.core.search.observations import FloatArray
from bisector.core.search.restoration import Side, side_of

LOW, HIGH = np.array([0.0, 0.01, -0.01]), np.array([2.0, 2.01, 1.99])
STEP = 2.0


def luck(one: FloatArray, other: FloatArray, spread: Spread) -> bool:
    return is_luck(side_of(one, spread), side_of(other, spread), STEP, spread.df)


def test_two_builds_that_differ_as_much_as_the_culprit_are_luck_where_runs_lie_close() -> None:
    assert luck(LOW, HIGH, noise_within([LOW, HIGH, LOW + 2, HIGH + 2]))


def test_two_modes_that_few_runs_show_one_each_of_are_not() -> None:
    both = np.array([0.0, 2.0, 0.01, 1.99, 0.0, 2.01])
    assert not luck(LOW, HIGH, noise_within([LOW, HIGH, both, both + 2]))


def test_a_difference_smaller_than_the_culprits_is_not() -> None:
    assert not luck(LOW, HIGH - 0.5, noise_within([LOW, HIGH]))


@pytest.mark.parametrize(("errors", "sure"), [(2.2, False), (2.9, True)])
def test_it_takes_ninety_nine_in_a_hundred(errors: float, sure: bool) -> None:
    first, second = Side(level=0.0, variance=0.5), Side(level=errors, variance=0.5)
    assert is_luck(first, second, step=1.0, df=1000.0) is sure


def test_a_build_that_was_run_once_says_nothing_of_the_noise() -> None:
    alone = noise_within([np.array([5.0]), LOW])
    assert alone.sigma == pytest.approx(0.01)
    assert alone.df == 2
