"""Which commits stand for the ends: the asked ones, or, where those cannot be tested, the nearest inwards that can."""

from dataclasses import dataclass

from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Outcome

MOST_TRIES = 12
"""Ends that may fail before the range is given up as untestable."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The indexes that stand for good and bad; `wanted` is the next one to build in order to know, None when known."""

    low: int
    high: int
    wanted: int | None = None


def find_ends(investigation: Investigation) -> Ends | None:
    """The ends as far as the builds so far tell; None when no two different commits can be tested."""
    size = investigation.line.size
    failed = {place.index for place in investigation.failures if place.line == main(0).line}
    built = {
        place.index
        for (place, number), build in investigation.builds.items()
        if place.line == main(0).line and number == 0 and build.usable and place.index not in failed
    }
    low, low_wanted = _from_end(range(size + 1), failed, built)
    high, high_wanted = _from_end(range(size, -1, -1), failed, built)
    tries = len([index for index in failed if index <= low or index >= high])
    if low >= high or tries > MOST_TRIES:
        return None
    return Ends(low=low, high=high, wanted=low_wanted if low_wanted is not None else high_wanted)


def _from_end(indexes: range, failed: set[int], built: set[int]) -> tuple[int, int | None]:
    """The first of `indexes` that can be tested, as far as known, and what to build next to know better.

    From a broken end the steps double until something builds, then halve back: a long broken stretch costs a few
    builds instead of all of them.
    """
    position = {index: order for order, index in enumerate(indexes)}
    good = min((position[index] for index in built), default=len(indexes))
    before = max((position[index] for index in failed if position[index] < good), default=-1)
    if good < len(indexes):
        if good - before <= 1:
            return indexes[good], None
        middle = (before + good) // 2
        return indexes[good], indexes[middle if before >= 0 else 0]
    reach = 2 * before + 1 if before >= 0 else 0
    following = min(reach, len(indexes) - 1)
    if following == before:
        return indexes[-1], None
    return indexes[following], indexes[following]


def both_fail_alike(investigation: Investigation) -> tuple[Outcome, str] | None:
    """The failure that the runs of both asked ends share: then it is the scenario, not a commit. None otherwise."""
    outcomes = [investigation.failures.get(main(index)) for index in (0, investigation.line.size)]
    first, second = outcomes
    if first is None or second is None or first[0] is Outcome.BUILD_FAILED or first[0] is not second[0]:
        return None
    return second
