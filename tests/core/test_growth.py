"""How time grows with size, and how a value grows over a run: what was put in comes out, whatever lies beside it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.explain.growth import growth_of, parting
from bisector.core.explain.slope import MOST_POINTS, theil_sen

SIZES = (1000, 2000, 4000, 8000, 16000)
exponents = st.floats(0.3, 4.0)
costs = st.floats(0.0, 5.0)
scales = st.floats(1e-6, 1e3)


def times(exponent: float, fixed: float, scale: float = 1.0) -> list[float]:
    """`fixed` is in times of what the smallest size takes above it."""
    return [scale * (fixed + (size / SIZES[0]) ** exponent) for size in SIZES]


@given(exponents, costs, scales)
def test_the_exponent_is_found_whatever_the_fixed_cost(exponent: float, fixed: float, scale: float) -> None:
    taken = times(exponent, fixed, scale)
    measured = growth_of(SIZES, taken, fixed * scale)
    if measured.sizes:
        assert measured.exponent == pytest.approx(exponent, abs=1e-6)
    fitted = growth_of(SIZES, taken)
    if max(taken) > 1.5 * min(taken):
        assert fitted.exponent == pytest.approx(exponent, abs=0.02)
        assert fitted.fixed == pytest.approx(fixed * scale, abs=0.05 * scale * (1 + fixed))


@given(exponents, scales)
def test_a_unit_changes_nothing(exponent: float, scale: float) -> None:
    one, other = (growth_of(SIZES, times(exponent, 1.0, by)).exponent for by in (1.0, scale))
    assert one == pytest.approx(other, abs=1e-3)


@given(st.floats(0.001, 10.0), st.integers(0, 1000))
def test_what_does_not_grow_has_the_exponent_0(level: float, seed: int) -> None:
    noisy = level * (1 + 0.04 * np.random.default_rng(seed).uniform(-1, 1, len(SIZES)))
    assert growth_of(SIZES, list(noisy)).exponent == 0
    assert growth_of(SIZES, list(noisy), level).exponent == 0


def test_without_taking_the_start_up_away_a_line_would_not_look_like_one() -> None:
    """What a plain slope of logarithms makes of a start-up as long as the smallest size takes."""
    taken = times(1.0, 3.0)
    plain = np.polyfit(np.log(SIZES), np.log(taken), 1)[0]
    assert plain < 0.6
    assert growth_of(SIZES, taken).exponent == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("exponent", "measured"), [(1.0, True), (2.0, True), (1.0, False), (2.0, False)])
def test_noise_of_two_percent_leaves_the_exponent_where_it_is(exponent: float, measured: bool) -> None:
    random = np.random.default_rng(7)
    found = []
    for _ in range(60):
        taken = np.array(times(exponent, 1.0)) * np.exp(0.02 * random.standard_normal(len(SIZES)))
        found.append(growth_of(SIZES, list(taken), 1.0 if measured else None).exponent)
    assert np.mean(found) == pytest.approx(exponent, abs=0.02)
    assert np.std(found) < 0.05


def test_sides_part_where_one_takes_a_tenth_longer() -> None:
    old = [float(size) for size in SIZES]
    new = [size + size**2 / 40_000 for size in SIZES]  # a tenth longer at 4000
    assert parting(SIZES, old, new) == pytest.approx(4000, rel=0.01)
    assert parting(SIZES, old, [2 * each for each in old]) == 1000
    assert parting(SIZES, old, [1.05 * each for each in old]) is None
    assert parting(SIZES, new, old) is None


@settings(max_examples=30)
@given(st.floats(-1e9, 1e9), st.floats(-1e3, 1e3), st.integers(8, 2000))
def test_the_slope_of_a_line_is_its_slope(level: float, slope: float, count: int) -> None:
    at = [0.1 * number for number in range(count)]
    assert theil_sen(at, [level + slope * each for each in at]) == pytest.approx(slope, abs=1e-4 + abs(level) * 1e-9)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(20, 3 * MOST_POINTS))
def test_a_start_that_fills_memory_once_is_no_growth(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    at = np.arange(count) / 10
    flat = 50e6 + 1e4 * random.standard_normal(count)
    flat[: count // 10] *= np.linspace(0.1, 1, count // 10)
    least_squares = np.polyfit(at, flat, 1)[0]
    assert abs(theil_sen(list(at), list(flat))) < 0.2 * least_squares


def test_times_that_do_not_move_have_no_slope() -> None:
    assert theil_sen([1.0] * 10, list(range(10))) == 0
