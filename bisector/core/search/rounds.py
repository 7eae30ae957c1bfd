"""Rounds: in which order the runs of several commits are made, so that drift falls on all of them alike."""

from collections.abc import Sequence

from bisector.core.model.history import Place
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Slot


def in_turns(places: Sequence[Place], runs: int, purpose: Purpose) -> tuple[Slot, ...]:
    """`runs` runs of each place, forwards and backwards in turn (A B B A …)."""
    slots: list[Slot] = []
    for turn in range(runs):
        order = places if turn % 2 == 0 else tuple(reversed(places))
        slots.extend(Slot(place=place, purpose=purpose) for place in order)
    return tuple(slots)


def with_reference(place: Place, number: int, runs: int, reference: Place | None) -> tuple[Slot, ...]:
    """`runs` runs of one build with a run of a reference in their middle."""
    slots = [Slot(place=place, purpose=Purpose.SEARCH, number=number) for _ in range(runs)]
    if reference is not None:
        slots.insert(len(slots) // 2 if runs > 1 else 1, Slot(place=reference, purpose=Purpose.REFERENCE))
    return tuple(slots)
