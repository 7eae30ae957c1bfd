"""The grid of levels: builds that deviate are a convolution over it, however far its windows lie apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.search.levels import Grid, smear
from bisector.core.search.noise import Scales


def grid_between(low: float, high: float, runs: int) -> Grid:
    """A grid about two levels of noise 1."""
    scales = Scales(t=0.8, normal=1.0, df=6)
    return Grid.around(np.array([low, high]), runs, scales, tau=2.0, threshold=0.5)


@given(st.floats(0, 30), st.integers(1, 40), st.floats(0.1, 3), st.integers(0, 99))
def test_builds_that_deviate_smear_a_likelihood_as_the_integral_does(
    step: float, runs: int, tau: float, seed: int
) -> None:
    grid = grid_between(0.0, step, runs)
    values = np.random.default_rng(seed).normal(0, 1, (3, 1))
    likelihood = -0.5 * (values - grid.positions) ** 2
    apart = grid.positions[:, None] - grid.positions[None, :]
    usual = np.arange(-4000, 4001) * grid.spacing
    kernel = np.exp(-0.5 * (apart / tau) ** 2) / np.exp(-0.5 * (usual[np.abs(usual) <= 8 * tau] / tau) ** 2).sum()
    expected = np.exp(likelihood) @ kernel
    assert np.exp(smear(likelihood, grid, tau)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_step_of_a_billion_deviations_takes_no_room_between_its_levels() -> None:
    grid = grid_between(0.0, 1e9, 4)
    likelihood = -0.5 * grid.positions[None, :] ** 2
    found = smear(likelihood, grid, 1.0)
    assert found.shape == likelihood.shape
    assert np.isfinite(found[0, : found.shape[1] // 2]).all()


def test_without_deviation_nothing_changes() -> None:
    grid = grid_between(0.0, 2.0, 4)
    likelihood = -0.5 * grid.positions[None, :] ** 2
    assert smear(likelihood, grid, 0.0) is likelihood
