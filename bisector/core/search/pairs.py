"""Runs made in turns or at the same moment, compared in pairs: what both of a pair share cancels in their difference.

Pooled runs are the better estimate where neighbours have nothing in common: a pair's difference carries the noise of
two runs, and a handful of pairs knows its own spread badly, while the pooled spread is that of the whole search. Where
neighbours move together (a machine that drifts, a neighbour that comes and goes) the pairs are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bisector.core.model.history import Place
from bisector.core.model.samples import Sample
from bisector.core.model.special import ndtr, stdtrit
from bisector.core.search.effect import Difference
from bisector.core.search.observations import FloatArray, IntArray

FEWEST = 3
"""Pairs below which nothing is said."""
FEWEST_TO_PREFER = 6
SURELY = 1.645
"""Standard errors by which the runs of a pair have to go together for their pairs to be the better estimate."""
MOST_EXACT = 200
"""Pairs up to which the distribution of signed ranks is counted out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paired:
    """New minus old level by `count` pairs, in the search's units.

    `probability` is that of signed ranks at least as one-sided if both had one level; `preferred` says that the runs of
    a pair surely go together, so that this is the better estimate.
    """

    count: int
    difference: Difference
    probability: float
    preferred: bool


def neighbours(samples: Sequence[Sample], old: Place, new: Place) -> list[tuple[Sample, Sample]]:
    """Pairs (old, new) of runs that follow each other in one round, in the order they were made; each run once.

    Runs that were made at the same moment are partners, whatever else was recorded between them.
    """
    pairs: list[tuple[Sample, Sample]] = []
    waiting: Sample | None = None
    for sample in samples:
        if sample.place not in (old, new):
            continue
        if waiting is not None and waiting.place != sample.place and _one_round(waiting, sample):
            pairs.append((waiting, sample) if waiting.place == old else (sample, waiting))
            waiting = None
        else:
            waiting = sample
    return pairs


def _one_round(one: Sample, other: Sample) -> bool:
    return (one.step, one.adopted_from) == (other.step, other.adopted_from)


def compare_pairs(old: FloatArray, new: FloatArray, confidence: float) -> Paired | None:
    """The difference of pairs (old[i], new[i]); None for fewer than three, or where the pairs do not differ in theirs.

    Estimate and interval are the median of the Walsh averages and those that the signed-rank test does not reject
    (Hodges and Lehmann 1963; Tukey 1949). Pairs too few for it to reject anything at `confidence` get the mean and
    Student's t.
    """
    apart = new - old
    if len(apart) < FEWEST or np.ptp(apart) == 0:
        return None
    return Paired(
        count=len(apart),
        difference=_interval(apart, confidence),
        probability=signed_rank(apart),
        preferred=_go_together(old, new),
    )


def signed_rank(apart: FloatArray) -> float:
    """Two-sided probability of Wilcoxon's signed ranks of these differences if they are symmetrical about 0.

    Differences of 0 are left out, ties share their rank. Counted out for up to 200, else by the normal distribution.
    """
    left = apart[apart != 0]
    if not len(left):
        return 1.0
    size, where = np.unique(np.abs(left), return_inverse=True)
    last = np.cumsum(np.bincount(where, minlength=len(size)))
    first = np.concatenate([[0], last[:-1]])
    ranks = np.asarray((first + last + 1)[where], dtype=np.int64)  # twice the middle rank of each: whole numbers
    total, positive = int(ranks.sum()), int(ranks[left > 0].sum())
    low = min(positive, total - positive)
    if len(left) <= MOST_EXACT:
        return float(min(1.0, 2 * _ways(ranks, total)[: low + 1].sum()))
    return min(1.0, 2 * float(ndtr((low + 1 - total / 2) / np.sqrt((ranks.astype(float) ** 2).sum() / 4))))


def _ways(ranks: IntArray, total: int) -> FloatArray:
    """Chance of each sum of the ranks of positive differences, every sign being as likely."""
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(chance)
        shifted[int(rank) :] = chance[: total + 1 - int(rank)]
        chance = (chance + shifted) / 2
    return chance


def _interval(apart: FloatArray, confidence: float) -> Difference:
    count, error = len(apart), 1 - confidence
    ranks = 2 * np.arange(1, count + 1, dtype=np.int64)
    kept = _kept(ranks, error) if count <= MOST_EXACT else _kept_of_many(count, error)
    if kept < 1:
        middle = float(apart.mean())
        reach = float(stdtrit(count - 1, 1 - error / 2) * apart.std(ddof=1) / np.sqrt(count))
        return Difference(estimate=middle, low=middle - reach, high=middle + reach)
    one, other = np.triu_indices(count)
    walsh = np.sort((apart[one] + apart[other]) / 2)
    return Difference(estimate=float(np.median(walsh)), low=float(walsh[kept - 1]), high=float(walsh[-kept]))


def _kept(ranks: IntArray, error: float) -> int:
    """How many Walsh averages lie outside the interval on each side, and one: 0 where not even the outermost do."""
    chance = _ways(ranks, int(ranks.sum()))[::2]
    return int(np.searchsorted(np.cumsum(chance), error / 2, side="right"))


def _kept_of_many(count: int, error: float) -> int:
    middle = count * (count + 1) / 4
    deviation = np.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    return max(int(middle + float(stdtrit(1e9, error / 2)) * deviation), 1)


def _go_together(old: FloatArray, new: FloatArray) -> bool:
    """Whether the runs of a pair are surely correlated, by Fisher's transformation."""
    if len(old) < FEWEST_TO_PREFER or np.ptp(old) == 0 or np.ptp(new) == 0:
        return False
    correlation = float(np.clip(np.corrcoef(old, new)[0, 1], -0.999999, 0.999999))
    return bool(np.arctanh(correlation) * np.sqrt(len(old) - 3) > SURELY)
