"""A run of an end in every round, where it is asked for."""

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Across, Bracket, Search
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Measure, Slot
from bisector.core.model.verdict import VerdictKind
from tests.helpers.simulated import simulate

STEADY = World(candidates=64, culprit=41, effect=0.1, noise=0.03, seed=4)


def rounds(found: Investigation, purpose: Purpose) -> list[tuple[Slot, ...]]:
    """The planned rounds that have a run for `purpose`."""
    steps = (plan.step for plan in found.plans)
    planned = [step.slots for step in steps if isinstance(step, Measure)]
    return [slots for slots in planned if any(slot.purpose is purpose for slot in slots)]


def references(slots: tuple[Slot, ...]) -> list[int]:
    return [slot.place.index for slot in slots if slot.purpose is Purpose.REFERENCE]


@pytest.mark.parametrize("world", [STEADY, World(candidates=64, culprit=20, effect=0.1, noise=0.01, drift=0.01)])
def test_every_round_of_the_search_has_a_reference_and_the_ends_take_turns(world: World) -> None:
    found = simulate(world, search=Search(bracket=Bracket.ALWAYS, descend=False))
    assert found.verdict is not None
    assert [each.place for each in found.verdict.culprits] == [main(world.culprit)]
    searched = rounds(found, Purpose.SEARCH)
    assert searched
    assert all(references(slots) for slots in searched)
    every = [index for slots in searched for index in references(slots)]
    assert set(every) == {0, 64}
    assert abs(every.count(0) - every.count(64)) <= 1 + len(every) // 4


def test_a_verification_has_one_too_and_is_a_verification_still() -> None:
    found = simulate(STEADY, search=Search(bracket=Bracket.ALWAYS, descend=False))
    assert found.verdict is not None
    assert found.verdict.culprits[0].verified
    assert all(references(slots) for slots in rounds(found, Purpose.VERIFY))


def test_a_steady_machine_gets_none_by_itself() -> None:
    assert rounds(simulate(STEADY), Purpose.REFERENCE) == []


def test_where_a_tail_is_compared_a_reference_is_as_many_runs_as_a_value_takes() -> None:
    world = World(candidates=16, culprit=7, effect=0.2, noise=0.01)
    found = simulate(world, search=Search(bracket=Bracket.ALWAYS, across=Across.MEAN, descend=False))
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.CULPRIT
    assert all(len(references(slots)) % 10 == 0 for slots in rounds(found, Purpose.SEARCH))
