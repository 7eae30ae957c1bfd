"""A level that wanders in time: what is claimed of it, and that a steady machine is not taken for one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.search import drift
from bisector.core.search.drift import Drift, find_drift
from bisector.core.search.information import Hypotheses
from bisector.core.search.observations import FloatArray, Observations, Settings, classify
from bisector.core.search.posterior import assess
from tests.helpers.lines import line, observations


def measured(seed: int, *, walk: float, step: float = 2.0, rounds: int = 4) -> Observations:
    """Ends and two commits of 8 in turns, noise of deviation 1, the culprit at 5."""
    draw = np.random.default_rng(seed)
    order = [place for _ in range(rounds) for place in (0, 4, 8, 5, 8, 4, 0, 5)]
    wander = np.cumsum(walk * draw.standard_normal(len(order)))
    levels = np.array([100.0 + (step if place >= 5 else 0.0) for place in order])
    values = levels + wander + draw.standard_normal(len(order))
    return timed(8, list(zip(order, values, strict=True)))


def timed(size: int, taken: list[tuple[int, float]]) -> Observations:
    """Observations of (place, value) in the order they were taken, one run's length apart."""
    runs: dict[int, list[float]] = {}
    times: dict[int, list[int]] = {}
    for time, (place, value) in enumerate(taken):
        runs.setdefault(place, []).append(value)
        times.setdefault(place, []).append(time)
    clock = np.array([time for place in runs for time in times[place]], dtype=float)
    return replace(observations(line(size), runs), times=clock)


def found(seen: Observations, asked: Settings | None = None) -> Drift:
    result = find_drift(seen, seen.values, classify(seen), asked or Settings(), 10.0)
    assert result is not None
    return result


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(-5, 5))
@settings(max_examples=40, deadline=None)
def test_chances_sum_to_one_and_nothing_is_infinite(seed: int, walk: float, step: float) -> None:
    result = found(measured(seed, walk=walk, step=step))
    assert result.probability.sum() + result.no_change == pytest.approx(1)
    for each in (result.mean, result.variance, result.unit_mean, result.unit_covariance):
        assert np.isfinite(each).all()
    assert (result.variance > 0).all()


@given(st.integers(0, 1000), st.floats(-1e3, 1e3), st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_units_of_the_metric_do_not_matter(seed: int, shift: float, scale: float) -> None:
    seen = measured(seed, walk=0.3)
    moved = replace(seen, values=shift + scale * seen.values, threshold=scale * seen.threshold)
    here = found(seen)
    there = find_drift(moved, moved.values, classify(moved), Settings(), 10.0 * scale)
    assert there is not None
    assert there.odds == pytest.approx(here.odds, abs=1e-4)
    assert there.probability == pytest.approx(here.probability, abs=1e-4)


def test_a_strong_walk_is_seen_and_a_steady_machine_is_not_taken_for_one() -> None:
    strong = [found(measured(seed, walk=1.0, rounds=6)).odds for seed in range(12)]
    steady = [found(measured(seed, walk=0.0, rounds=6)).odds for seed in range(12)]
    assert np.median(strong) > 5
    assert np.median(steady) < -0.5
    assert max(steady) < 3


def test_where_the_machine_drifts_the_answer_follows_the_pairs_in_time() -> None:
    right = [int(np.argmax(assess(measured(seed, walk=1.0, step=3.0), Settings()).probability)) for seed in range(20)]
    assert sum(classify(measured(0, walk=1.0)).members(each) == (5,) for each in right) >= 18


@pytest.mark.parametrize("step", [0.9, -0.9])
def test_the_side_of_a_large_step_that_has_fewer_runs_is_not_taken_for_a_burst(step: float) -> None:
    """Runs of a real search: a step of thirty deviations between 19 and 20, nine runs before it and ten after it."""
    order = [38, 0, 38, 0, 0, 38, 38, 0, 19, 29, 21, 20, 19, 20, 20, 19, 19, 20, 0]
    noise = [4, 12, -2, 5, 1, 3, -4, -5, -6, -3, 2, 1, 7, -3, 4, -2, 1, -1, 3]
    before = abs(min(step, 0.0))
    taken = [
        (place, before + (step if place >= 20 else 0.0) + 0.006 * off) for place, off in zip(order, noise, strict=True)
    ]
    seen = replace(timed(38, taken), threshold=0.03)
    probability = found(seen, Settings(two_sided=True)).probability
    assert classify(seen).members(int(np.argmax(probability))) == (20,)
    assert probability.max() > 0.99


def test_without_times_nothing_is_claimed() -> None:
    seen = replace(measured(1, walk=1.0), times=None)
    assert find_drift(seen, seen.values, classify(seen), Settings(), 10.0) is None
    assert assess(seen, Settings()).drift is None


def test_a_burst_is_no_drift() -> None:
    seen = measured(3, walk=0.0)
    values = seen.values.copy()
    values[5:9] *= 2
    assert found(replace(seen, values=values)).odds < 1


def test_a_reference_takes_away_what_both_sides_do_not_know() -> None:
    seen = measured(1, walk=1.0, rounds=10)
    posterior = assess(seen, Settings())
    assert posterior.drift is not None
    known = Hypotheses.of(posterior)
    alone, beside = (known.beside(references, 6.0).variance for references in (0, 2))
    assert (beside < alone).all()
    assert (known.beside(0, 12.0).variance > alone).all()


@pytest.mark.parametrize("seed", range(3))
def test_closed_form_and_sums_over_levels_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels and variance integrated by brute force, for the single moving model left."""
    monkeypatch.setattr(drift, "SPEEDS", np.array([0.0, 0.2]))
    draw = np.random.default_rng(seed)
    taken = [(p, 100 + 1.5 * (p >= 3) + float(draw.standard_normal())) for p in (0, 2, 4, 3, 4, 2, 0, 3, 2, 4)]
    seen = timed(4, taken)
    asked = Settings(tau_ratios=(0.5,), tau_prior=(1.0,))
    classes = classify(seen)
    logs = np.array([brute_force(seen, bad, speed=0.2, ratio=0.5) for bad in classes.bad])
    chances = np.exp(logs - logs.max()) * classes.weight
    given_change = found(seen, asked).probability
    assert given_change / given_change.sum() == pytest.approx(chances / chances.sum(), abs=0.01)


@pytest.mark.long
def test_many_short_turns_are_drawn_together_and_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = measured(4, walk=0.5, rounds=20)
    monkeypatch.setattr(drift, "MOST_BATCHES", 10**6)
    every = found(seen)
    monkeypatch.setattr(drift, "MOST_BATCHES", 60)
    fewer = found(seen)
    assert np.argmax(fewer.probability) == np.argmax(every.probability)
    assert fewer.odds > 3
    # What the machine moves within a stretch passes for noise of its runs.
    assert fewer.sigma == pytest.approx(every.sigma, rel=0.25)


def brute_force(seen: Observations, bad: np.typing.NDArray[np.bool_], *, speed: float, ratio: float) -> float:
    """Log of the density of all runs, summed over a grid of levels and deviations (a priori flat and 1/sigma)."""
    assert seen.times is not None
    since = seen.times - seen.times.min()
    same = seen.run_unit[:, None] == seen.run_unit[None, :]
    shape = np.eye(len(since)) + speed * np.minimum(since[:, None], since[None, :]) + ratio**2 * same
    inverse, volume = np.linalg.inv(shape), np.linalg.slogdet(shape)[1]
    side = bad[seen.run_unit]
    levels = np.arange(80.0, 120.0, 0.2)
    old, new = np.meshgrid(levels, levels, indexing="ij")
    kept = new - old >= seen.threshold
    left: FloatArray = seen.values[None, :] - np.where(side[None, :], new[kept][:, None], old[kept][:, None])
    squares = np.einsum("li,ij,lj->l", left, inverse, left)
    deviations = np.exp(np.linspace(-2.5, 2.5, 60))
    size = len(since)
    terms = -0.5 * squares[:, None] / deviations**2 - size * np.log(deviations) - 0.5 * volume
    top = float(terms.max())
    return top + float(np.log(np.exp(terms - top).sum()))


def test_bursts_over_all_runs_of_a_commit_are_no_drift() -> None:
    """Runs of a simulated search on a steady machine: most of those of 32 and 16 met a burst, some of 8, 0 and 128."""
    order = [0, 128, 128, 0, 0, 128, 128, 0, 64, 64, 64, 128, 0, 64, 128, 64, 32, 32, 32, 32, 32, 16, 16, 16, 16]
    order += [8, 8, 8, 8, 16, 96, 96, 0, 96, 8, 16, 32]
    taken = [4589, 4617, 4622, 4605, 4607, 5533, 5312, 5145, 4614, 4616, 4605, 4629, 4604, 4612, 4627, 4616]
    taken += [5314, 5476, 5623, 5651, 5533, 5109, 5694, 5053, 5232, 4626, 4602, 5102, 5044, 5300]
    taken += [4617, 4618, 4593, 4630, 4600, 4613, 4612]
    seen = timed(128, [(place, value / 1000) for place, value in zip(order, taken, strict=True)])
    assert found(replace(seen, threshold=0.0035)).odds < 2


def test_most_of_an_ends_runs_in_a_burst_are_no_level_of_it() -> None:
    draw = np.random.default_rng(1)
    order = [0, 8, 8, 0, 0, 8, 8, 0, 4, 4, 6, 6, 4, 6, 0, 8, 4, 6, 8, 0]
    values = np.array([100.0 + (2.0 if place >= 6 else 0.0) for place in order]) + draw.standard_normal(len(order))
    values[:8] *= draw.uniform(1.5, 3.0, 8)
    assert found(timed(8, list(zip(order, values, strict=True)))).odds < 1


def test_a_level_of_its_own_that_comes_again_is_no_burst() -> None:
    """Two steps: what lies between them is far from both ends, and there whenever it is run."""
    order = [0, 8, 4, 4, 0, 8, 4, 4, 0, 8, 4, 0, 8]
    values = np.array([100.0 + 30.0 * (place // 4) for place in order])
    values += np.random.default_rng(2).standard_normal(len(order))
    seen = timed(8, list(zip(order, values, strict=True)))
    assert seen.times is not None
    assert (drift._kept(seen, seen.values, seen.times) == 1.0).all()


def test_a_machine_that_moves_more_than_a_runs_noise_every_run_is_known_to_drift() -> None:
    strong = [found(measured(seed, walk=2.0, rounds=4)) for seed in range(8)]
    assert np.median([each.odds for each in strong]) > 5
    assert np.median([each.speed / each.sigma**2 for each in strong]) > 1
