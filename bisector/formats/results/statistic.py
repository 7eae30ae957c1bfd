"""How the inner values of a run become its one value: the middle of them, a quantile, or how many keep to a limit."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median

from bisector.core.model.scenario import Better

Statistic = Callable[[Sequence[float]], float]

_PLAIN: Mapping[str, Statistic] = {"median": median, "mean": fmean, "min": min, "max": max}
_QUANTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,4})?)")
_SHARE = re.compile(r"share(<=|<|>=|>)(.{1,40})")
_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
KNOWN = "median, mean, min, max, a quantile like p95 or p99.9, or a share like share<=0.2"


def statistic_of(name: str) -> Statistic | None:
    """What `name` says; None where it says nothing that is known."""
    if name in _PLAIN:
        return _PLAIN[name]
    if found := _QUANTILE.fullmatch(name):
        percent = float(found[1])
        return (lambda values: quantile(values, percent / 100)) if percent > 0 else None
    compared = _share_of(name)
    if compared is None:
        return None
    keeps, limit = compared
    return lambda values: sum(keeps(value, limit) for value in values) / len(values)


def as_quantile(name: str) -> float | None:
    """The share that the quantile called `name` does not exceed, like 0.95 of p95; None where it is no quantile."""
    found = _QUANTILE.fullmatch(name)
    percent = float(found[1]) if found else 0.0
    return percent / 100 if percent > 0 else None


def as_share(name: str) -> tuple[str, float] | None:
    """How a share compares and with what, like <= and 0.2; None where it is no share."""
    found = _SHARE.fullmatch(name)
    return (found[1], float(found[2])) if found and _share_of(name) else None


def is_share(name: str) -> bool:
    """Whether it is a share of the values, which has no unit."""
    return name.startswith("share")


def usual_direction(name: str) -> Better:
    """Which way it improves where nobody says: values are better low, and so is the share of those over a limit."""
    return Better.HIGHER if name.startswith("share<") else Better.LOWER


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of `values` does not exceed, by linear interpolation between two of them."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _share_of(name: str) -> tuple[Callable[[float, float], bool], float] | None:
    found = _SHARE.fullmatch(name)
    if found is None:
        return None
    try:
        limit = float(found[2])
    except ValueError:
        return None
    return (_COMPARED[found[1]], limit) if math.isfinite(limit) else None
