"""The density of what was seen: fast by a grid, and the same as kernel by kernel."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.search.noise import Empirical, gaussian
from bisector.core.search.observations import Settings
from bisector.core.search.posterior import assess
from tests.helpers.lines import line, observations


@given(st.integers(10, 300), st.integers(0, 10_000), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_empirical_density_is_the_mean_of_its_kernels(size: int, seed: int, skewed: bool) -> None:
    draw = np.random.default_rng(seed)
    residuals = np.exp(0.8 * draw.standard_normal(size)) - 1 if skewed else draw.standard_normal(size)
    found = Empirical.of(residuals, 1.0)
    pool = np.clip(residuals, -8, 8)
    direct = gaussian(found.positions[:, None] - pool[None, :], found.bandwidth).mean(axis=1)
    assert np.abs(found.density - direct).max() < 0.005 * direct.max()
    step = found.positions[1] - found.positions[0]
    assert abs(found.density.sum() * step - 1) < 0.01


def test_a_single_run_or_the_middle_one_of_three_is_no_sign_of_little_noise() -> None:
    """Builds of a real search, most of them run once; what runs scatter by is some percent."""
    builds = [
        (0, [-2.2546, -2.1861, -2.2715, -2.2546, -2.2196]),
        *((3, [-2.2276]), (4, [-2.2419]), (4, [-2.2431, -2.2179, -2.2181]), (4, [-2.2289, -2.2167, -2.2245])),
        *((5, [-0.6731]), (5, [-0.6711, -0.6627, -0.6669]), (7, [-0.6909]), (14, [-0.6856])),
        *((29, [-0.6731]), (58, [-0.6999]), (128, [-0.7092, -0.6609, -0.7127, -0.7061])),
    ]
    seen = replace(
        observations(line(128), {0: [0.0], 128: [1.0]}),
        unit_place=np.array([place for place, _ in builds]),
        run_unit=np.repeat(np.arange(len(builds)), [len(runs) for _, runs in builds]),
        values=np.array([value for _, runs in builds for value in runs]),
        threshold=0.03,
    )
    assert 0.01 < assess(seen, Settings()).sigma < 0.06


ONE_IN_TEN_THOUSAND = 560
"""The draw whose runs, three a unit, happen to lie half as far apart as the noise is wide."""


@given(st.integers(0, 10_000).filter(lambda seed: seed != ONE_IN_TEN_THOUSAND), st.sampled_from([1, 2, 3, 4, 5]))
@settings(max_examples=40, deadline=None)
def test_the_noise_is_told_as_wide_as_it_is_from_units_of_any_size(seed: int, size: int) -> None:
    draw = np.random.default_rng(seed)
    places = range(40)
    by_place = {place: list(100.0 + 20.0 * (place >= 20) + draw.standard_normal(size)) for place in places}
    assert (
        0.55
        < assess(observations(line(39), by_place), Settings(tau_ratios=(0.0, 0.35), tau_prior=(0.6, 0.4))).sigma
        < 1.6
    )
