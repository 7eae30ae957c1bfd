"""The shape of a change: one step, several, or a slow creep in which no single commit is worth naming.

A search for one step does not end where there are several: what they leave unexplained passes for the luck of builds.
Where two steps, or a straight line, fit the measured commits far better than any single step, the stretches between
neighbouring measured commits are searched on their own, the one that moves most first.
"""

from dataclasses import dataclass

import numpy as np

from bisector.core.search.end_levels import end_difference
from bisector.core.search.observations import FloatArray, IntArray, Observations
from bisector.core.search.posterior import Posterior

FEWEST_PLACES = 5
"""Measured commits below which the shapes cannot be told apart."""
STRAIGHTER = 3.0
"""So many times smaller must the squared distances from a line be than those from the best step."""
EXTRA_STEP = 4.0, 6.0
"""What a second step has to gain in log likelihood, twice: its two parameters in the Bayesian information criterion
(4 ln n), and odds of twenty to one."""
LEAST_MISFIT = 4.0
"""Squared distance from the best step, in noise variances a commit, below which a step fits well enough."""
CLIMBS, FITS, LEAD = 14.0, 2.0, 6.0
"""By how much a line has to be closer than the best step then, in noise variances; how close it has to be, a commit;
and what it has to gain in log likelihood, twice, where the noise is not known."""
ONE_SIDED_95 = 1.645


@dataclass(frozen=True, kw_only=True)
class Uneven:
    """A change that one step does not explain.

    `stretches` are the neighbouring measured commits between which the level may move by a change worth naming, the
    largest move first; `largest` is the largest step that there may be. Without any stretch the change is a creep.
    """

    stretches: tuple[tuple[int, int], ...]
    largest: float


def uneven(observations: Observations, posterior: Posterior) -> Uneven | None:
    """The shape of the change between the ends; None where it is one step, or too little is known."""
    change, error = end_difference(observations, posterior)
    if not observations.line.linear or abs(change) - 2 * error < observations.threshold:
        return None
    places, levels, counts = _levels(observations, posterior)
    weight = counts / max(posterior.sigma, 1e-9) ** 2
    if len(places) < FEWEST_PLACES or _one_step(places, levels, weight):
        return None
    moves = np.abs(np.diff(levels))
    # A gap that surely moves so far is searched: a regular staircase looks like a line wherever it happens to be run.
    unsure = moves - ONE_SIDED_95 * np.sqrt(1 / weight[1:] + 1 / weight[:-1]) < observations.threshold
    possible = np.where(unsure, np.minimum(moves, _steps_beside_a_line(places, levels, weight)), moves)
    order = [int(gap) for gap in np.argsort(-moves, kind="stable") if possible[gap] >= observations.threshold]
    stretches = tuple((int(places[gap]), int(places[gap + 1])) for gap in order)
    return Uneven(stretches=stretches, largest=float((moves if stretches else possible).max()))


def _steps_beside_a_line(places: IntArray, levels: FloatArray, weight: FloatArray) -> FloatArray:
    """For each gap between `places` how large a step there may be beside a steady climb (one-sided, 95 %).

    All places tell of it, not only its neighbours. Where a line does not fit it rules nothing out.
    """
    count, at = len(places), places.astype(float)
    root = np.sqrt(weight)
    slope, base = np.polyfit(at, levels, 1, w=root)
    left = float(weight @ (levels - base - slope * at) ** 2)
    if left > FITS * count:
        return np.full(count - 1, np.inf)
    bounds = []
    for gap in range(count - 1):
        columns = np.column_stack([np.ones(count), at, np.arange(count) > gap]) * root[:, None]
        inverse = np.linalg.pinv(columns.T @ columns)
        step = float((inverse @ (columns.T @ (levels * root)))[2])
        bounds.append(abs(step) + ONE_SIDED_95 * float(np.sqrt(inverse[2, 2] * max(left / max(count - 2, 1), 1.0))))
    return np.array(bounds)


def _levels(observations: Observations, posterior: Posterior) -> tuple[IntArray, FloatArray, FloatArray]:
    """The measured places in order, the mean level of each and how many runs it rests on."""
    measured = observations.counts > 0
    places, position = np.unique(observations.unit_place[measured], return_inverse=True)
    counts = observations.counts[measured].astype(float)
    runs = np.bincount(position, weights=counts).astype(np.float64)
    sums = np.bincount(position, weights=counts * posterior.unit_mean[measured])
    return places.astype(np.int64), np.asarray(sums / runs), runs


def _one_step(places: IntArray, levels: FloatArray, weight: FloatArray) -> bool:
    """Whether the best step fits the levels well, or at least about as well as two steps and a straight line do."""
    count = len(places)
    cuts = range(1, count)
    step = min(_spread(levels[:cut], weight[:cut]) + _spread(levels[cut:], weight[cut:]) for cut in cuts)
    slope, base = np.polyfit(places.astype(float), levels, 1, w=np.sqrt(weight))
    straight = float(weight @ (levels - base - slope * places) ** 2)
    if step < LEAST_MISFIT * count:
        likelier = step - straight > CLIMBS and count * np.log(step / max(straight, count)) > LEAD
        return not (likelier and straight < FITS * count)
    two = min(
        _spread(levels[:one], weight[:one])
        + _spread(levels[one:other], weight[one:other])
        + _spread(levels[other:], weight[other:])
        for other in cuts
        for one in range(1, other)
    )
    price, odds = EXTRA_STEP
    # A fit cannot be closer than the noise: a few places that happen to lie on two steps exactly prove nothing.
    two_steps = count * np.log(step / max(two, count)) > price * np.log(count) + odds
    return not (two_steps or step > STRAIGHTER * straight)


def _spread(levels: FloatArray, weight: FloatArray) -> float:
    """Weighted squared distances from their mean."""
    middle = float(weight @ levels / weight.sum())
    return float(weight @ (levels - middle) ** 2)
