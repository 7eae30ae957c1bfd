"""Steps between nights: found within the promised false alarms, and what a sweep does about them."""

from collections.abc import Callable
from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bisector.core.model.scenario import Better, Metric
from bisector.core.model.units import Sha
from bisector.core.model.verdict import Change
from bisector.core.watch.detect import TAIL, Watch, newest_step, reach
from bisector.core.watch.moves import (
    Accept,
    Accepted,
    AcceptedBy,
    Entry,
    Look,
    Looked,
    Search,
    Searched,
    due,
    next_move,
    open_changes,
)
from bisector.core.watch.nights import Night, Series

METRIC = Metric(name="seconds", min_effect=0.01)
ANY = Metric(name="seconds", min_effect=0.0)
SPREAD = 0.01
SEEDS = (11, 12, 13)


def tip(number: int) -> Sha:
    return Sha(f"{number:040x}")


def nights(offsets: np.ndarray, better: Better = Better.LOWER) -> list[Night]:
    sign = 1 if better is Better.LOWER else -1
    return [
        Night(time=86400.0 * at, tip=tip(at), values=(float(np.exp(sign * offset)),), reference=(1.0,))
        for at, offset in enumerate(offsets)
    ]


def gauss(random: np.random.Generator, count: int) -> np.ndarray:
    return random.normal(size=count)


def heavy(random: np.random.Generator, count: int) -> np.ndarray:
    return random.standard_t(3, size=count)


def bursts(random: np.random.Generator, count: int) -> np.ndarray:
    return random.normal(size=count) + (random.random(count) < 0.08) * random.exponential(6, count)


def two_modes(random: np.random.Generator, count: int) -> np.ndarray:
    return random.normal(size=count) * 0.3 + (random.random(count) < 0.3) * 3


SEEN_WHEN_LONG = [pytest.param(noise, marks=pytest.mark.long) for noise in (gauss, heavy, two_modes)]


@pytest.mark.parametrize("noise", [bursts, *SEEN_WHEN_LONG])
def test_a_year_of_quiet_nights_raises_no_more_alarms_than_stated(
    noise: Callable[[np.random.Generator, int], np.ndarray],
) -> None:
    alarms = 0
    for seed in SEEDS:
        every = nights(SPREAD * noise(np.random.default_rng(seed), 365))
        alarms += sum(newest_step(every[max(0, at - 75) : at], ANY) is not None for at in range(7, 366))
    stated = Watch().false_alarms_a_year * len(SEEDS)
    assert stats.binom.sf(alarms - 1, 365 * len(SEEDS), stated / (365 * len(SEEDS))) > 0.01, f"{alarms} of {stated}"


@pytest.mark.parametrize(("size", "within"), [(4, 8), (10, 3), (40, 1)])
@pytest.mark.parametrize("better", [Better.LOWER, Better.HIGHER])
def test_a_step_is_found_soon_and_where_it_is(size: float, within: int, better: Better) -> None:
    metric, soon, near = Metric(name="m", better=better, min_effect=0.01), 0, 0
    for seed in range(20):
        offsets = SPREAD * np.random.default_rng(seed).normal(size=40)
        offsets[30:] += size * SPREAD
        every = nights(offsets, better)
        found = [(at, newest_step(every[:at], metric)) for at in range(31, 41)]
        first = next(((at, step) for at, step in found if step), None)
        if first is None:
            continue
        at, step = first
        assert step.worse
        soon += at - 30 <= within
        near += abs(step.last_old - 29) <= 1
    assert soon >= 18
    assert near >= 18


def test_an_interval_holds_the_step_it_is_of() -> None:
    held = 0
    for seed in range(60):
        offsets = SPREAD * np.random.default_rng(seed).normal(size=40)
        offsets[36:] += 0.08
        step = newest_step(nights(offsets), METRIC)
        held += step is not None and step.change.low <= np.expm1(0.08) <= step.change.high
    assert held >= 54


def test_one_disturbed_night_is_no_alarm_and_a_small_step_is_not_told() -> None:
    quiet = SPREAD * np.random.default_rng(3).normal(size=40)
    disturbed = quiet.copy()
    disturbed[-1] += 6 * SPREAD
    assert newest_step(nights(disturbed), METRIC) is None
    stepped = quiet.copy()
    stepped[30:] += 6 * SPREAD
    assert newest_step(nights(stepped), METRIC) is not None
    assert newest_step(nights(stepped), Metric(name="m", min_effect=0.1)) is None


@given(st.integers(1, 14), st.floats(1e-6, 1e-2))
def test_reach_is_the_distance_of_the_stated_error(length: int, error: float) -> None:
    single = stats.t.sf(reach(length, error), TAIL)
    assert isclose(stats.binom.sf(length // 2, length, single), error, rel_tol=1e-3)


def test_the_hosts_own_drift_does_not_enter_the_series() -> None:
    random = np.random.default_rng(5)
    host = np.exp(np.cumsum(random.normal(size=30) * 0.1))
    measured = [
        Night(
            time=float(at),
            tip=tip(at),
            values=tuple(host[at] * np.exp(0.01 * random.normal(size=5))),
            reference=tuple(host[at] * np.exp(0.01 * random.normal(size=5))),
        )
        for at in range(30)
    ]
    series = Series.of(measured, METRIC)
    assert np.abs(series.offsets).max() < 0.03
    assert 0.003 < series.error < 0.02


def test_values_that_are_not_positive_are_compared_by_difference() -> None:
    measured = [
        Night(time=float(at), tip=tip(at), values=(2.0 + (at > 20),), reference=(0.0, 2.0, 2.0)) for at in range(30)
    ]
    series = Series.of(measured, METRIC)
    assert not series.logarithmic
    assert series.relative(0.5, METRIC) == 0.5


def test_a_night_needs_runs_of_both() -> None:
    with pytest.raises(ValueError, match="accepted commit"):
        Night(time=0.0, tip=tip(1), values=(1.0,), reference=())


def stepped(size: float, count: int = 20) -> list[Entry]:
    random = np.random.default_rng(8)
    offsets = SPREAD * random.normal(size=count)
    offsets[-2:] += size
    return [Accepted(commit=tip(1000), time=0.0, by=AcceptedBy.START), *nights(offsets)]


def test_a_step_is_looked_at_then_searched_then_taken_as_the_level() -> None:
    assert next_move([], METRIC, tip(7)) == Accept(commit=tip(7), by=AcceptedBy.START)
    history = stepped(0.5)
    assert due(history).reference == tip(1000)
    look = next_move(history, METRIC, tip(19))
    assert isinstance(look, Look)
    assert (look.good, look.bad) == (tip(17), tip(19))
    change = Change(relative=0.6, low=0.5, high=0.7)
    history.append(Looked(good=look.good, bad=look.bad, time=1.0, change=change))
    search = next_move(history, METRIC, tip(19))
    assert search == Search(good=tip(17), bad=tip(19), worse=True)
    history.append(Searched(good=tip(17), bad=tip(19), time=2.0, job="12", worse=True))
    assert next_move(history, METRIC, tip(20)) == Accept(commit=tip(19), by=AcceptedBy.STEP)
    history.append(Accepted(commit=tip(19), time=3.0, by=AcceptedBy.STEP))
    assert next_move(history, METRIC, tip(20)) is None
    assert [entry.job for entry in open_changes(history)] == ["12"]
    history.append(Accepted(commit=tip(20), time=4.0, by=AcceptedBy.PERSON, note="expected"))
    assert open_changes(history) == ()


def test_an_improvement_is_searched_and_never_open() -> None:
    change = Change(relative=-0.2, low=-0.3, high=-0.1)
    history = [*stepped(-0.5), Looked(good=tip(17), bad=tip(19), time=1.0, change=change)]
    assert next_move(history, METRIC, tip(19)) == Search(good=tip(17), bad=tip(19), worse=False)
    history.append(Searched(good=tip(17), bad=tip(19), time=2.0, job="12", worse=False))
    assert open_changes(history) == ()


def test_what_a_closer_look_denied_rests_for_some_nights() -> None:
    history = [*stepped(0.5), Looked(good=tip(17), bad=tip(19), time=1.0, change=None)]
    assert next_move(history, METRIC, tip(19)) is None
    later = [Night(time=float(at), tip=tip(at), values=(1.6,), reference=(1.0,)) for at in range(20, 24)]
    moves = [next_move([*history, *later[:count]], METRIC, tip(23)) for count in range(1, 5)]
    assert moves[:2] == [None, None]
    assert isinstance(moves[2], Look)
