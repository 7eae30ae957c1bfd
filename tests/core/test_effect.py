"""How large a change is: intervals hold the truth as often as they say, however the runs fall on builds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.search.effect import Spread, difference
from bisector.core.search.observations import FloatArray

KNOWN = Spread(sigma=1.0, tau=0.0, df=1e6)
runs = st.lists(st.floats(-2, 2), min_size=1, max_size=5).map(np.array)
few = st.lists(st.floats(-1.4, 1.4), min_size=1, max_size=2).map(np.array)


def side(draw: np.random.Generator, level: float, builds: list[int], tau: float) -> list[FloatArray]:
    """Runs of noise 1 of some builds that deviate by `tau`."""
    return [level + tau * draw.standard_normal() + draw.standard_normal(count) for count in builds]


@settings(deadline=None)
@given(old=runs, new=runs, tau=st.floats(0, 5))
def test_of_one_build_each_it_is_the_difference_of_the_means(old: FloatArray, new: FloatArray, tau: float) -> None:
    found = difference([old], [new], Spread(sigma=1.5, tau=tau, df=1e6), 0.95)
    reach = 1.95996 * np.sqrt(2 * tau**2 + 1.5**2 * (1 / len(old) + 1 / len(new)))
    assert found.estimate == pytest.approx(new.mean() - old.mean())
    assert found.high - found.estimate == pytest.approx(reach, rel=1e-4)


@given(parts=st.lists(few, min_size=1, max_size=2), other=runs)
@settings(deadline=None)
def test_of_builds_that_are_alike_it_is_that_of_all_their_runs(parts: list[FloatArray], other: FloatArray) -> None:
    apart, together = (difference(each, [other], KNOWN, 0.95) for each in (parts, [np.concatenate(parts)]))
    assert apart.estimate == pytest.approx(together.estimate)
    assert apart.high == pytest.approx(together.high)


@pytest.mark.parametrize("builds", [[1], [4], [1, 1], [1, 6], [3, 3, 3, 3], [8, 1, 1, 1, 1]])
@pytest.mark.parametrize("tau", [0.5, 4.0])
def test_its_interval_holds_the_truth_as_often_as_it_says(builds: list[int], tau: float) -> None:
    draw, trials = np.random.default_rng(7), 2000
    spread = Spread(sigma=1.0, tau=tau, df=1e6)
    held = 0
    for _ in range(trials):
        found = difference(side(draw, 10, [2], tau), side(draw, 13, builds, tau), spread, 0.9)
        held += found.low <= 3 <= found.high
    assert held / trials == pytest.approx(0.9, abs=0.025)


def test_more_builds_tell_more_than_more_runs_of_one() -> None:
    spread, draw = Spread(sigma=1.0, tau=3.0, df=1e6), np.random.default_rng(1)
    one, many = (difference([np.zeros(8)], side(draw, 0, each, 0.0), spread, 0.95) for each in ([8], [1] * 8))
    assert many.high - many.low < 0.8 * (one.high - one.low)


def test_a_counter_has_no_interval() -> None:
    found = difference([np.array([5.0, 5.0]), np.array([5.0])], [np.array([7.0])], Spread(sigma=0, tau=0, df=1e6), 0.95)
    assert (found.low, found.estimate, found.high) == (2.0, 2.0, 2.0)
