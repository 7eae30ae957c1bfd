"""How a metric's values become the search's: larger is worse, and relative where that can be had."""

from dataclasses import dataclass

import numpy as np

from bisector.core.model.scenario import CRASHED, Better, Direction, Metric
from bisector.core.model.verdict import Change
from bisector.core.search.effect import Difference
from bisector.core.search.observations import FloatArray


def sign_of(metric: Metric, direction: Direction) -> float:
    """1 where larger values of `metric` are what a search in `direction` looks for, -1 where smaller ones are."""
    worse = 1.0 if metric.better is Better.LOWER else -1.0
    return -worse if direction is Direction.BETTER else worse


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How a metric's values become the search's: logarithms where all are positive, with worse values larger."""

    logarithmic: bool
    sign: float
    reference: float
    """Level that relative changes refer to where logarithms cannot be had."""

    @classmethod
    def of(cls, values: FloatArray, metric: Metric, direction: Direction) -> "Scale":
        """The scale for `values` of `metric` when a change in `direction` is looked for."""
        if metric == CRASHED:
            return cls(logarithmic=False, sign=1.0, reference=1.0)
        positive = bool(len(values)) and bool((values > 0).all())
        sizes = np.abs(values)
        # Where most values are 0 their median is no level: an arbitrary one would call every change too small.
        reference = float(np.median(sizes) or sizes.mean()) if len(values) else 1.0
        return cls(logarithmic=positive, sign=sign_of(metric, direction), reference=reference or 1.0)

    def into(self, values: FloatArray) -> FloatArray:
        """Metric values in the search's units."""
        return self.sign * (np.log(values) if self.logarithmic else values)

    def out_of(self, offset: float) -> float:
        """A level in the search's units as a value of the metric."""
        return float(np.exp(np.clip(self.sign * offset, -700, 700))) if self.logarithmic else self.sign * offset

    def threshold(self, min_effect: float) -> float:
        """A relative change of `min_effect` in the search's units."""
        return float(np.log1p(min_effect)) if self.logarithmic else min_effect * self.reference

    def relative(self, offset: float) -> float:
        """A difference in the search's units as a relative change of the metric."""
        if self.logarithmic:
            return float(np.expm1(np.clip(self.sign * offset, -700, 700)))
        return self.sign * offset / self.reference

    def change(self, found: Difference) -> Change:
        """A difference as a relative change with its interval, the smaller bound first."""
        low, high = sorted((self.relative(found.low), self.relative(found.high)))
        return Change(relative=self.relative(found.estimate), low=low, high=high)
