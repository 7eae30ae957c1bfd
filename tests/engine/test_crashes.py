"""Commits that do not build or whose runs fail: never evidence of slowness, unless failing is what is searched for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Search
from bisector.core.model.verdict import Verdict, VerdictKind
from tests.helpers.simulated import simulate

SIZE = 24


def can_be_tested(world: World, index: int) -> bool:
    """Whether a number can be had of the candidate, as the world has it."""
    tree = world.line[index].tree
    return world.builds(tree) and not world.crashes(tree)


def answer(investigation: Investigation) -> Verdict:
    assert investigation.verdict is not None
    return investigation.verdict


@given(
    st.integers(1, SIZE), st.integers(1, SIZE - 1), st.integers(0, 8), st.sampled_from([0.0, 0.3]), st.integers(0, 99)
)
@settings(max_examples=25, deadline=None)
def test_the_answer_is_the_exact_set_and_the_first_good_build_after_a_broken_stretch_is_not_blamed(
    culprit: int, first: int, length: int, unbuildable: float, seed: int
) -> None:
    crash = f"{first}-{min(first + length, SIZE - 1)}"
    world = World(
        candidates=SIZE, culprit=culprit, effect=0.3, noise=0.002, crash=crash, unbuildable=unbuildable, seed=seed
    )
    found = answer(simulate(world, search=Search(descend=False)))
    before = max(index for index in range(culprit) if can_be_tested(world, index))
    after = min(index for index in range(culprit, SIZE + 1) if can_be_tested(world, index))
    assert found.culprits[0].members == tuple(range(before + 1, after + 1))
    assert found.kind is (VerdictKind.CULPRIT if after - before == 1 else VerdictKind.CULPRIT_SET)


@given(st.integers(1, SIZE), st.sampled_from([0.0, 0.3]), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_where_a_crash_is_bad_the_first_to_crash_is_named(first: int, unbuildable: float, seed: int) -> None:
    world = World(candidates=SIZE, crash=f"{first}-{SIZE}", unbuildable=unbuildable, seed=seed)
    found = simulate(world, search=Search(descend=False, crash_is_bad=True))
    builds = [index for index in range(SIZE + 1) if world.builds(world.line[index].tree)]
    before, after = max(i for i in builds if i < first), min(i for i in builds if i >= first)
    assert answer(found).culprits[0].members == tuple(range(before + 1, after + 1))
    assert found.metric.name == "crashed"


def test_unless_asked_for_a_crash_says_nothing() -> None:
    found = simulate(World(candidates=SIZE, crash=f"18-{SIZE}", noise=0.005))
    assert answer(found).kind is VerdictKind.NOT_REPRODUCED
    assert len(found.failures) > 1


def test_where_bad_does_not_crash_the_culprit_is_in_every_commit_that_does() -> None:
    world = World(candidates=SIZE, culprit=8, effect=0.2, noise=0.01, crash="10-13")
    plain, bad = (simulate(world, search=Search(descend=False, crash_is_bad=asked)) for asked in (False, True))
    for found in (plain, bad):
        assert answer(found).culprits[0].members == (8,)
    assert bad.metric.name == "seconds"
    assert bad.runs() <= plain.runs()


@pytest.mark.parametrize("asked", [False, True])
def test_both_ends_crashing_is_the_scenarios_fault(asked: bool) -> None:
    found = simulate(World(candidates=SIZE, crash=f"0-{SIZE}"), search=Search(crash_is_bad=asked))
    assert answer(found).kind is VerdictKind.FAILED


def test_a_good_end_that_crashes_gives_way_to_the_next_commit() -> None:
    world = World(candidates=SIZE, culprit=15, effect=0.2, noise=0.01, crash="0-1")
    found = answer(simulate(world, search=Search(descend=False, crash_is_bad=True)))
    assert found.culprits[0].members == (15,)
