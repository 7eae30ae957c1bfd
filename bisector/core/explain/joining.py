"""Several captures of one side made one: a process too short for enough samples is run again and again."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bisector.core.explain.stacks import Capture, merged


def joined(captures: Sequence[Capture]) -> Capture:
    """The captures of several runs (or processes of one) as one, their weights and work added up.

    ValueError where there are none, or their units differ.
    """
    if not captures or len({capture.unit for capture in captures}) != 1:
        raise ValueError(f"{len(captures)} captures of different units")
    if len(captures) == 1:
        return captures[0]
    frames, tree, weights = merged(captures)
    counted = [capture.samples for capture in captures if capture.samples is not None]
    return replace(
        captures[0],
        frames=frames,
        tree=tree,
        weights=np.asarray(weights.sum(axis=0), dtype=np.float64),
        samples=sum(counted) if len(counted) == len(captures) else None,
        work=sum(capture.work for capture in captures),
        lost=sum(capture.lost for capture in captures),
        cut=sum(capture.cut for capture in captures),
    )
