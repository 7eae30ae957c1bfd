"""Two builds of one commit beside each other: when their difference is luck, and when it is only noise."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Planned
from bisector.core.model.history import LineName, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Search
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Conclude, Measure
from bisector.core.model.verdict import Control
from bisector.core.search.control import control_of, is_luck, noise_within
from bisector.core.search.effect import Spread
from bisector.core.search.ends import find_ends
from bisector.core.search.observations import FloatArray
from bisector.core.search.outlook import outlook
from bisector.core.search.planner import main_line_view, settings_of
from bisector.core.search.proof import nearly_found
from bisector.core.search.restoration import Side, side_of
from bisector.core.search.several import settings_of_part
from tests.helpers.simulated import Simulation

LOW, HIGH = np.array([0.0, 0.01, -0.01]), np.array([2.0, 2.01, 1.99])
STEP = 2.0


def luck(one: FloatArray, other: FloatArray, spread: Spread) -> bool:
    return is_luck(side_of(one, spread), side_of(other, spread), STEP, spread)


def test_two_builds_that_differ_as_much_as_the_culprit_are_luck_where_runs_lie_close() -> None:
    assert luck(LOW, HIGH, noise_within([LOW, HIGH, LOW + 2, HIGH + 2]))


def test_two_modes_that_few_runs_show_one_each_of_are_not() -> None:
    both = np.array([0.0, 2.0, 0.01, 1.99, 0.0, 2.01])
    assert not luck(LOW, HIGH, noise_within([LOW, HIGH, both, both + 2]))


def test_a_difference_smaller_than_the_culprits_is_not() -> None:
    assert not luck(LOW, HIGH - 0.5, noise_within([LOW, HIGH]))


@pytest.mark.parametrize(("errors", "sure"), [(2.2, False), (2.9, True)])
def test_it_takes_ninety_nine_in_a_hundred(errors: float, sure: bool) -> None:
    first, second = Side(level=0.0, variance=0.5), Side(level=errors, variance=0.5)
    assert is_luck(first, second, step=1.0, known=Spread(sigma=1.0, tau=0.0, df=1000.0)) is sure


@pytest.mark.parametrize(("tau", "sure"), [(0.0, True), (0.5, False)])
def test_what_the_posterior_knew_of_builds_is_no_luck(tau: float, sure: bool) -> None:
    first, second = Side(level=0.0, variance=1 / 3), Side(level=2.5, variance=1 / 3)
    assert is_luck(first, second, step=2.0, known=Spread(sigma=1.0, tau=tau, df=1000.0)) is sure


def test_builds_that_deviate_as_much_as_the_step_can_be_all_of_it() -> None:
    first, second = Side(level=0.0, variance=0.001), Side(level=2.0, variance=0.001)
    assert is_luck(first, second, step=2.0, known=Spread(sigma=0.05, tau=2.0, df=1000.0))


def test_a_build_that_was_run_once_says_nothing_of_the_noise() -> None:
    alone = noise_within([np.array([5.0]), LOW])
    assert alone.sigma == pytest.approx(0.01)
    assert alone.df == 2


@pytest.fixture(scope="module")
def controlled() -> Investigation:
    """A job that has compared two builds of its culprit's parent once."""
    simulation = Simulation(World(candidates=32, culprit=20, effect=0.1, noise=0.005, seed=7, rebuilt="19:0.01"))
    done = simulation.run(simulation.request(search=Search(descend=False)))
    simulation.close()
    return done


def with_second_build(done: Investigation, factors: Sequence[float]) -> Investigation:
    """`done` with the parent's second build slower by these factors in the runs that compare."""
    each = cycle(factors)
    samples = tuple(
        replace(s, values={name: value * factor for name, value in s.values.items()})
        if s.purpose is Purpose.CONTROL and (s.place, s.number) == (main(19), 1) and (factor := next(each))
        else s
        for s in done.samples
    )
    return replace(done, samples=samples)


def asked_again(done: Investigation) -> bool:
    """Whether the builds are compared once more; where they are not, what was seen is the luck of a build."""
    ends = find_ends(done)
    assert ends is not None
    assert done.verdict is not None
    found = control_of(main_line_view(done, ends), done.verdict.culprits[0], None, 0.0)
    assert isinstance(found, Measure) or (isinstance(found, Control) and found.luck)
    return isinstance(found, Measure)


def test_a_build_that_is_slower_in_every_run_is_luck_at_once(controlled: Investigation) -> None:
    assert not asked_again(with_second_build(controlled, [1.2]))


def test_a_burst_over_a_builds_few_runs_is_luck_only_if_it_shows_twice(controlled: Investigation) -> None:
    assert asked_again(with_second_build(controlled, [1.3, 1.6, 1.2]))


@pytest.mark.parametrize("seed", [70, 86])  # in these it comes to that
def test_what_comes_before_every_name_is_run_before_more_is_bought(seed: int) -> None:
    simulation = Simulation(World(candidates=32, culprit=20, effect=0.05, noise=0.025, layout=0.001, seed=seed))
    done = simulation.run(simulation.request(search=Search(descend=False)))
    facts = simulation.ports.store.facts(done.job)
    simulation.close()
    wanting = []
    for at, fact in enumerate(facts):
        if isinstance(fact, Planned) and not isinstance(fact.step, Conclude):
            before = Investigation.replay(done.job, done.request, facts[:at])
            compared = any(sample.purpose is Purpose.CONTROL for sample in before.samples)
            known = outlook(before)
            if known is not None and not compared:
                settings = settings_of(before, LineName.MAIN)
                if nearly_found(known.view.observations(), known.decision, settings) is not None:
                    wanting.append(fact.step)
    assert all(isinstance(step, Measure) and step.slots[0].purpose is Purpose.CONTROL for step in wanting)
    assert wanting


def test_all_of_the_allowed_error_is_for_names_that_are_compared_once_more(controlled: Investigation) -> None:
    main_line = settings_of(controlled, LineName.MAIN)
    assert main_line.reserve == 0
    assert settings_of(controlled, LineName.INNER).reserve > 0
    assert settings_of_part(main_line).reserve > 0


@pytest.fixture(scope="module")
def on_other_builds() -> Investigation:
    """A job whose builds deviate, and that has verified its culprit on two pairs of fresh builds."""
    simulation = Simulation(World(candidates=32, culprit=20, effect=0.1, noise=0.02, layout=0.02, seed=1))
    done = simulation.run(simulation.request(search=Search(descend=False)))
    simulation.close()
    return done


def test_two_pairs_of_fresh_builds_that_showed_the_step_stand_in_for_comparing_the_parents(
    on_other_builds: Investigation,
) -> None:
    verdict = on_other_builds.verdict
    assert verdict is not None
    assert verdict.culprits[0].place == main(20)
    assert verdict.culprits[0].verified
    verifying = [sample for sample in on_other_builds.samples if sample.purpose is Purpose.VERIFY]
    assert {(sample.place, sample.number) for sample in verifying} == {(main(i), n) for i in (19, 20) for n in (1, 2)}
    assert not any(sample.purpose is Purpose.CONTROL for sample in on_other_builds.samples)
    assert verdict.culprits[0].control is None


def test_a_round_is_known_by_the_builds_of_both_that_it_ran(on_other_builds: Investigation) -> None:
    samples = tuple(
        replace(s, number=s.number + 2) if s.purpose is Purpose.VERIFY and s.place == main(20) else s
        for s in on_other_builds.samples
    )
    ends = find_ends(on_other_builds)
    assert ends is not None
    rounds = main_line_view(replace(on_other_builds, samples=samples), ends).observations().verifications
    assert [each.numbers for each in rounds] == [(1, 3), (2, 4)]


def test_runs_of_one_pair_of_builds_do_not_however_often_they_were_made(on_other_builds: Investigation) -> None:
    numbers = {
        slot.number for plan in on_other_builds.plans if isinstance(plan.step, Measure) for slot in plan.step.slots
    }
    assert max(numbers) == 2
    same = replace(
        on_other_builds,
        samples=tuple(replace(s, number=min(s.number, 1)) for s in on_other_builds.samples),
        plans=tuple(with_first_fresh_builds(plan) for plan in on_other_builds.plans),
    )
    ends = find_ends(same)
    assert ends is not None
    assert same.verdict is not None
    assert isinstance(control_of(main_line_view(same, ends), same.verdict.culprits[0], None, 0.0), Measure)


def with_first_fresh_builds(plan: Planned) -> Planned:
    """`plan` with the first fresh build of a commit in place of the second."""
    if not isinstance(plan.step, Measure):
        return plan
    slots = tuple(replace(slot, number=min(slot.number, 1)) for slot in plan.step.slots)
    return replace(plan, step=replace(plan.step, slots=slots))
