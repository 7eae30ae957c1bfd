"""Why commits cannot be tested, told apart: a stretch that fails for one reason is one stretch."""

from collections.abc import Callable, Mapping

import numpy as np

from bisector.core.model.history import Place
from bisector.core.model.samples import Outcome
from bisector.core.search.observations import IntArray


def reasons_by_index(
    failures: Mapping[Place, tuple[Outcome, str]], index_of: Callable[[Place], int | None], size: int
) -> IntArray:
    """For each index 0..size why it cannot be tested, as a number: equal reasons have the same, 0 is none."""
    reasons: dict[tuple[Outcome, str], int] = {}
    failing = np.zeros(size + 1, dtype=np.int64)
    for place, failure in failures.items():
        index = index_of(place)
        if index is not None:
            failing[index] = reasons.setdefault(failure, len(reasons) + 1)
    return failing
