"""The density of what was seen: fast by a grid, and the same as kernel by kernel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.search.noise import Empirical, gaussian


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
