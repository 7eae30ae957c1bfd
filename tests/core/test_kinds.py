"""Builds of one commit: of two kinds, or spread about one level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.search.kinds import two_kinds
from bisector.core.search.observations import FloatArray

ERROR = 0.2


def levels(seed: int, builds: int, *, tau: float = 0.0, gap: float = 0.0, share: float = 0.25) -> FloatArray:
    """Levels of builds that are spread by `tau`, of which a `share` lies by `gap` above the others."""
    draw = np.random.default_rng(seed)
    return gap * (draw.random(builds) < share) + draw.normal(0, np.hypot(tau, ERROR), builds)


@pytest.mark.parametrize("tau", [0.0, 0.5, 2.0])
def test_builds_that_are_spread_about_one_level_are_seldom_of_two_kinds(tau: float) -> None:
    found = [two_kinds(levels(seed, 8, tau=tau), ERROR) for seed in range(300)]
    assert sum(each is not None for each in found) <= 15, "one in twenty"


def test_two_kinds_are_seen_where_there_are_two() -> None:
    """Where both are among eight builds: in nine draws of ten."""
    seen = 0
    for seed in range(300):
        level = levels(seed, 8, gap=4.0)
        found, odd = two_kinds(level, ERROR), level > 2
        assert (found is not None) == (0 < odd.sum() < 8)
        if found is None:
            continue
        fewer_above = 2 * odd.sum() <= 8
        assert found.gap == pytest.approx(4 if fewer_above else -4, abs=0.8)
        assert found.odd.tolist() == (odd if fewer_above else ~odd).tolist()
        seen += fewer_above
    assert seen > 240


@given(st.integers(0, 1000), st.integers(3, 12), st.floats(0.01, 100), st.floats(-100, 100))
def test_neither_the_unit_nor_the_order_nor_the_zero_matter(seed: int, builds: int, unit: float, zero: float) -> None:
    level = levels(seed, builds, gap=3.0)
    order = np.random.default_rng(seed).permutation(builds)
    here, there = two_kinds(level, ERROR), two_kinds(unit * (level[order] + zero), unit * ERROR)
    assert (here is None) == (there is None)
    if here is not None and there is not None:
        assert there.gap == pytest.approx(unit * here.gap)
        assert there.odd.tolist() == here.odd[order].tolist()


@given(st.integers(0, 1000))
def test_the_other_way_up_the_odd_builds_lie_below(seed: int) -> None:
    level = levels(seed, 7, gap=4.0)
    up, down = two_kinds(level, ERROR), two_kinds(-level, ERROR)
    assert (up is None) == (down is None)
    if up is not None and down is not None:
        assert down.gap == pytest.approx(-up.gap)
        assert down.odd.tolist() == up.odd.tolist()


def test_two_builds_alone_and_builds_without_noise_tell_nothing() -> None:
    assert two_kinds(np.array([0.0, 1e6]), ERROR) is None
    assert two_kinds(np.array([0.0, 0.0, 5.0]), 0.0) is None
    assert two_kinds(np.zeros(0), ERROR) is None
