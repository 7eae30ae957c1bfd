"""How much of a change is given back: the ratio of two differences, its interval, and what it takes to be all of it."""

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from bisector.core.search.effect import Spread
from bisector.core.search.restoration import (
    LEAST,
    WHOLE,
    Side,
    pooled_spread,
    share_given_back,
    share_needed,
    side_of,
)

levels = st.floats(-5, 5, allow_nan=False)
variances = st.floats(1e-6, 0.05)


def side(level: float, variance: float) -> Side:
    return Side(level=level, variance=variance)


@given(levels, levels, levels, st.tuples(variances, variances, variances), st.floats(3, 100))
def test_at_both_ends_of_the_interval_the_contrast_is_just_not_told_from_nothing(
    start: float, goal: float, tried: float, error: tuple[float, float, float], df: float
) -> None:
    from scipy.stats import t

    assume(abs(goal - start) > 1e-3)
    sides = [side(level, variance) for level, variance in zip((start, goal, tried), error, strict=True)]
    found = share_given_back(sides[0], sides[1], sides[2], df=df, error=0.05)
    quantile = float(t.ppf(0.975, df))
    if math.isinf(found.low):
        assert abs(goal - start) <= quantile * math.sqrt(error[0] + error[1]) * (1 + 1e-9)
        return
    assert found.low <= found.share <= found.high
    for s in (found.low, found.high):
        contrast = (1 - s) * start + s * goal - tried
        deviation = math.sqrt((1 - s) ** 2 * error[0] + s**2 * error[1] + error[2])
        assert math.isclose(abs(contrast), quantile * deviation, rel_tol=1e-4, abs_tol=1e-6)


@given(levels, levels, levels, st.floats(-3, 3), st.floats(0.1, 10))
def test_neither_the_origin_nor_the_unit_of_the_levels_matters(
    start: float, goal: float, tried: float, shift: float, unit: float
) -> None:
    assume(abs(goal - start) > 0.1)
    plain, moved = (
        share_given_back(*(side(level * by + plus, 1e-4 * by**2) for level in (start, goal, tried)), df=20, error=0.05)
        for by, plus in ((1.0, 0.0), (unit, shift))
    )
    assert math.isclose(plain.share, moved.share, rel_tol=1e-6, abs_tol=1e-6)
    assert math.isclose(plain.low, moved.low, rel_tol=1e-5, abs_tol=1e-5)


def test_the_level_of_an_end_is_none_or_all_of_the_change() -> None:
    start, goal = side(1.0, 0.0), side(0.5, 0.0)
    assert share_given_back(start, goal, goal, df=10, error=0.05).share == 1.0
    assert share_given_back(start, goal, start, df=10, error=0.05).share == 0.0
    assert share_given_back(start, start, goal, df=10, error=0.05).low == -math.inf


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    draw = np.random.default_rng(3)
    held, repeats = 0, 1500
    for _ in range(repeats):
        truth = draw.uniform(-0.2, 1.3)
        centres = (0.4, 0.0, 0.4 - truth * 0.4)
        values = [draw.normal(centre, 0.08, 8) for centre in centres]
        spread = pooled_spread((values[0], values[1], values[2]), 0.0)
        start, goal, tried = (side_of(each, spread) for each in values)
        found = share_given_back(start, goal, tried, df=spread.df, error=0.05)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / repeats <= 0.97


@given(st.floats(-3, 3), st.floats(1e-4, 0.5))
def test_most_of_a_change_has_to_be_given_back_or_all_that_is_worth_naming(change: float, threshold: float) -> None:
    needed = share_needed(change, threshold)
    assert LEAST <= needed <= WHOLE
    if LEAST < needed < WHOLE:
        assert math.isclose((1 - needed) * abs(change), threshold, rel_tol=1e-9)


def test_one_wild_run_moves_neither_the_level_nor_the_spread_far() -> None:
    quiet = np.array([1.0, 1.01, 0.99, 1.0, 1.02, 0.98])
    wild = np.append(quiet, 9.0)
    spread = pooled_spread((quiet, quiet, wild), 0.0)
    assert spread.sigma < 0.1
    assert abs(side_of(wild, spread).level - 1.0) < 0.05


def test_what_a_build_adds_is_part_of_every_level() -> None:
    values = np.array([1.0, 1.1, 0.9])
    plain, built = (side_of(values, Spread(sigma=0.1, tau=tau, df=10)) for tau in (0.0, 0.2))
    assert math.isclose(built.variance - plain.variance, 0.04)
