"""The grid of levels, and what is summed over it, beside the same sums as they are written down."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.search.levels import Grid, Scaled, log_pairs, side_moments, smear
from bisector.core.search.noise import Noise, Scales


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


@given(st.floats(0, 6), st.floats(0.01, 7), st.integers(0, 999))
def test_sums_over_pairs_of_levels_are_those_over_all_that_lie_far_enough_apart(
    step: float, threshold: float, seed: int
) -> None:
    positions = grid_between(0.0, step, 9).positions
    draw = np.random.default_rng(seed)
    good, bad = (draw.normal(0, 4, (2, 3, len(positions))) for _ in range(2))
    rises = positions[None, :] - positions[:, None] >= threshold - 1e-12
    joint = np.where(rises, np.exp(good[..., :, None] + bad[..., None, :]), 0.0)
    total = joint.sum(axis=(-2, -1))
    scaled = Scaled.of(good), Scaled.of(bad)
    found = np.exp(log_pairs(*scaled, positions, threshold))
    assert found == pytest.approx(total, rel=1e-9)
    if not rises.any():
        return
    mean, square = side_moments(*scaled, positions, threshold)
    sides = np.stack([joint.sum(axis=-1), joint.sum(axis=-2)], axis=-2) / total[..., None, None]
    assert mean == pytest.approx(sides @ positions, rel=1e-9, abs=1e-9)
    assert square == pytest.approx(sides @ positions**2, rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-50, 50)), min_size=1, max_size=60), st.floats(0.01, 3))
def test_a_builds_likelihood_is_the_product_of_its_runs(runs: list[tuple[int, float]], scale: float) -> None:
    unit, value = (np.array(each) for each in zip(*runs, strict=True))
    noise = Noise.of(Scales(t=scale, normal=2 * scale, df=6), np.zeros(0))
    levels = np.array([-1.0, 0.0, 30.0])
    found = noise.unit_log_likelihood(value, unit, 4, levels, np.full(len(value), np.nan))
    assert found.shape == (10, 4, 3)
    for number in range(4):
        offsets = value[unit == number][:, None] - levels
        for member in (0, 2, 4):
            each = scipy.stats.t.logpdf(offsets, 3, scale=noise.t_scales[member])
            assert found[member, number] == pytest.approx(each.sum(axis=0), rel=1e-9, abs=1e-9)
            each = scipy.stats.norm.logpdf(offsets, scale=noise.normal_scales[member])
            assert found[5 + member, number] == pytest.approx(each.sum(axis=0), rel=1e-9, abs=1e-9)


def test_runs_a_billion_deviations_apart_have_a_likelihood() -> None:
    value, unit = np.repeat([0.0, 1e9], 40), np.repeat([0, 1], 40)
    noise = Noise.of(Scales(t=0.3, normal=0.3, df=1), np.zeros(0))
    found = noise.unit_log_likelihood(value, unit, 2, np.array([0.0, 1e9]), np.full(80, np.nan))
    assert np.isfinite(found).all()
