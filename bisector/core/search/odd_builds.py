"""Builds of one commit that are not alike: by how much builds then may deviate, beyond what is usual.

The usual deviations go by the noise of runs. On a quiet machine none of them reaches what layout alone can do, and
every build would look like another change.
"""

from dataclasses import dataclass, replace

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.build_models import SEEN_PRIOR
from bisector.core.search.bursts import agree
from bisector.core.search.noise import median
from bisector.core.search.observations import FloatArray, IntArray, Observations, Settings

QUIET = 12.0
"""Deviations of a run between the two levels from which builds may deviate by more than the usual few of those."""
ROUGH_BUILDS, ROUGH_BUILDS_PRIOR = (0.12, 0.33), (0.05, 0.03)
"""Deviations of builds that are allowed for then, as parts of the step, and how likely each is."""
LEAST_ODD, MOST_ODD = 1.0, 8.0
"""Deviations of a run from which on that of builds which are not alike is a model of its own; times the step up to
which: what lies further off is something else that the machine did."""
UNLIKE, AGREE = 4.0, 2.0
"""Standard errors between two builds of one commit from which they are not alike; deviations of a run within which most
runs of a build lie about their median."""
SEEN_AGAIN = 2.5
"""Standard errors between two builds of another commit from which a gap that was seen once is seen again."""
ALIKE = 0.3
"""Part of itself by which the gap between two kinds of builds may look otherwise at another commit."""


def allowing_for_builds(
    settings: Settings, observations: Observations, values: FloatArray, centres: FloatArray, scale: float
) -> Settings:
    """`settings` that also allow for what builds of one commit show, where two are not alike: deviations of a good part
    of the step between the two `centres`, the one that they have, and two kinds of builds.

    `scale` is the deviation of a run. Without two such builds it is other changes that are likelier.
    """
    alone = len(np.unique(observations.unit_place)) == len(observations.unit_place)
    if len(settings.tau_ratios) < 2 or observations.exact or alone:
        return settings
    apart, counts = abs(float(centres[1] - centres[0])) / scale, observations.counts
    level = np.bincount(observations.run_unit, values, minlength=len(counts)) / np.maximum(counts, 1)
    rough = apart >= QUIET and _between_builds(observations, level, scale, counts > 0) > 0
    more = [(part * apart, prior) for part, prior in zip(ROUGH_BUILDS, ROUGH_BUILDS_PRIOR, strict=True) if rough]
    middle, calm = _calm(observations, values, centres, scale)
    seen = _between_builds(observations, middle, scale, calm) / scale
    odd = seen if LEAST_ODD < seen <= MOST_ODD * apart else 0.0
    if odd:
        more.append((odd, SEEN_PRIOR))
    if not more:
        return settings
    kept = (1 - sum(prior for _, prior in more)) / sum(settings.tau_prior)
    return replace(
        settings,
        tau_ratios=(*settings.tau_ratios, *(ratio for ratio, _ in more)),
        tau_prior=(*(kept * each for each in settings.tau_prior), *(prior for _, prior in more)),
        odd_builds=odd,
        gap=(_gap(observations, middle, scale, calm) if odd else 0.0) or settings.gap,
    )


def _between_builds(observations: Observations, level: FloatArray, scale: float, counting: BoolArray) -> float:
    """The deviation of builds of one commit, of those units that are `counting`; 0 where no two of them lie further
    apart than runs with the deviation `scale` explain."""
    if not counting.any():
        return 0.0
    level, counts = level[counting], observations.counts[counting]
    _, leading, of = np.unique(observations.unit_place[counting], return_index=True, return_inverse=True)
    first = leading[of]
    error = scale * np.sqrt(1 / counts + 1 / counts[first])
    if not (np.abs(level - level[first]) > UNLIKE * error).any():
        return 0.0
    builds = np.bincount(of)
    centre = np.bincount(of, level) / builds
    return float(np.sqrt(((level - centre[of]) ** 2).sum() / (builds - 1).sum()))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parted:
    """Builds of one commit parted into two kinds: how far these lie apart, and the error of that."""

    apart: float
    error: float
    fewest: int
    """Builds of the kind that has fewer."""

    def shown(self, errors: float) -> bool:
        """Whether the kinds lie apart by so many standard errors."""
        return self.apart > errors * self.error

    def agrees(self, gap: float) -> bool:
        """Whether they may lie apart by `gap`."""
        return abs(self.apart - gap) <= max(UNLIKE * self.error, ALIKE * gap)


def _gap(observations: Observations, level: FloatArray, scale: float, counting: BoolArray) -> float:
    """How far apart two kinds of builds lie, where builds of a commit are not alike, all commits agree, and it was seen
    more than once; else 0."""
    commits = np.unique(observations.unit_place[counting])
    units = (np.flatnonzero((observations.unit_place == commit) & counting) for commit in commits)
    found = [_parted(level[own], observations.counts[own], scale) for own in units if len(own) > 1]
    unlike = [each for each in found if each.shown(UNLIKE)]
    if not unlike:
        return 0.0
    gap = median(np.array([each.apart for each in unlike]))
    again = [each for each in found if each.shown(SEEN_AGAIN) and each.agrees(gap)]
    # One build alone that is off may be the first of a commit, and the commit with it.
    return gap if len(again) > 1 or any(each.fewest > 1 for each in again) else 0.0


def _parted(level: FloatArray, counts: IntArray, scale: float) -> _Parted:
    """Builds parted where the next one lies furthest off, which says nothing where they lie evenly."""
    order = np.argsort(level, kind="stable")
    widest = np.diff(level[order])
    cut = int(widest.argmax()) + 1
    low, high = order[:cut], order[cut:]
    apart = float(np.average(level[high], weights=counts[high]) - np.average(level[low], weights=counts[low]))
    error = scale * float(np.sqrt(1 / counts[low].sum() + 1 / counts[high].sum()))
    return _Parted(apart=apart if widest[cut - 1] > apart / 2 else 0.0, error=error, fewest=min(len(low), len(high)))


def _calm(
    observations: Observations, values: FloatArray, centres: FloatArray, scale: float
) -> tuple[FloatArray, BoolArray]:
    """The median of each unit's runs, and which units' runs were not made in a burst.

    A burst over a few runs in a row makes no build of its own, and seldom twice the same of a value: an odd build's
    runs agree, and among them others were made that lie where they belong, near one of the `centres`.
    """
    units, counts = observations.run_unit, observations.counts
    far = np.abs(values[:, None] - centres).min(axis=1) > UNLIKE * scale
    spell = np.cumsum(~far)
    middle, calm = np.zeros(len(counts)), np.zeros(len(counts), dtype=bool)
    for unit in np.flatnonzero(counts > 1):
        own = units == unit
        middle[unit] = median(values[own])
        calm[unit] = agree(values[own], middle[unit], AGREE * scale) and len(np.unique(spell[own])) > 1
    return middle, calm
