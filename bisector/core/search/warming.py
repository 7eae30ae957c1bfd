"""Whether a new session still begins with a run that warms it up.

Where a scenario does not say how many, every session begins with one until the runs show that it is not needed: the
first run of a build is like its others. Like is not "no difference was found" but "none is left that matters": the
95 % interval of what a first run takes more or less has to lie within a quarter of the step between the ends. One
first run more among a commit's runs then moves it by less than half of its distance from the middle.
"""

from collections.abc import Sequence

import numpy as np

from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import Metric
from bisector.core.model.special import stdtrit
from bisector.core.search.ends import find_ends
from bisector.core.search.observations import FloatArray

FEWEST_AT_AN_END = 2
FEWEST_FREE = 4
"""Degrees of freedom within builds, below which the noise of a run is not known well enough."""
PART = 0.25
"""Of the step between the ends: what a first run may take more or less than another."""
TAIL = 0.975


def warm_ups(investigation: Investigation) -> int:
    """Warm-up runs of a new session: none for counters, none where every run has a container of its own."""
    request = investigation.request
    run = request.scenario.run
    if request.scenario.needs_fresh_container() or all(metric.exact for metric in request.asked):
        return 0
    if run.warmup_runs is not None:
        return run.warmup_runs
    return 0 if first_runs_count(investigation) else 1


def first_runs_count(investigation: Investigation) -> bool:
    """Whether the first run of a build is known to be like its others, for every metric that is asked for."""
    ends = find_ends(investigation)
    if ends is None:
        return False
    own = [sample for sample in investigation.samples if sample.outcome is Outcome.OK and not sample.adopted_from]
    opened = _opened(own)
    if not opened:
        return all(metric.exact for metric in investigation.request.asked)
    sides = [
        [sample for sample in own if sample.place == end and sample.number == 0 and sample.counts]
        for end in (main(ends.low), main(ends.high))
    ]
    return all(metric.exact or _alike(metric, opened, sides) for metric in investigation.request.asked)


def _opened(samples: Sequence[Sample]) -> list[tuple[Sample, list[Sample]]]:
    """The first warm-up of each build with the counting runs of the round it opened.

    Of each build only the first: after a job was interrupted it warms up once more, and would decide otherwise.
    """
    first: dict[object, tuple[Sample, list[Sample]]] = {}
    for sample in samples:
        unit = sample.place, sample.number
        if sample.purpose is Purpose.WARMUP:
            first.setdefault(unit, (sample, []))
        elif sample.counts and unit in first and sample.step == first[unit][0].step:
            first[unit][1].append(sample)
    return [(warm, others) for warm, others in first.values() if others]


def _alike(metric: Metric, opened: list[tuple[Sample, list[Sample]]], sides: list[list[Sample]]) -> bool:
    groups = [(_logs(metric, [warm]), _logs(metric, others)) for warm, others in opened]
    good, bad = (_logs(metric, side) for side in sides)
    values = [group for pair in groups for group in pair]
    if not groups or min(good.size, bad.size) < FEWEST_AT_AN_END or not all(np.isfinite(each).all() for each in values):
        return False
    free = sum(others.size - 1 for _, others in groups)
    if free < FEWEST_FREE:
        return False
    scale = np.sqrt(sum(float(((others - others.mean()) ** 2).sum()) for _, others in groups) / free)
    more = np.array([warm[0] - others.mean() for warm, others in groups])
    error = scale * np.sqrt(sum(1 + 1 / others.size for _, others in groups)) / len(groups)
    reach = float(stdtrit(free, TAIL))
    step = abs(bad.mean() - good.mean()) - reach * scale * np.sqrt(1 / good.size + 1 / bad.size)
    return bool(abs(more.mean()) + reach * error <= PART * step)


def _logs(metric: Metric, samples: Sequence[Sample]) -> FloatArray:
    """Logarithms of the metric's values; not finite where one is not positive, or missing."""
    values = np.array([sample.values.get(metric.name, np.nan) for sample in samples])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(values))
