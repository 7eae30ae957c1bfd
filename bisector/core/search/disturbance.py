"""Whether runs with a build beside them differ from those alone: then nothing may be built beside runs."""

from collections.abc import Iterable

import numpy as np

from bisector.core.model.facts import Disturbed
from bisector.core.model.history import Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Sample
from bisector.core.model.special import stdtrit
from bisector.core.search.observations import FloatArray
from bisector.core.search.scale import Scale

SURE = 0.999
"""How sure it has to be. It is looked at after every step; a false alarm costs runs, never the answer."""
HARMFUL = 0.25
"""Part of the smallest change worth naming that a shift has to reach: less cannot be taken for a change."""
MUCH_LOUDER = 1.5
"""Times as far from their level that runs have to lie: noise costs runs by its square."""
FEWEST_FOR_NOISE = 8


def disturbance_of(investigation: Investigation) -> Disturbed | None:
    """How runs of equal builds beside a build differ from those alone, where they do; None where nothing is seen.

    Shift: the mean difference within builds, Student's t. Noise: distances from the build's median, Brown and Forsythe
    (1974), Welch's t.
    """
    metric = investigation.metric
    own = [s for s in investigation.samples if s.counts and not s.adopted_from and metric.name in s.values]
    if not any(sample.beside for sample in own):
        return None
    search = investigation.request.search
    scale = Scale.of(np.array([s.values[metric.name] for s in own], dtype=float), metric, search.direction)
    alone, beside = (_by_unit((s for s in own if s.beside is wanted), metric.name, scale) for wanted in (False, True))
    common = [unit for unit in beside if unit in alone]
    if not common:
        return None
    shift, surely = _shift([alone[unit] for unit in common], [beside[unit] for unit in common])
    least = HARMFUL * scale.threshold(investigation.request.min_effect_of(metric))
    louder, much = _louder(list(alone.values()), list(beside.values()))
    if not (surely and abs(shift) >= least) and not much:
        return None
    runs = [sum(map(len, units.values())) for units in (alone, beside)]
    return Disturbed(metric=metric.name, slower=scale.relative(shift), louder=louder, alone=runs[0], beside=runs[1])


def _by_unit(samples: Iterable[Sample], metric: str, scale: Scale) -> dict[tuple[Place, int], FloatArray]:
    found: dict[tuple[Place, int], list[float]] = {}
    for sample in samples:
        found.setdefault((sample.place, sample.number), []).append(sample.values[metric])
    return {unit: scale.into(np.array(values, dtype=float)) for unit, values in found.items()}


def _shift(alone: list[FloatArray], beside: list[FloatArray]) -> tuple[float, bool]:
    """The mean of beside minus alone within units, and whether that is more than chance."""
    weights = np.array([len(a) * len(b) / (len(a) + len(b)) for a, b in zip(alone, beside, strict=True)])
    apart = np.array([b.mean() - a.mean() for a, b in zip(alone, beside, strict=True)])
    shift = float(weights @ apart / weights.sum())
    groups = [*alone, *beside]
    degrees = sum(map(len, groups)) - len(groups)
    if degrees < 1:
        return shift, False
    sigma = float(np.sqrt(sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / degrees))
    return shift, _beyond(shift, sigma / float(np.sqrt(weights.sum())), degrees)


def _louder(alone: list[FloatArray], beside: list[FloatArray]) -> tuple[float, bool]:
    """How many times as far from their level runs beside a build lie, and whether that is much and no chance."""
    one, other = (_distances(groups) for groups in (alone, beside))
    if min(len(one), len(other)) < FEWEST_FOR_NOISE or one.mean() == 0:
        return 1.0, False
    ratio = float(other.mean() / one.mean())
    parts = [float(each.var(ddof=1)) / len(each) for each in (one, other)]
    degrees = sum(parts) ** 2 / max(
        sum(part**2 / (len(each) - 1) for part, each in zip(parts, (one, other), strict=True)), 1e-300
    )
    surely = _beyond(float(other.mean() - one.mean()), float(np.sqrt(sum(parts))), max(degrees, 1.0))
    return ratio, surely and ratio >= MUCH_LOUDER


def _distances(groups: list[FloatArray]) -> FloatArray:
    """Of every run from its unit's median, brought to what it would be from the level itself."""
    wide = [
        np.abs(group - np.median(group)) * np.sqrt(len(group) / (len(group) - 1)) for group in groups if len(group) > 1
    ]
    return np.concatenate(wide) if wide else np.zeros(0)


def _beyond(difference: float, error: float, degrees: float) -> bool:
    if error == 0:
        return difference != 0
    return abs(difference) / error > float(stdtrit(degrees, 0.5 + SURE / 2))
