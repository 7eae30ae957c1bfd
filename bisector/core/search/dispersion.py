"""How runs lie about their level: whether the spread differs between two commits, and how many modes there are."""

import numpy as np

from bisector.core.search.observations import FloatArray

FEWEST = 8
"""Runs of each side below which nothing is said."""
SURE = 3.5
"""Standard errors between the logarithms of two mean deviations."""
FEWEST_FOR_A_HINT = 4
HINT = 4.0
"""Ratio of the spreads from which a few runs are told to look uneven: by chance once in thirty comparisons of five."""
WORTH_TELLING = 1.5
"""Ratio of the spreads from which a difference is told."""
APART = 4.0
"""Deviations within the modes that two modes have to lie apart."""
FEWEST_IN_MODE = 0.2


def spread_ratio(old: FloatArray, new: FloatArray) -> float | None:
    """New over old spread where they surely differ; None where they do not, or where there are too few runs to say.

    Compared are the mean absolute deviations from the median, after Brown and Forsythe.
    """
    if min(len(old), len(new)) < FEWEST:
        return None
    before, after = (np.abs(side - np.median(side)) for side in (old, new))
    if before.mean() <= 0 or after.mean() <= 0:
        return None
    ratio = float(after.mean() / before.mean())
    # On logarithms the error of a mean deviation is its coefficient of variation over the root of the runs.
    error = float(np.hypot(*(side.std(ddof=1) / side.mean() / len(side) ** 0.5 for side in (before, after))))
    return ratio if abs(np.log(ratio)) > max(SURE * error, np.log(WORTH_TELLING)) else None


def hint_of_spread(old: FloatArray, new: FloatArray) -> float | None:
    """New over old spread where there are too few runs to be sure of it, and it looks far from even; else None."""
    fewest = min(len(old), len(new))
    if not FEWEST_FOR_A_HINT <= fewest < FEWEST:
        return None
    before, after = (float(np.abs(side - np.median(side)).mean()) for side in (old, new))
    if before <= 0 or after <= 0:
        return None
    return after / before if max(after / before, before / after) > HINT else None


def modes_of(old: FloatArray, new: FloatArray) -> tuple[int, int] | None:
    """The modes of both sides where their numbers differ; None where they do not or one side has too few runs."""
    if min(len(old), len(new)) < FEWEST:
        return None
    before, after = modes(old), modes(new)
    return (before, after) if before != after else None


def modes(values: FloatArray) -> int:
    """1 or 2: whether the runs fall into two groups, each with a fifth of them, far apart for what they are inside.

    The groups are those with the least squares about their means; 1 where there are too few runs to say.
    """
    ordered, count = np.sort(values), len(values)
    least = max(int(np.ceil(FEWEST_IN_MODE * count)), 3)
    if count < max(FEWEST, 2 * least):
        return 1
    cuts = range(least, count - least + 1)
    cut = min(cuts, key=lambda place: ordered[:place].var() * place + ordered[place:].var() * (count - place))
    low, high = ordered[:cut], ordered[cut:]
    inside = float(np.sqrt((low.var() * len(low) + high.var() * len(high)) / (count - 2)))
    gap = float(high.mean() - low.mean())
    # Halves of one bell lie 2.6 of their own deviations apart; a gap in the middle tells two modes from a flat one.
    return 2 if gap > APART * inside and high[0] - low[-1] > 2 * inside else 1
