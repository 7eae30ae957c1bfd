"""One night of a scenario: the branch's tip measured beside the commit whose level was last accepted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bisector.core.model.scenario import Better, Metric
from bisector.core.model.units import Seconds, Sha

FloatArray = NDArray[np.float64]

MEDIAN_ERROR = float(np.sqrt(np.pi / 2))
"""Standard error of a median over that of a mean, for normal runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Night:
    """What one look at a scenario measured. The runs of both commits were interleaved, so that the host's own drift
    falls on both alike and their difference is free of it."""

    time: Seconds
    """When the measurement began, since the epoch."""
    tip: Sha
    values: tuple[float, ...]
    """The metric's value of each run of the tip."""
    reference: tuple[float, ...]
    """The same of the accepted commit."""
    host: str = ""
    """Fingerprint of the host that measured it."""

    def __post_init__(self) -> None:
        """ValueError where one side has no run."""
        if not self.values or not self.reference:
            raise ValueError("a night needs runs of the tip and of the accepted commit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Nights as numbers: how far each tip lies above the accepted level, worse being larger."""

    offsets: FloatArray
    """Logarithm of the ratio of medians where all values are positive, else their difference over the level."""
    error: float
    """Standard error that the runs of one night leave in an offset, pooled over the nights; 0 where it is not known."""
    logarithmic: bool

    @classmethod
    def of(cls, nights: Sequence[Night], metric: Metric) -> "Series":
        """The series of `nights`, which all refer to one accepted level. Two runs a side tell nothing of the spread."""
        sign = 1.0 if metric.better is Better.LOWER else -1.0
        every = np.concatenate([np.array(night.values + night.reference) for night in nights])
        logarithmic = bool((every > 0).all())
        level = 1.0 if logarithmic else float(np.median(np.abs(every))) or 1.0
        offsets, variances = [], []
        for night in nights:
            tip, reference = (_units(side, logarithmic=logarithmic) / level for side in (night.values, night.reference))
            offsets.append(sign * float(np.median(tip) - np.median(reference)))
            if min(len(tip), len(reference)) > 2:
                variances.append(sum(side.var(ddof=1) / len(side) for side in (tip, reference)))
        error = MEDIAN_ERROR * float(np.sqrt(np.median(variances))) if variances else 0.0
        return cls(offsets=np.array(offsets), error=error, logarithmic=logarithmic)

    def relative(self, offset: float, metric: Metric) -> float:
        """An offset as a relative change of the metric."""
        sign = 1.0 if metric.better is Better.LOWER else -1.0
        return float(np.expm1(sign * offset)) if self.logarithmic else sign * offset


def _units(values: tuple[float, ...], *, logarithmic: bool) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    return np.log(array) if logarithmic else array
