"""What runs of one commit say of the noise, and what follows from it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.calibration import Calibration
from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Direction
from bisector.core.search.build_models import build_models
from bisector.core.search.calibrated import Reading, calibration_of, informed, outlay, runs_for, visible
from bisector.core.search.observations import Settings
from bisector.core.search.planner import settings_of
from tests.helpers.simulated import Simulation


def readings(
    sigma: float, tau: float, *, builds: int = 8, runs: int = 20, seed: int = 0, walk: float = 0.0
) -> list[Reading]:
    random = np.random.default_rng(seed)
    offset = tau * random.standard_normal(builds)
    order = [build for turn in range(runs) for build in (range(builds) if turn % 2 == 0 else range(builds - 1, -1, -1))]
    moved = np.cumsum(walk * random.standard_normal(len(order)))
    noise = sigma * random.standard_normal(len(order))
    return [
        Reading(build=build, value=float(2.5 * np.exp(offset[build] + step + left)))
        for build, step, left in zip(order, moved, noise, strict=True)
    ]


def of_two_kinds(
    gap: float, *, odd: tuple[int, ...] = (2, 5), builds: int = 8, runs: int = 10, seed: int = 0
) -> list[Reading]:
    """Runs that deviate by 1 %, ten of each of eight builds, two of which lie higher by `gap`."""
    return [
        Reading(build=each.build, value=each.value * float(np.exp(gap * (each.build in {2, 5}))))
        for each in readings(0.01, 0.0, runs=10, seed=seed)
    ]


def known(sigma: float = 0.02, tau: float = 0.0, **other: float) -> Calibration:
    between = sigma**2 + 10 * tau**2
    found = {"level": 1.0, "autocorrelation": 0.0, "drift": 0.0, **other}
    return Calibration(
        metric="m",
        runs=10,
        builds=4,
        sigma=sigma,
        tau=tau,
        between=between,
        level=found["level"],
        autocorrelation=found["autocorrelation"],
        drift=found["drift"],
    )


@pytest.mark.parametrize("sigma", [0.001, 0.01, 0.1])
@pytest.mark.parametrize("ratio", [0.0, 1.0, 2.0])
def test_noise_and_build_variance_are_told_apart(sigma: float, ratio: float) -> None:
    """With seven degrees of freedom a build's deviation is off by more than a factor of four once in a thousand."""
    missed = 0
    for seed in range(200):
        found = calibration_of("m", readings(sigma, ratio * sigma, seed=seed))
        assert found.sigma == pytest.approx(sigma, rel=0.4)
        assert found.level == pytest.approx(2.5, rel=0.5)
        missed += not ratio * sigma / 4 <= np.hypot(found.tau, 0.458 * found.gap) <= 4 * ratio * sigma + 0.5 * sigma
    assert missed <= 2


@given(st.integers(0, 1000), st.floats(0.5, 100))
@settings(max_examples=30, deadline=None)
def test_the_unit_of_the_metric_does_not_matter(seed: int, factor: float) -> None:
    taken = readings(0.02, 0.01, seed=seed)
    scaled = [Reading(build=each.build, value=factor * each.value) for each in taken]
    one, other = calibration_of("m", taken), calibration_of("m", scaled)
    assert other.level == pytest.approx(factor * one.level)
    assert (other.sigma, other.tau) == pytest.approx((one.sigma, one.tau), abs=1e-9)


def test_a_burst_is_not_the_usual_noise() -> None:
    taken = readings(0.01, 0.0)
    burst = [Reading(build=each.build, value=each.value * (3 if n % 20 == 7 else 1)) for n, each in enumerate(taken)]
    assert calibration_of("m", burst).sigma < 0.02


def test_a_counter_has_no_noise_and_values_about_zero_are_borne() -> None:
    steady = calibration_of("m", [Reading(build=n % 2, value=7.0) for n in range(8)])
    assert (steady.sigma, steady.tau, steady.drift, visible(steady, 1)) == (0, 0, 0, 0)
    assert runs_for(steady, 0.01) == 0
    zero = calibration_of("m", [Reading(build=n % 2, value=float(n % 3 - 1)) for n in range(12)])
    assert np.isfinite(zero.sigma)
    assert sum(informed(Settings(), steady).tau_prior) == pytest.approx(1)


@pytest.mark.parametrize("taken", [[], [Reading(build=0, value=1.0)] * 9])
def test_too_little_is_refused(taken: list[Reading]) -> None:
    with pytest.raises(ValueError, match="two runs of two builds"):
        calibration_of("m", taken)


def test_a_walk_of_the_level_is_seen_and_raises_the_prior_of_drift() -> None:
    usual = Settings()
    calm = [informed(usual, calibration_of("m", readings(0.02, 0.0, seed=seed))).prior_drift for seed in range(20)]
    moved = [
        informed(usual, calibration_of("m", readings(0.02, 0.0, seed=seed, walk=0.01))).prior_drift
        for seed in range(20)
    ]
    assert sum(each < usual.prior_drift for each in calm) >= 16
    assert all(each > usual.prior_drift for each in moved)


def test_bursts_over_a_few_runs_in_a_row_are_no_drift() -> None:
    usual = Settings()
    chances = []
    for seed in range(20):
        draw, taken = np.random.default_rng(seed), readings(0.02, 0.0, seed=seed)
        slow = np.repeat(draw.random(len(taken) // 5 + 1) < 0.1, 5)
        spelt = [Reading(build=each.build, value=each.value * (2 if slow[n] else 1)) for n, each in enumerate(taken)]
        chances.append(informed(usual, calibration_of("m", spelt)).prior_drift)
    assert sum(each < usual.prior_drift for each in chances) >= 16


@given(st.floats(0.001, 0.2), st.floats(0, 0.5))
def test_priors_stay_priors(sigma: float, tau: float) -> None:
    told = informed(Settings(), known(sigma, tau))
    assert sum(told.tau_prior) == pytest.approx(1)
    assert all(chance > 0 for chance in (*told.tau_prior, told.prior_drift, 1 - told.prior_drift))


def test_builds_that_do_not_differ_make_build_variance_unlikely_and_others_likely() -> None:
    usual = Settings().tau_prior
    alike, apart = (informed(Settings(), known(0.02, tau)).tau_prior for tau in (0.0, 0.04))
    assert alike[0] > usual[0]
    assert alike[-1] < usual[-1] / 5
    assert apart[0] < 0.1
    assert apart[-1] > usual[-1]


@given(st.integers(0, 1000), st.floats(0, 0.05))
def test_builds_that_come_out_the_same_say_nothing_of_those_of_other_commits(seed: int, tau: float) -> None:
    usual = Settings()
    told = informed(usual, calibration_of("m", readings(0.02, tau, seed=seed), same_build=True))
    assert told.tau_prior == pytest.approx(usual.tau_prior)


@given(st.floats(0.001, 0.1), st.floats(0, 0.05), st.integers(1, 500), st.floats(0.01, 1))
def test_what_is_seen_and_what_it_takes_agree(sigma: float, tau: float, runs: int, effect: float) -> None:
    noise = known(sigma, tau)
    assert visible(noise, runs + 1) <= visible(noise, runs)
    needed = runs_for(noise, effect)
    if needed is None:
        assert visible(noise, 10**9) >= effect * (1 - 1e-6)
    else:
        assert visible(noise, needed) <= effect * (1 + 1e-6)
        assert needed < 2 or visible(noise, needed - 1) >= effect * (1 - 1e-6)


@given(st.floats(0.001, 0.1), st.integers(1, 4000), st.floats(0.01, 0.5))
def test_an_outlay_is_in_order_and_grows_with_the_range_and_the_noise(sigma: float, size: int, effect: float) -> None:
    plan = outlay(known(sigma), size, effect, 0.05)
    assert 0 < plan.fewest < plan.runs < plan.most
    assert 2 <= plan.builds <= size + 1
    assert outlay(known(sigma), 2 * size, effect, 0.05).runs >= plan.runs
    assert outlay(known(2 * sigma), size, effect, 0.05).runs >= plan.runs


@pytest.mark.parametrize("gap", [0.04, -0.04])
def test_two_kinds_of_builds_are_told_apart_from_builds_that_deviate(gap: float) -> None:
    found = calibration_of("m", of_two_kinds(gap))
    assert found.gap == pytest.approx(gap, rel=0.2)
    assert found.tau < 0.005, "of one kind they are alike"
    alike = replace(found, gap=0.0)
    both = (1 + visible(alike, 100)) * np.exp(abs(found.gap)) - 1
    assert visible(found, 100) == pytest.approx(both), "two builds alone may be of both kinds"
    assert runs_for(found, abs(gap) / 2) is None
    assert runs_for(found, 1.0001 * both) == 100
    usual, more = (outlay(each, 64, 0.03, 0.05) for each in (alike, found))
    assert 1.3 < more.runs / usual.runs < 1.5
    assert 1.3 < more.builds / usual.builds < 1.6


def test_where_kinds_are_told_apart_builds_of_one_kind_have_a_degree_of_freedom_less() -> None:
    found = [calibration_of("m", of_two_kinds(0.04, seed=seed)) for seed in range(200)]
    assert all(each.gap for each in found)
    assert np.mean([each.between / each.sigma**2 for each in found]) == pytest.approx(1, abs=0.1)
    told, fewer = (informed(Settings(), each) for each in (found[0], replace(found[0], gap=0.0, builds=7)))
    assert told.tau_prior == pytest.approx(fewer.tau_prior)


def test_of_values_about_zero_no_kinds_are_told() -> None:
    taken = [Reading(build=each.build, value=each.value - 2.5) for each in of_two_kinds(0.04)]
    assert calibration_of("m", taken).gap == 0


def test_the_search_begins_with_two_kinds_where_they_are_known() -> None:
    told = informed(Settings(), calibration_of("m", of_two_kinds(0.04)))
    assert told.gap == pytest.approx(0.04, rel=0.2)
    there, other = told.kinds_prior
    assert there > 1 > other > 0
    fewer_is_worse = informed(Settings(), calibration_of("m", of_two_kinds(0.04)), -1.0)
    assert (fewer_is_worse.gap, fewer_is_worse.kinds_prior) == (told.gap, (other, there))
    models, prior = build_models(told, quick=False)
    kinds = {model.gap: float(chance) for model, chance in zip(models, np.exp(prior), strict=True) if model.gap}
    assert kinds == pytest.approx({told.gap: 0.72, -told.gap: 0.08})
    assert informed(Settings(), calibration_of("m", readings(0.01, 0.0))).gap == 0


def test_the_direction_says_on_which_side_odd_builds_lie_for_the_search() -> None:
    simulation = Simulation(World(candidates=8))
    asked = simulation.request()
    simulation.close()
    noise = replace(calibration_of("m", of_two_kinds(0.04)), metric="seconds")
    for direction, sides in ((Direction.WORSE, (3.6, 0.4)), (Direction.BETTER, (0.4, 3.6))):
        request = replace(asked, noise=noise, search=replace(asked.search, direction=direction))
        assert settings_of(Investigation(job="1", request=request), LineName.MAIN).kinds_prior == sides
    compared = Investigation(job="1", request=replace(asked, noise=noise, kind=JobKind.COMPARE))
    assert settings_of(compared, LineName.MAIN).gap == 0, "two builds alone do not tell of which kind they are"


def test_the_search_begins_with_what_is_known_of_its_metric() -> None:
    simulation = Simulation(World(candidates=8))
    asked = simulation.request()
    simulation.close()
    quiet = known(0.02, 0.0)
    here, elsewhere = (replace(quiet, metric=name) for name in ("seconds", "bytes"))
    begun = [
        settings_of(Investigation(job="1", request=replace(asked, noise=noise)), LineName.MAIN)
        for noise in (None, here, elsewhere)
    ]
    assert begun[0] == begun[2]
    assert begun[1] == informed(begun[0], here)
    assert begun[1] != begun[0]
