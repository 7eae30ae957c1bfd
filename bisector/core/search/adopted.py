"""Samples taken over from another job: believed where fresh runs bear them out."""

from dataclasses import replace

import numpy as np

from bisector.core.model.history import Place
from bisector.core.search.view import View

ADOPTED_TOLERANCE = 4.0
"""Standard errors by which fresh runs of an end may differ from adopted ones before those are left aside."""


def checked_places(view: View) -> tuple[Place, ...]:
    """Where fresh runs are to bear out samples taken over from another job: the ends, or what it ran next to them.

    Where the range is narrower than it was, the ends themselves were never run.
    """
    samples = replace(view, use_adopted=True).samples
    indexes = {view.index_of(sample.place) for sample in samples if sample.adopted_from}
    inside = sorted(index for index in indexes if index is not None and view.low <= index <= view.high)
    if not inside:
        return (view.place_at(view.low), view.place_at(view.high))
    return tuple(dict.fromkeys((view.place_at(inside[0]), view.place_at(inside[-1]))))


def adopted_agree(view: View) -> bool:
    """Whether fresh runs bear out the samples taken over from another job."""
    scale, spread = view.scale, max(_spread(view), 1e-9)
    for end in checked_places(view):
        groups: list[list[float]] = [[], []]
        for sample in view.samples:
            if sample.place == end:
                groups[bool(sample.adopted_from)].append(sample.values[view.metric.name])
        if not groups[0] or not groups[1]:
            return False
        fresh, old = (scale.into(np.array(group)) for group in groups)
        allowed = ADOPTED_TOLERANCE * spread * np.sqrt(1 / len(fresh) + 1 / len(old))
        if abs(float(np.median(fresh) - np.median(old))) > allowed:
            return False
    return True


def _spread(view: View) -> float:
    """The deviation of a run within one commit and one job, on the scale of the search, pooled over all of them.

    A search runs most commits once: what lies at an end does not tell how far its runs lie apart.
    """
    groups: dict[tuple[Place, str], list[float]] = {}
    for sample in view.samples:
        groups.setdefault((sample.place, sample.adopted_from), []).append(sample.values[view.metric.name])
    squares = sum(float(np.var(view.scale.into(np.array(group)))) * len(group) for group in groups.values())
    freedom = sum(len(group) - 1 for group in groups.values())
    return float(np.sqrt(squares / freedom)) if freedom else 0.0
