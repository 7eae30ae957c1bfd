"""Rounds: in which order the runs of several commits are made, so that drift falls on all of them alike."""

from collections.abc import Sequence

from bisector.core.model.history import Place
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Slot


def at_once(slots: Sequence[Slot], times: int) -> tuple[Slot, ...]:
    """The slots, each so many times in a row: as many runs as one compared value is taken of."""
    return tuple(slot for slot in slots for _ in range(times))


def in_turns(places: Sequence[Place], runs: int, purpose: Purpose) -> tuple[Slot, ...]:
    """`runs` runs of each place, forwards and backwards in turn (A B B A …)."""
    slots: list[Slot] = []
    for turn in range(runs):
        order = places if turn % 2 == 0 else tuple(reversed(places))
        slots.extend(Slot(place=place, purpose=purpose) for place in order)
    return tuple(slots)


def with_references(place: Place, number: int, runs: int, references: Sequence[Place]) -> tuple[Slot, ...]:
    """`runs` runs of one build, one reference in their middle or two about them."""
    slots = [Slot(place=place, purpose=Purpose.SEARCH, number=number) for _ in range(runs)]
    beside = [Slot(place=reference, purpose=Purpose.REFERENCE) for reference in references]
    if len(beside) < 2:
        half = (runs + 1) // 2
        return (*slots[:half], *beside, *slots[half:])
    return (beside[0], *slots, *beside[1:])


def beside_reference(
    units: Sequence[tuple[Place, int]], runs: int, purpose: Purpose, reference: Place
) -> tuple[Slot, ...]:
    """`runs` runs of each unit, forwards and backwards in turn, each with a run of the reference at the same moment.

    The reference is the first build of its commit; as a unit of its own it is beside all the others.
    """
    wanted = [unit for unit in units if unit != (reference, 0)]
    own = purpose if len(wanted) < len(units) else Purpose.REFERENCE
    slots: list[Slot] = []
    for turn in range(runs):
        for place, number in wanted if turn % 2 == 0 else reversed(wanted):
            slots += (Slot(place=place, purpose=purpose, number=number), Slot(place=reference, purpose=own))
    return tuple(slots)
