"""Limits: whether a quantile of a metric's runs lies within a bound, as far as the runs can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bisector.core.model.special import bdtrc

MEDIAN = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A bound that a quantile of the runs' values is to keep."""

    metric: str
    quantile: float = MEDIAN
    bound: float
    upper: bool = True
    """Whether the bound is the largest that is allowed, else the smallest."""


class Kept(StrEnum):
    """What the runs say of a limit."""

    YES = "kept"
    NO = "broken"
    UNSURE = "cannot tell"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A limit, what the runs' quantile is, and whether it is kept."""

    limit: Limit
    kept: Kept
    value: float | None
    runs: int


def judge(limit: Limit, values: Sequence[float], confidence: float) -> Judged:
    """Whether `values` keep the limit.

    Broken is only what surely is, whatever the values' distribution (the sign test): were the limit kept, so many runs
    beyond it would be rarer than one less the confidence. Kept is where the runs' own quantile lies within.
    """
    runs = len(values)
    if not runs:
        return Judged(limit=limit, kept=Kept.UNSURE, value=None, runs=0)
    array = np.array(values, dtype=np.float64)
    value = float(np.quantile(array, limit.quantile))
    beyond = int(np.count_nonzero(array > limit.bound if limit.upper else array < limit.bound))
    expected = 1 - limit.quantile if limit.upper else limit.quantile
    chance = float(bdtrc(beyond - 1, runs, expected)) if beyond else 1.0
    if chance < 1 - confidence:
        return Judged(limit=limit, kept=Kept.NO, value=value, runs=runs)
    within = value <= limit.bound if limit.upper else value >= limit.bound
    return Judged(limit=limit, kept=Kept.YES if within else Kept.UNSURE, value=value, runs=runs)
