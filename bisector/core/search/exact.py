"""Whether a metric is free of noise, as far as its runs show."""

from collections.abc import Iterable

from bisector.core.model.counting import NEGLIGIBLE, is_counter
from bisector.core.model.history import Place
from bisector.core.model.samples import Sample
from bisector.core.model.scenario import Metric

ENOUGH = 4
"""Equal runs of each end, from which on a metric that nobody declared to be exact is taken to be."""


def is_exact(samples: Iterable[Sample], metric: Metric, ends: tuple[Place, Place], min_effect: float) -> bool:
    """Whether the metric is free of noise: declared so, or equal in every run, and never caught deviating.

    One deviation, be it between two builds of one commit, and it is searched like any noisy metric. A counter of ours
    may deviate by next to nothing: where a processor counts, an interrupt adds a few instructions.
    """
    slack = NEGLIGIBLE * min_effect if is_counter(metric) else 0.0
    first: dict[Place, float] = {}
    runs: dict[Place, int] = {}
    for sample in samples:
        value = sample.values[metric.name]
        known = first.setdefault(sample.place, value)
        if abs(value - known) > slack * abs(known):
            return False
        runs[sample.place] = runs.get(sample.place, 0) + 1
    return metric.exact or all(runs.get(end, 0) >= ENOUGH for end in ends)
