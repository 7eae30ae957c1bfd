"""Which commits stand for the ends: the asked ones, or, where those cannot be tested, the nearest inwards that can."""

from dataclasses import dataclass

from bisector.core.model.history import LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Outcome, Purpose
from bisector.core.model.steps import Measure, Slot

MOST_TRIES = 12
"""Ends that may fail before the range is given up as untestable."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The indexes that stand for good and bad; `wanted` is the next one to build in order to know, None when known.

    Where it is built already, it has to show that it runs as well: it lies beside commits whose runs fail.
    """

    low: int
    high: int
    wanted: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Known:
    """Indexes of the main line by what became of them; those of `crashed` failed as well, those of `ran` are built."""

    failed: frozenset[int]
    crashed: frozenset[int]
    built: frozenset[int]
    ran: frozenset[int]


def find_ends(investigation: Investigation) -> Ends | None:
    """The ends as far as the builds so far tell; None when no two different commits can be tested."""
    size = investigation.line.size
    known = _known(investigation)
    low = _from_end(range(size + 1), known)
    high = _from_end(range(size, -1, -1), known)
    if low is None or high is None:
        return None
    # One at a time: what the low end comes to may be all that is left for the high one.
    wanted = low.wanted if low.wanted is not None else high.wanted
    if wanted is not None and len(known.failed) > MOST_TRIES + size // 8:
        return None
    if low.index >= high.index:
        return None if wanted is None else Ends(low=0, high=size, wanted=wanted)
    return Ends(low=low.index, high=high.index, wanted=wanted)


def _known(investigation: Investigation) -> _Known:
    on_the_line = {place.index: found for place, found in investigation.failures.items() if place.line is LineName.MAIN}
    built = {
        place.index
        for (place, number), build in investigation.builds.items()
        if place.line is LineName.MAIN and number == 0 and build.usable and place.index not in on_the_line
    }
    tells = {Outcome.OK} if investigation.time_limit is None else {Outcome.OK, Outcome.TIMEOUT}
    ran = {
        place.index
        for place, samples in investigation.by_place.items()
        if place.line is LineName.MAIN
        and any(sample.outcome in tells and sample.purpose is not Purpose.UNTOOLED for sample in samples)
    }
    return _Known(
        failed=frozenset(on_the_line),
        crashed=frozenset(index for index, (outcome, _) in on_the_line.items() if outcome is not Outcome.BUILD_FAILED),
        built=frozenset(built),
        ran=frozenset(built & ran),
    )


@dataclass(frozen=True, kw_only=True)
class _End:
    """The best known stand-in for an end, and what to build or to run next to know a better one."""

    index: int
    wanted: int | None = None


def _from_end(indexes: range, known: _Known) -> _End | None:
    """The first of `indexes` that can be tested, as far as known; None when none can.

    From a broken end the steps double until something builds, then halve back: a long broken stretch costs a few
    builds instead of all of them. Where it is the runs that fail, each of these commits is run as well, by itself:
    that the next one builds says nothing, and the other end has nothing to do with it.
    """
    if indexes[0] not in known.failed:
        return _End(index=indexes[0], wanted=None if indexes[0] in known.built else indexes[0])
    position = {index: order for order, index in enumerate(indexes)}
    before, good = _border(indexes, position, known.failed, known.built)
    if any(position[index] <= before for index in known.crashed):
        before, good = _border(indexes, position, known.failed, known.ran)
    if good - before == 1:
        return _End(index=indexes[good]) if good < len(indexes) else None
    following = (before + good) // 2 if good < len(indexes) else min(2 * before + 1, len(indexes) - 1)
    return _End(index=indexes[min(good, len(indexes) - 1)], wanted=indexes[following])


def _border(
    indexes: range, position: dict[int, int], failed: frozenset[int], testable: frozenset[int]
) -> tuple[int, int]:
    """Positions of the last that failed before anything testable, and of that; the latter lies beyond all without."""
    furthest = max(position[index] for index in failed)
    # The other end would halve the range before what is near was looked at: it counts once the steps get there.
    other = {indexes[-1]} if 2 * furthest + 1 < len(indexes) - 1 else set()
    good = min((position[index] for index in testable - other), default=len(indexes))
    return max(position[index] for index in failed if position[index] < good), good


def run_alone(place: Place) -> Measure:
    """One run of the commit that may stand for an end."""
    reason = "an end cannot be tested (its runs fail): does the one that may take its place run?"
    return Measure(slots=(Slot(place=place, purpose=Purpose.SEARCH),), reason=reason)


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
