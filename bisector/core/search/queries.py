"""What is worth measuring: commits not yet built, how each would split the candidates and whether it may build; and
builds that were measured before."""

from dataclasses import dataclass
from itertools import groupby, pairwise, product

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.information import entropy_of_share
from bisector.core.search.observations import Classes, FloatArray, IntArray, Observations

MOST_QUERIES = 512
"""Commits of a graph whose ancestor sets are looked at in one decision."""
WORST_CHANCE = 0.1
"""Chance that the direct neighbour of a commit that did not build builds."""
ENOUGH_ALIKE = 12
"""Commits in a row, of those that were tried, after whose equal failures the ones between them are not tried."""

MOST_OF_A_COMMIT = 4
"""Builds of one commit of which further runs are weighed in one decision."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A commit to build and run: its index, the part of each hypothesis under which it is bad, its chance to build."""

    index: int
    share: FloatArray
    chance: float


def build_chances(observations: Observations) -> FloatArray:
    """Chance that each index 0..N can be tested: none where it is known to fail, little beside, more farther away.

    A stretch that does not build is left faster the more of it has been seen: the reach grows with the failures. Its
    border lies anywhere between the last commit that can be tested and the first that cannot. And once enough commits
    in a row have failed for one reason, what lies between them is taken to be like them.
    """
    failed = np.flatnonzero(~observations.testable)
    index = np.arange(observations.size + 1)
    if not len(failed):
        return np.ones(observations.size + 1)
    right = np.searchsorted(failed, index)
    nearest = np.minimum(
        np.abs(index - failed[np.minimum(right, len(failed) - 1)]), np.abs(index - failed[np.maximum(right - 1, 0)])
    )
    reach = 1.0 + len(failed) / 2
    chance = 1 - (1 - WORST_CHANCE) * np.exp(-(nearest - 1) / reach)
    if observations.line.linear:
        chance = np.maximum(chance, _beside_a_border(observations, failed))
        chance[_inside(observations)] = 0.0
    return np.where(observations.testable, chance, 0.0)


def _beside_a_border(observations: Observations, failed: IntArray) -> FloatArray:
    """Where one neighbour is known to work and the other to fail: the chance that the border lies between here and
    there, each place being as likely; 0 elsewhere."""
    works = np.unique(observations.unit_place)
    known = np.sort(np.concatenate([works, failed]))
    chance = np.zeros(observations.size + 1)
    for low, high in pairwise(known.tolist()):
        if (low in failed) != (high in failed):
            share = np.arange(1, high - low) / (high - low)
            chance[low + 1 : high] = share if low in failed else share[::-1]
    return chance


def _inside(observations: Observations) -> IntArray:
    """What lies between commits of a line of which enough in a row failed for the same reason."""
    failing, found = observations.failing, list[IntArray]()
    if failing is None:
        return np.zeros(0, dtype=np.int64)
    tried = np.union1d(np.flatnonzero(failing), observations.unit_place)
    for reason, group in groupby(tried.tolist(), key=lambda index: int(failing[index])):
        alike = list(group)
        if reason and len(alike) >= ENOUGH_ALIKE:
            found.append(np.arange(alike[0] + 1, alike[-1]))
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def splitting_queries(
    observations: Observations, classes: Classes, hypotheses: tuple[int, ...], built: BoolArray | None = None
) -> list[Query]:
    """For each hypothesis (a class) the unmeasured commit that splits it best, one that may not build weighing less.

    Of the indexes that are `built` the best is among them too: one that splits less well may be the cheaper step.
    """
    chances = build_chances(observations)
    chances[observations.unit_place[observations.counts > 0]] = 0.0
    indexes, shares = _shares(observations, classes, hypotheses, chances)
    found: dict[int, Query] = {}
    worth = entropy_of_share(shares) * chances[indexes][:, None]
    splits = (shares > 1e-9) & (shares < 1 - 1e-9) & (chances[indexes] > 0)[:, None]
    among = [splits] if built is None or not built.any() else [splits, splits & built[indexes][:, None]]
    for column, those in product(range(len(hypotheses)), among):
        possible = np.flatnonzero(those[:, column])
        if len(possible):
            best = int(possible[np.argmax(worth[possible, column])])
            index = int(indexes[best])
            found[index] = Query(index=index, share=shares[best], chance=float(chances[index]))
    return list(found.values())


def nearest_split(
    observations: Observations, classes: Classes, index: int, share: float, chances: FloatArray
) -> int | None:
    """The commit that splits class `index` the nearest to `share` of it; one that may not build is as far as it is
    unlikely to. Of those alone that have a chance in `chances`; None where none of them splits it."""
    indexes, shares = _shares(observations, classes, (index,), chances)
    part, chance = shares[:, 0], chances[indexes]
    possible = np.flatnonzero((part > 1e-9) & (part < 1 - 1e-9) & (chance > 0))
    if not len(possible):
        return None
    far = np.abs(part[possible] - share) + 1 - chance[possible]
    return int(indexes[possible[np.argmin(far)]])


def divisible(observations: Observations, classes: Classes, index: int) -> bool:
    """Whether a commit that can still be tested would split class `index`."""
    return bool(splitting_queries(observations, classes, (index,)))


def worth_rerunning(observations: Observations, classes: Classes, hypotheses: tuple[int, ...]) -> list[int]:
    """Measured units that could still move the answer: those of both ends, and of what lies next to a class in play.

    Every build of such a commit, those with the fewest runs first: one that was made afresh is as good as the first.
    """
    in_play = {observations.low, observations.high}
    measured = np.flatnonzero(observations.counts > 0)
    places = observations.unit_place
    for m in hypotheses:
        bad = classes.bad[m, measured]
        old, new = places[measured[~bad]], places[measured[bad]]
        if len(old):
            in_play.add(int(old.max()))
        if len(new):
            in_play.add(int(new.min()))
    chosen: list[int] = []
    for place in in_play:
        units = measured[places[measured] == place]
        fewest = np.argsort(observations.counts[units], kind="stable")[:MOST_OF_A_COMMIT]
        chosen.extend(int(unit) for unit in units[fewest])
    return sorted(chosen)


def _shares(
    observations: Observations, classes: Classes, hypotheses: tuple[int, ...], chances: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Indexes (queries,) and the part of each hypothesis that each contains (queries, hypotheses)."""
    if observations.line.linear:
        indexes = np.arange(observations.size + 1)
        shares = np.zeros((observations.size + 1, len(hypotheses)))
        for column, m in enumerate(hypotheses):
            inside = np.where(classes.of == m, observations.weights, 0.0)
            shares[1:, column] = np.cumsum(inside) / max(float(inside.sum()), 1e-300)
        return indexes, shares
    indexes = _spread(np.flatnonzero(chances > 0), classes, hypotheses)
    weights = np.array([np.where(classes.of == m, observations.weights, 0.0) for m in hypotheses])
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    rows: BoolArray = np.array([observations.line.contains(int(i)) for i in indexes]).reshape(-1, observations.size)
    return indexes, rows @ weights.T


def _spread(indexes: IntArray, classes: Classes, hypotheses: tuple[int, ...]) -> IntArray:
    """At most `MOST_QUERIES` of `indexes`, evenly spread, those inside a hypothesis first.

    One outside may split it as well: it contains a part of it, where what lies inside cannot be tested.
    """
    within = (indexes > 0) & np.isin(classes.of[np.maximum(indexes, 1) - 1], hypotheses)
    inside = _evenly(indexes[within], MOST_QUERIES)
    return np.concatenate([inside, _evenly(indexes[~within], MOST_QUERIES - len(inside))])


def _evenly(indexes: IntArray, most: int) -> IntArray:
    if len(indexes) <= most:
        return indexes
    return indexes[np.linspace(0, len(indexes) - 1, most).astype(np.int64)]
