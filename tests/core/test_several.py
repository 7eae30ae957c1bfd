"""The shape of a change: one step, several, a creep."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import CulpritNamed
from bisector.core.model.history import LineName, Place, main
from bisector.core.model.request import Search
from bisector.core.search.costing import costs_of
from bisector.core.search.decide import Stop, decide
from bisector.core.search.ends import find_ends
from bisector.core.search.observations import Settings
from bisector.core.search.planner import main_line_view, settings_of
from bisector.core.search.posterior import assess
from bisector.core.search.several import less_sure, name, verdict
from bisector.core.search.shape import Uneven, uneven
from bisector.core.search.view import View
from tests.helpers.lines import line, observations
from tests.helpers.simulated import Simulation

SIZE = 40
EIGHTS = (0, 5, 10, 15, 20, 25, 30, 35, SIZE)


def shape(levels: Mapping[int, float], noise: float = 0.05, seed: int = 0, threshold: float = 1.0) -> Uneven | None:
    random = np.random.default_rng(seed)
    values = {place: list(level + noise * random.standard_normal(6)) for place, level in levels.items()}
    data = observations(line(SIZE), values, threshold=threshold)
    return uneven(data, assess(data, Settings()))


@given(st.integers(0, 1000), st.sampled_from([6, 9, 11, 21, 41]))
@settings(max_examples=25, deadline=None)
def test_a_straight_line_is_searched_where_it_may_hold_a_step_and_is_a_creep_where_it_cannot(
    seed: int, measured: int
) -> None:
    places = [int(place) for place in np.unique(np.linspace(0, SIZE, measured).astype(int))]
    found = shape({place: 100 + place / 2 for place in places}, seed=seed)
    assert found is not None
    assert set(found.stretches) <= set(pairwise(places))
    wide = {pair for pair in pairwise(places) if pair[1] - pair[0] > 2}
    assert wide <= set(found.stretches)
    if measured == SIZE + 1:
        assert found.stretches == ()
        assert found.largest < 1


@given(st.integers(1, SIZE), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_one_step_is_one_step(culprit: int, seed: int) -> None:
    levels = {place: 100.0 + (20 if place >= culprit else 0) for place in EIGHTS}
    assert shape(levels, noise=0.5, seed=seed) is None


@pytest.mark.parametrize("other", [-8.0, 6.0, 15.0])
@pytest.mark.parametrize(("first", "second"), [(1, 26), (12, 26), (20, SIZE)])
def test_two_steps_are_searched_where_they_lie(first: int, second: int, other: float) -> None:
    levels = {p: 100.0 + (20 if p >= first else 0) + (other if p >= second else 0) for p in EIGHTS}
    holding = {pair for pair in pairwise(EIGHTS) if pair[0] < first <= pair[1] or pair[0] < second <= pair[1]}
    also = 0
    for seed in range(40):
        found = shape(levels, noise=0.3, seed=seed)
        assert found is not None
        assert holding <= set(found.stretches)
        also += holding != set(found.stretches)
    assert also <= 1


def test_few_places_or_a_small_change_say_nothing_of_a_shape() -> None:
    assert shape({place: 100 + place / 2 for place in (0, 13, 26, SIZE)}) is None
    assert shape({place: 100 + place / 80 for place in range(0, SIZE + 1, 5)}, noise=0.01) is None


def test_luck_of_builds_is_not_a_second_step() -> None:
    random = np.random.default_rng(7)
    told = 0
    for seed in range(40):
        levels = {p: 100.0 + (4 if p >= 22 else 0) + 0.6 * random.standard_normal() for p in EIGHTS}
        told += shape(levels, noise=0.6, seed=seed) is not None
    assert told <= 2


@pytest.fixture(scope="module")
def searched() -> tuple[View, CulpritNamed, Settings]:
    """A finished search for one change, what it would name, and what it was asked."""
    simulation = Simulation(World(candidates=32, culprit=20, effect=0.03, noise=0.01, seed=3))
    done = simulation.run(simulation.request(search=Search(descend=False)))
    simulation.close()
    ends = find_ends(done)
    assert ends is not None
    view, asked = main_line_view(done, ends), settings_of(done, LineName.MAIN)
    named = name(view, decide(view.observations(), costs_of(view), asked))
    assert named is not None
    return view, named, asked


def test_one_name_alone_is_as_likely_as_when_it_was_named(searched: tuple[View, CulpritNamed, Settings]) -> None:
    view, named, asked = searched
    assert verdict(view, (named,), asked).culprits[0].probability == pytest.approx(named.culprit.probability)


@pytest.mark.parametrize("factor", np.linspace(1.0, 1.03, 31))
def test_nobody_is_named_alone_below_what_was_asked(
    searched: tuple[View, CulpritNamed, Settings], factor: float
) -> None:
    view, named, asked = searched
    vague = _with_values(view, {main(19): float(factor)})
    found = verdict(vague, (named,), asked).culprits[0]
    assert found.probability >= asked.confidence or len(found.members) > 1


def test_what_is_told_of_another_commit_than_the_one_that_was_named_is_its_own(
    searched: tuple[View, CulpritNamed, Settings],
) -> None:
    view, named, asked = searched
    found = verdict(_with_values(view, {main(19): 1.03}), (named,), asked).culprits[0]
    assert found.members == (19,)
    assert found.place == main(19)
    assert not found.verified, "what was verified is another pair"
    assert found.change is not None
    assert found.change.relative > 0.02, "against its own parent"


def _with_values(view: View, factors: Mapping[Place, float]) -> View:
    """`view` with the values of runs at some places multiplied."""
    samples = tuple(
        replace(s, values={each: value * factors.get(s.place, 1.0) for each, value in s.values.items()})
        for s in view.investigation.samples
    )
    return replace(view, investigation=replace(view.investigation, samples=samples))


def test_a_name_that_became_less_sure_is_searched_on(searched: tuple[View, CulpritNamed, Settings]) -> None:
    view, named, asked = searched
    assert less_sure(view, (named,), asked, costs_of) is None
    vague = _with_values(view, {main(19): 1.018, main(20): 0.985})
    found = less_sure(vague, (named,), asked, costs_of)
    assert found is not None
    assert not isinstance(found.action, Stop)
