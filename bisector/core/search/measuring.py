"""The step that carries an action of the search out: what to build first, or the runs of a round and their order."""

from dataclasses import replace
from typing import assert_never

from bisector.core.model.history import ASIDE, LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Bracket
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import BuildPlace, Measure, Slot, Step
from bisector.core.model.units import Seconds
from bisector.core.search.decide import MeasureCommit, MeasureEnds, VerifyPair
from bisector.core.search.ends import find_ends
from bisector.core.search.rounds import at_once, beside_reference, in_turns, with_references
from bisector.core.search.spending import runs_left
from bisector.core.search.view import View


def as_step(view: View, action: MeasureEnds | MeasureCommit | VerifyPair, elapsed: Seconds) -> Step:
    """The step that carries an action out: build what is not built, then measure, within the budget."""
    match action:
        case MeasureEnds():
            return _measure_ends(view, action, elapsed)
        case MeasureCommit():
            return _measure_commit(view, action, elapsed)
        case VerifyPair():
            return _verify_pair(view, action, elapsed)
    assert_never(action)


def _measure_ends(view: View, action: MeasureEnds, elapsed: Seconds) -> Step:
    investigation = view.investigation
    places = [view.place_at(view.low), view.place_at(view.high)]
    if view.name is LineName.MAIN and investigation.history and investigation.history.aside is not None:
        places.append(ASIDE)
    units = [(place, 0) for place in places if place not in investigation.failures]
    how = "at the same moment" if investigation.request.duet else "in turns"
    reason = f"both ends {how}: is there a change, and how large?"
    return round_of(view, turns_of(view, units, action.runs, Purpose.ENDS), reason, elapsed)


def _measure_commit(view: View, action: MeasureCommit, elapsed: Seconds) -> Step:
    place = view.place_at(action.index)
    taught = f"should teach {action.bits:.2f} bits"
    reason = taught if action.bits else "the ends differ the other way: does another build of this one, too?"
    if (place, action.number) not in view.investigation.builds:
        return BuildPlace(place=place, number=action.number, reason=reason)
    if view.investigation.request.duet:
        unit = (place, action.number)
        # The reference has itself beside it in no round: what is known of it grows with runs of the other end.
        unit = (view.place_at(view.high), 0) if unit == (reference_of(view.investigation), 0) else unit
        return round_of(view, turns_of(view, [unit], action.runs, Purpose.SEARCH), reason, elapsed)
    ends = [view.place_at(end) for end in (view.low, view.high) if end != action.index]
    slots = with_references(place, action.number, action.runs, _references(view, action.references, ends))
    return round_of(view, slots, reason, elapsed)


def _verify_pair(view: View, action: VerifyPair, elapsed: Seconds) -> Step:
    reason = "the likely culprit against its parent, afresh and in turns"
    places = [view.place_at(action.parent), view.place_at(action.culprit)]
    numbers = dict(zip(places, action.numbers, strict=True))
    for place, number in numbers.items():
        if (place, number) not in view.investigation.builds:
            return BuildPlace(place=place, number=number, reason=reason)
    slots = turns_of(view, list(numbers.items()), action.pairs, Purpose.VERIFY)
    if not view.investigation.request.duet:
        ends = (view.place_at(view.low), view.place_at(view.high))
        beside = _references(view, least_references(view.investigation), [end for end in ends if end not in places])
        slots = (*(Slot(place=place, purpose=Purpose.REFERENCE) for place in beside), *slots)
    return round_of(view, slots, reason, elapsed)


def turns_of(view: View, units: list[tuple[Place, int]], runs: int, purpose: Purpose) -> tuple[Slot, ...]:
    """`runs` runs of each unit in turns; in a duet each with the reference beside it."""
    if view.investigation.request.duet:
        return beside_reference(units, runs, purpose, reference_of(view.investigation))
    numbers = dict(units)
    slots = in_turns([place for place, _ in units], runs, purpose)
    return tuple(replace(slot, number=numbers[slot.place]) for slot in slots)


def round_of(view: View, slots: tuple[Slot, ...], reason: str, elapsed: Seconds) -> Measure:
    """The round of these slots, within the budget; a duet is not cut in two."""
    duet, most = view.investigation.request.duet, runs_left(view.investigation, elapsed)
    if duet:
        return Measure(slots=slots[: None if most is None else max(most - most % 2, 2)], reason=reason, duet=True)
    return Measure(slots=at_once(slots, view.runs_together)[:most], reason=reason)


def reference_of(investigation: Investigation) -> Place:
    """What runs beside everything in a duet: the first build of the commit that stands for good."""
    ends = find_ends(investigation)
    return main(0 if ends is None else ends.low)


def _references(view: View, wanted: int, ends: list[Place]) -> list[Place]:
    """`wanted` runs of `ends` to go with a round, in turns from round to round."""
    turn = sum(sample.purpose is Purpose.REFERENCE for sample in view.samples)
    return [ends[(turn + number) % len(ends)] for number in range(wanted if ends else 0)]


def least_references(investigation: Investigation) -> int:
    """Runs of the ends that go with every round on request."""
    return int(investigation.request.search.bracket is Bracket.ALWAYS)
