"""Tails and spreads of runs as what is compared, and what the level alone does not show."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.model.history import main
from bisector.core.model.request import Across
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.search.across import TOGETHER, statistic, taken_together
from bisector.core.search.dispersion import hint_of_spread, modes, modes_of, spread_ratio
from bisector.core.search.observations import FloatArray

values = st.lists(st.floats(0.001, 1e6), min_size=2, max_size=40).map(np.array)


def sample(order: int, value: float, *, index: int = 0, step: int = 1, number: int = 0) -> Sample:
    return Sample(
        place=main(index),
        number=number,
        build="b",
        purpose=Purpose.SEARCH,
        outcome=Outcome.OK,
        values={"m": value, "other": -value},
        step=step,
        order=order,
        clock=float(order),
        host="h",
    )


@given(values, st.sampled_from(list(Across)), st.floats(0.01, 100))
def test_statistics_go_with_the_unit_and_lie_where_they_should(runs: FloatArray, across: Across, factor: float) -> None:
    found = statistic(runs, across)
    assert statistic(factor * runs, across) == pytest.approx(factor * found, rel=1e-6, abs=1e-6)
    if across in {Across.IQR, Across.STDEV}:
        assert found >= 0
        assert statistic(np.full(5, 3.0), across) == pytest.approx(0, abs=1e-12)
    else:
        assert runs.min() * (1 - 1e-9) <= found <= runs.max() * (1 + 1e-9)


def test_known_statistics() -> None:
    runs = np.arange(1.0, 12.0)
    expected = {
        Across.MEDIAN: 6.0,
        Across.MEAN: 6.0,
        Across.MIN: 1.0,
        Across.MAX: 11.0,
        Across.P90: 10.0,
        Across.P95: 10.5,
        Across.P99: 10.9,
        Across.IQR: 5.0,
        Across.STDEV: np.sqrt(11.0),
    }
    assert {across: statistic(runs, across) for across in Across} == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(1, 2)), max_size=120))
@settings(max_examples=50)
def test_runs_are_taken_together_by_round_and_build_and_never_twice(units: list[tuple[int, int, int]]) -> None:
    taken = [
        sample(order, float(order + 1), index=index, number=number, step=step)
        for order, (index, number, step) in enumerate(units)
    ]
    assert taken_together(taken, "m", Across.MEDIAN) == tuple(taken)
    found = taken_together(taken, "m", Across.MAX)
    for unit in set(units):
        own = [each.values["m"] for each, named in zip(taken, units, strict=True) if named == unit]
        wanted = [max(own[start : start + TOGETHER]) for start in range(0, len(own) - TOGETHER + 1, TOGETHER)]
        got = [s.values["m"] for s in found if (s.place.index, s.number, s.step) == unit]
        assert got == wanted
    assert [each.clock for each in found] == sorted(each.clock for each in found)


def test_the_spread_is_told_to_differ_when_it_does_and_hardly_ever_when_not() -> None:
    random = np.random.default_rng(5)
    false = sum(
        spread_ratio(random.standard_normal(20), 7 + random.standard_normal(20)) is not None for _ in range(500)
    )
    assert false <= 5
    wider = [spread_ratio(random.standard_normal(20), 7 + 4 * random.standard_normal(20)) for _ in range(50)]
    assert sum(ratio is not None and 2 < ratio < 8 for ratio in wider) >= 45
    assert spread_ratio(np.ones(20), np.ones(20)) is None
    assert spread_ratio(random.standard_normal(5), 9 * random.standard_normal(50)) is None


def test_two_modes_are_told_from_one_wide_or_skewed_or_with_outliers() -> None:
    random = np.random.default_rng(6)
    shapes: dict[str, Callable[[], FloatArray]] = {
        "normal": lambda: random.normal(0.0, 1.0, 24),
        "uniform": lambda: random.uniform(0.0, 1.0, 24),
        "skewed": lambda: np.exp(0.8 * random.standard_normal(24)),
        "outliers": lambda: np.concatenate([random.standard_normal(21), [20.0, 21.0, 30.0]]),
    }
    for name, draw in shapes.items():
        assert sum(modes(draw()) == 2 for _ in range(200)) <= 4, name
    two = [np.concatenate([random.standard_normal(14), 10 + random.standard_normal(10)]) for _ in range(50)]
    assert sum(modes(each) == 2 for each in two) >= 48
    assert modes(np.array([1.0, 2.0, 1.0])) == 1
    assert modes(np.ones(30)) == 1


def test_the_number_of_modes_is_told_to_differ_only_where_both_sides_have_runs_enough() -> None:
    random = np.random.default_rng(7)
    one = random.standard_normal(24)
    two = np.concatenate([random.standard_normal(14), 10 + random.standard_normal(10)])
    assert (modes_of(one, two), modes_of(two, one)) == ((1, 2), (2, 1))
    assert modes_of(one, one + 3) is None
    assert modes_of(two, two + 3) is None
    assert modes_of(one[:5], two) is None


def test_a_few_runs_give_a_hint_where_they_look_far_from_even_and_seldom_where_they_are() -> None:
    random = np.random.default_rng(8)
    false = sum(hint_of_spread(random.standard_normal(5), random.standard_normal(5)) is not None for _ in range(1000))
    assert false < 60
    wide = [hint_of_spread(random.standard_normal(5), 10 * random.standard_normal(5)) for _ in range(100)]
    assert sum(ratio is not None and ratio > 1 for ratio in wide) > 80
    assert hint_of_spread(random.standard_normal(3), 99 * random.standard_normal(3)) is None
    assert hint_of_spread(random.standard_normal(9), 99 * random.standard_normal(9)) is None
    assert hint_of_spread(np.ones(5), np.arange(5.0)) is None
