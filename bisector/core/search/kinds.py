"""Whether builds of one commit are of two kinds, most alike and some all as far off, or spread about one level."""

from dataclasses import dataclass

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.build_models import ODD_SHARE
from bisector.core.search.observations import FloatArray

TIMES_LIKELIER = 10.0
"""How many times likelier two kinds have to be than builds that are spread about one level."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoKinds:
    """Which builds are of the kind that has fewer, and how far that lies above the other (below where negative)."""

    odd: BoolArray
    gap: float


def two_kinds(level: FloatArray, error: float) -> TwoKinds | None:
    """The two kinds that builds at these levels, each known to `error`, are of; None where it is one.

    The likelihood of two normal distributions, one to either side of some level and with the usual share of odd builds,
    over that of a single one, all fitted. The gap is one parameter more: it costs what its error leaves of its size.
    """
    order, count = np.argsort(level, kind="stable"), len(level)
    if count < 3 or not error > 0:
        return None
    best, chosen = np.log(TIMES_LIKELIER), 0
    alone = _log_likelihood(level - level.mean(), max(float(level.std()), error))
    for cut in range(1, count):
        low, high = level[order[:cut]], level[order[cut:]]
        apart = float(high.mean() - low.mean())
        left = np.concatenate([low - low.mean(), high - high.mean()])
        within = max(float(np.sqrt(left @ left / max(count - 2, 1))), error)
        odd = min(cut, count - cut)
        of_kinds = odd * np.log(ODD_SHARE) + (count - odd) * np.log(1 - ODD_SHARE)
        known_to = within * float(np.sqrt(1 / cut + 1 / (count - cut))) / max(apart, 1e-300)
        found = _log_likelihood(left, within) + of_kinds + np.log(min(known_to, 1.0)) - alone
        if found > best:
            best, chosen = found, cut
    if not chosen:
        return None
    above = np.zeros(count, dtype=bool)
    above[order[chosen:]] = True
    gap = float(level[above].mean() - level[~above].mean())
    fewer_above = 2 * int(above.sum()) <= count
    return TwoKinds(odd=above if fewer_above else ~above, gap=gap if fewer_above else -gap)


def _log_likelihood(left: FloatArray, deviation: float) -> float:
    return float(-len(left) * np.log(deviation) - left @ left / (2 * deviation**2))
