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
    low = _from_end(range(size + 1), failed, built)
    high = _from_end(range(size, -1, -1), failed, built)
    if low is None or high is None:
        return None
    wanted = low.wanted if low.wanted is not None else high.wanted
    if wanted is not None and len(failed) > MOST_TRIES + size // 8:
        return None
    if low.index >= high.index:
        return None if wanted is None else Ends(low=0, high=size, wanted=wanted)
    return Ends(low=low.index, high=high.index, wanted=wanted)


@dataclass(frozen=True, kw_only=True)
class _End:
    """The best known stand-in for an end, and what to build next to know a better one."""

    index: int
    wanted: int | None = None


def _from_end(indexes: range, failed: set[int], built: set[int]) -> _End | None:
    """The first of `indexes` that can be tested, as far as known; None when none can.

    From a broken end the steps double until something builds, then halve back: a long broken stretch costs a few
    builds instead of all of them.
    """
    if indexes[0] not in failed:
        return _End(index=indexes[0], wanted=None if indexes[0] in built else indexes[0])
    position = {index: order for order, index in enumerate(indexes)}
    # The other end would halve the range before what is near was looked at: it counts once the steps get there.
    other = {indexes[-1]} if 2 * max(position[index] for index in failed) + 1 < len(indexes) - 1 else set()
    good = min((position[index] for index in built - other), default=len(indexes))
    before = max(position[index] for index in failed if position[index] < good)
    if good - before == 1:
        return _End(index=indexes[good]) if good < len(indexes) else None
    following = (before + good) // 2 if good < len(indexes) else min(2 * before + 1, len(indexes) - 1)
    return _End(index=indexes[min(good, len(indexes) - 1)], wanted=indexes[following])


def both_fail_alike(investigation: Investigation) -> tuple[Outcome, str] | None:
    """The failure that the runs of both asked ends share: then it is the scenario, not a commit. None otherwise."""
    first, second = (investigation.troubles.get(main(index)) for index in (0, investigation.line.size))
    if first is None or second is None or first[0] is Outcome.BUILD_FAILED or first[0] is not second[0]:
        return None
    return second


def why_wanted(investigation: Investigation, ends: Ends) -> str:
    """Why the index that is wanted is built."""
    if ends.wanted in (0, investigation.line.size):
        return "an end of the range"
    outcomes = {outcome for outcome, _ in investigation.failures.values()} or {Outcome.BUILD_FAILED}
    return f"an end cannot be tested ({', '.join(sorted(outcomes))}): the nearest commit inwards takes its place"
