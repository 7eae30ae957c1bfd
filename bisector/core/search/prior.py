"""How likely each candidate is beforehand, by what it changes. It enters the posterior as a weight and nowhere else.

A weight is never nothing: a culprit that nobody would have suspected is found as well, only later.
"""

import numpy as np

from bisector.core.model.history import Line
from bisector.core.search.observations import FloatArray

UNTOUCHED_WEIGHT = 1e-3
"""Weight of a commit outside the paths the person asked about, against 1."""
IDLE_WEIGHT = 1e-3
"""The same of one that changes only what no build or run could notice, like documentation."""
SUSPECTED = 10.0
"""How many times likelier a commit is that changes a path the person suspects."""
LARGEST_BONUS = 3.0
"""How many times likelier a very large commit is than one that changes a single file."""


def prior_weights(line: Line, *, guessing: bool) -> FloatArray:
    """The weight of each candidate (element c - 1). Without `guessing` only what the person asked for counts."""
    weights = np.ones(line.size)
    if guessing and line.sizes:
        # Doubling the number of files adds a quarter: large commits break more, though far from in proportion.
        files = np.maximum(np.array(line.sizes, dtype=float), 1.0)
        weights *= np.minimum(1 + np.log2(files) / 4, LARGEST_BONUS)
    if guessing:
        weights[_positions(line.idle)] = IDLE_WEIGHT
    weights[_positions(line.suspected)] *= SUSPECTED
    if line.touched:
        outside = np.ones(line.size, dtype=bool)
        outside[_positions(line.touched)] = False
        weights[outside] *= UNTOUCHED_WEIGHT
    return weights


def _positions(indexes: frozenset[int]) -> list[int]:
    return [index - 1 for index in sorted(indexes)]
