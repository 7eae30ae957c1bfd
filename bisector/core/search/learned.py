"""What a finished job showed of its scenario's noise on its host, kept for the jobs after it.

Runs of one build differ by the noise, builds of commits on one side of the answer by more than it where builds differ
by chance, and neighbouring runs of different builds go together where the machine drifts.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from bisector.core.model.calibration import Calibration
from bisector.core.model.history import BoolArray, LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Across, JobKind
from bisector.core.model.samples import Sample
from bisector.core.model.scenario import CRASHED
from bisector.core.model.verdict import Reason, VerdictKind
from bisector.core.search.calibrated import CLIPPED, FAR, drift_of, within_builds
from bisector.core.search.ends import find_ends
from bisector.core.search.noise import SIGMA_OF_MAD
from bisector.core.search.observations import FloatArray, IntArray
from bisector.core.search.planner import main_line_view, settings_of
from bisector.core.search.posterior import Posterior, assess
from bisector.core.search.surplus import surplus_by_build
from bisector.core.search.unit_levels import unit_medians
from bisector.core.search.view import View

FEWEST_RUNS, FEWEST_WITHIN = 12, 6
"""Runs in all, and those beyond the first of each build, below which a job says nothing of the noise."""
FEWEST_OF_AN_END = 6
MOST_KEPT = 60
"""Degrees of freedom that what was known counts for at most: what the last jobs showed counts more."""


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """Runs in the order they were made: their units, sides and values in the search's units."""

    unit: IntArray
    side: IntArray
    values: FloatArray


def learned(investigation: Investigation) -> Calibration | None:
    """The noise that the job's own runs show, given its answer; None where they are too few or have none."""
    ends = find_ends(investigation) if investigation.history is not None else None
    search, metric = investigation.request.search, investigation.metric
    if investigation.verdict is None or ends is None or search.across is not Across.MEDIAN or metric == CRASHED:
        return None
    view = main_line_view(investigation, ends)
    samples = [sample for sample in view.compared if not sample.adopted_from]
    if view.exact or len(samples) < FEWEST_RUNS:
        return None
    found = _found(view)
    runs = _runs(view, samples, found)
    count = np.bincount(runs.unit)
    within = len(samples) - len(count)
    if within < FEWEST_WITHIN:
        return None
    left = runs.values - unit_medians(runs.values, runs.unit, np.ones(len(samples), dtype=bool))
    spread = SIGMA_OF_MAD * float(np.median(np.abs(left[left != 0]))) if left.any() else 0.0
    close = np.abs(left) <= CLIPPED * spread
    drawn_in = within_builds(runs.values - left + np.clip(left, -CLIPPED * spread, CLIPPED * spread), runs.unit)
    sigma = float(np.sqrt((drawn_in**2).sum() / within))
    if sigma <= 0:
        return None
    between, degrees, together = _between(runs, close, sigma)
    neighbours, correlation = _neighbours(runs, close, sigma)
    scale, level = view.scale, [sample.values[metric.name] for sample in samples]
    relative = 1.0 if scale.logarithmic else 1 / scale.reference
    return Calibration(
        metric=metric.name,
        runs=max(int(together), 1),
        builds=degrees + 1,
        level=float(np.median(level)),
        sigma=sigma * relative,
        tau=float(np.sqrt(max(between - 1, 0.0) / max(together, 1.0))) * sigma * relative,
        between=between * (sigma * relative) ** 2,
        autocorrelation=correlation,
        drift=_drift(view, samples, runs.values, sigma) * relative,
        gap=_gap(view, found),
        within=within,
        neighbours=neighbours,
        jobs=1,
    )


def merged(known: Calibration | None, new: Calibration) -> Calibration:
    """`known` with what another job showed: mean squares weighted by their degrees of freedom, each in its own noise.

    That the noise was another in an earlier job thus leaves what is known of builds as it is.
    """
    if known is None:
        return new
    within = [min(known.within or known.builds * (known.runs - 1), MOST_KEPT), new.within]
    between = [0 if known.same_build else min(known.builds - 1, MOST_KEPT), new.builds - 1]
    pairs = [min(known.neighbours or known.runs * known.builds, MOST_KEPT), new.neighbours]
    sigma = float(np.sqrt(_weighted([known.sigma**2, new.sigma**2], within)))
    ratio = _weighted([each.between / max(each.sigma, 1e-12) ** 2 for each in (known, new)], between)
    together = _weighted([known.runs, new.runs], between)
    return Calibration(
        metric=new.metric,
        runs=max(int(together), 1),
        builds=sum(between) + 1,
        level=new.level,
        sigma=sigma,
        tau=sigma * float(np.sqrt(max(ratio - 1, 0.0) / max(together, 1.0))),
        between=ratio * sigma**2,
        autocorrelation=_weighted([known.autocorrelation, new.autocorrelation], pairs),
        drift=new.drift,
        gap=new.gap,
        within=sum(within),
        neighbours=sum(pairs),
        same_build=known.same_build and not any(between),
        jobs=known.jobs + new.jobs,
    )


def _weighted(values: list[float], weights: list[int]) -> float:
    return float(np.average(values, weights=weights)) if sum(weights) else float(values[-1])


def _runs(view: View, samples: list[Sample], found: Posterior | None) -> _Runs:
    """The runs, without what odd builds lie off by."""
    side, surplus = _sides(view.investigation), surplus_by_build(view, found)
    builds = [(sample.place, view.build_number(sample)) for sample in samples]
    values = np.array([sample.values[view.metric.name] for sample in samples], dtype=float)
    return _Runs(
        unit=_numbered(builds),
        side=_numbered([side(sample.place) for sample in samples]),
        values=view.scale.into(values) - np.array([surplus.get(build, 0.0) for build in builds]),
    )


def _numbered(keys: Sequence[Hashable]) -> IntArray:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _sides(investigation: Investigation) -> Callable[[Place], Hashable]:
    """Which commits have one level by the answer; where it does not tell, each has its own."""
    verdict, line = investigation.verdict, investigation.line
    if verdict is None or not line.linear or investigation.request.kind is JobKind.COMPARE:
        return lambda place: place
    named = [each for each in (*verdict.culprits, *verdict.opposite) if each.place.line is LineName.MAIN]
    unchanged = verdict.kind is VerdictKind.NOT_REPRODUCED and verdict.reason is Reason.NO_CHANGE
    if not named and not unchanged:
        return lambda place: place
    cuts = [(min(each.members), max(each.members)) for each in named]

    def side(place: Place) -> Hashable:
        inside = any(first <= place.index < last for first, last in cuts)
        if place.line is not LineName.MAIN or inside:
            return place
        return sum(place.index >= last for _, last in cuts)

    return side


def _between(runs: _Runs, close: BoolArray, sigma: float) -> tuple[float, int, float]:
    """Mean square between the builds of a side over the noise's, its degrees of freedom, and how many runs a build
    counts as (Searle, Casella and McCulloch 1992, unequal numbers).

    Of the runs only those `close` to their build's middle, and of the builds those that do not lie far from the others:
    what was run within a burst tells nothing of builds.
    """
    square, degrees, together = 0.0, 0, 0.0
    for side in np.unique(runs.side[close]):
        chosen = close & (runs.side == side)
        _, unit = np.unique(runs.unit[chosen], return_inverse=True)
        count = np.bincount(unit).astype(float)
        mean = np.bincount(unit, runs.values[chosen]) / count
        apart = np.abs(mean - np.median(mean))
        near = apart <= FAR * max(SIGMA_OF_MAD * float(np.median(apart)), sigma)
        count, mean = count[near], mean[near]
        square += float(count @ (mean - count @ mean / count.sum()) ** 2)
        degrees += len(count) - 1
        together += float(count.sum() - (count**2).sum() / count.sum())
    return (square / degrees / sigma**2, degrees, together / degrees) if degrees else (1.0, 0, 1.0)


def _found(view: View) -> Posterior | None:
    """What the search knows at its end; None where that says nothing of kinds of builds."""
    investigation = view.investigation
    if not investigation.request.searches or not view.scale.logarithmic:
        return None
    return assess(view.observations(), settings_of(investigation, LineName.MAIN))


def _gap(view: View, found: Posterior | None) -> float:
    """How far odd builds lie above the others, where the job's runs say that builds are of two kinds, with what was
    known before the job; that stands where they could not tell."""
    known = view.investigation.request.noise
    before = known.gap if known is not None and known.metric == view.metric.name else 0.0
    if found is None or found.drift is not None:
        return before
    return view.scale.sign * found.kinds.gap if found.kinds is not None else 0.0


def _neighbours(runs: _Runs, close: BoolArray, sigma: float) -> tuple[int, float]:
    """How many runs are followed by one of another build, and how the two go together.

    Both are `close` to the middle of their build, as those of a burst are not. Two of one build would tell more of the
    mean they share than of the machine.
    """
    unit, values = runs.unit[close], runs.values[close]
    known = np.bincount(unit)[unit] > 2
    chosen = np.flatnonzero(known[:-1] & known[1:] & (unit[:-1] != unit[1:]) & (np.diff(np.flatnonzero(close)) == 1))
    if not len(chosen):
        return 0, 0.0
    residuals = within_builds(values, unit) / sigma
    return len(chosen), float(np.clip((residuals[chosen] * residuals[chosen + 1]).mean(), -1, 1))


def _drift(view: View, samples: list[Sample], values: FloatArray, sigma: float) -> float:
    """How far the ends moved from the first to the second half of their runs, without those of a burst; `values` are
    those of `samples` in the search's units."""
    left: list[tuple[int, float]] = []
    for end in (view.place_at(view.low), view.place_at(view.high)):
        own = [number for number, sample in enumerate(samples) if sample.place == end]
        if len(own) >= FEWEST_OF_AN_END:
            apart = values[own] - np.median(values[own])
            left += [(number, each) for number, each in zip(own, apart, strict=True) if abs(each) <= CLIPPED * sigma]
    ordered = np.array([value for _, value in sorted(left)], dtype=np.float64)
    return drift_of(ordered, sigma) if len(ordered) > 1 else 0.0
