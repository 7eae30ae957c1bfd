"""What builds may do to a level, model by model."""

import numpy as np
import numpy.typing as npt
import pytest

from bisector.core.search.build_models import (
    ODD_SHARE,
    SEEN_PRIOR,
    BuildModel,
    Deviating,
    Kinds,
    Odd,
    build_models,
    unit_likelihoods,
)
from bisector.core.search.levels import Grid
from bisector.core.search.noise import Noise, Scales
from bisector.core.search.observations import Settings

Floats = npt.NDArray[np.float64]
SCALES = Scales(t=0.8, normal=1.0, df=30)
GRID = Grid.around(np.array([0.0, 10.0]), 9, SCALES, tau=6.0, threshold=1.0)


def about(level: float) -> Floats:
    """What the runs of one build say, whose level they know to half a deviation."""
    return np.asarray(-0.5 * ((GRID.positions - level) / 0.5) ** 2)[None]


def test_most_builds_are_alike_under_the_model_of_odd_ones_and_some_lie_anywhere() -> None:
    noise = Noise.of(SCALES, np.linspace(-1, 1, 8), quick=True)
    base = np.stack([about(3.0)] * len(noise.sigma))
    models: tuple[BuildModel, ...] = (Deviating(ratio=0.0), Deviating(ratio=6.0), Odd(ratio=6.0))
    found = np.exp(unit_likelihoods(base, noise, GRID, models))
    alike, wide, mixed = found[:3]
    assert mixed == pytest.approx((1 - ODD_SHARE) * alike + ODD_SHARE * wide)
    assert len(found) == 3 * len(noise.sigma)


@pytest.mark.parametrize("gap", [4.0, -4.0])
def test_of_two_kinds_a_build_has_its_commits_level_or_lies_by_the_gap_beside_it(gap: float) -> None:
    model = Kinds(gap=gap)
    found = np.exp(model.of_units(about(5.0), 1.0, GRID))[0]
    at = {
        level: found[np.argmin(np.abs(GRID.positions - level))] for level in (5.0, 5.0 - gap, 5.0 + gap, 5.0 - gap / 2)
    }
    assert at[5.0] == pytest.approx(1 - ODD_SHARE, rel=0.05)
    # The other kind's place is known to `within`, so that the peak is lower and wider by that.
    widened = 0.5 / np.hypot(0.5, model.within(1.0))
    assert at[5.0 - gap] == pytest.approx(ODD_SHARE * widened, rel=0.05)
    assert at[5.0 + gap] < 1e-3
    assert at[5.0 - gap / 2] < 0.1 * at[5.0 - gap]


@pytest.mark.parametrize("model", [Deviating(ratio=2.0), Odd(ratio=3.0), Kinds(gap=4.0), Kinds(gap=-40.0)])
def test_the_deviation_of_a_build_is_that_of_what_the_model_draws(model: Deviating | Odd | Kinds) -> None:
    draw = np.random.default_rng(3)
    odd, normal = draw.random(200_000) < ODD_SHARE, draw.standard_normal(200_000)
    if isinstance(model, Kinds):
        builds = (model.gap + model.within(1.0) * normal) * odd
    else:
        builds = model.ratio * normal * (odd if isinstance(model, Odd) else 1.0)
    assert model.deviation(1.0) == pytest.approx(builds.std(), rel=0.01)
    assert model.reach(1.0) >= model.deviation(1.0)


def test_what_builds_showed_joins_the_usual_models() -> None:
    usual, prior = build_models(Settings(), quick=False)
    assert [model.gap for model in usual] == [0.0] * 4
    assert np.exp(prior) == pytest.approx(Settings().tau_prior)
    shown, prior = build_models(Settings(odd_builds=4.0, gap=5.0), quick=False)
    assert shown[:4] == usual
    assert shown[4:] == (Odd(ratio=4.0), Kinds(gap=5.0), Kinds(gap=-5.0))
    assert np.exp(prior[4:]) == pytest.approx(np.full(3, SEEN_PRIOR / (1 + 3 * SEEN_PRIOR)))
    quick, _ = build_models(Settings(), quick=True)
    assert quick == usual[:-1]
