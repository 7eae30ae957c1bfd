"""A round for several workers at once: the best measurement, and commits spread over where the culprit may be.

What one worker measures teaches the others nothing before the round is over, so they look at different places: the
commits at the quantiles of the posterior. With four workers a search among 64 candidates (a step of two deviations, a
build at the price of five runs) takes 0.55 of the time and 1.6 times the builds (`tests/core/test_batch.py`).
"""

import numpy as np

from bisector.core.search.decide import MeasureCommit
from bisector.core.search.observations import Observations
from bisector.core.search.posterior import Posterior
from bisector.core.search.queries import build_chances


def next_batch(
    observations: Observations, posterior: Posterior, best: MeasureCommit, workers: int
) -> tuple[MeasureCommit, ...]:
    """`best` and what up to `workers` - 1 further workers measure beside it, no build twice, each as many runs.

    A quantile that falls among commits which cannot be taken apart any more asks for more runs of their less measured
    end. On a line only: in a graph the round is `best` alone.
    """
    if workers < 2 or not observations.line.linear or posterior.exact:
        return (best,)
    cumulated = np.cumsum(posterior.of_candidates(observations.weights))
    if cumulated[-1] <= 0:
        return (best,)
    chosen = [best]
    taken = {(best.index, best.number)}
    for share in np.arange(1, workers + 1) / (workers + 1):
        candidate = int(np.searchsorted(cumulated, share * cumulated[-1])) + 1
        index = _place_of(observations, posterior, min(candidate, observations.size))
        if index is not None and (index, 0) not in taken and len(chosen) < workers:
            taken.add((index, 0))
            chosen.append(MeasureCommit(index=index, runs=best.runs, bits=0.0, references=best.references))
    return tuple(chosen)


def _place_of(observations: Observations, posterior: Posterior, candidate: int) -> int | None:
    """What to measure for a quantile at `candidate`: it, the testable commit of its class next to it, or an end."""
    members = np.array(posterior.classes.members(int(posterior.classes.of[candidate - 1])))
    measured = np.unique(observations.unit_place[observations.counts > 0])
    open_ones = members[(build_chances(observations)[members] > 0) & ~np.isin(members, measured)]
    if len(open_ones):
        return int(open_ones[np.argmin(np.abs(open_ones - candidate))])
    below, above = measured[measured < members[0]], measured[measured >= members[-1]]
    ends = [int(end) for end in (*below[-1:], *above[:1])] if len(measured) else []
    return min(ends, key=lambda end: len(observations.runs_of([end])), default=None)
