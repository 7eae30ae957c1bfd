"""Stretches of history that do not build, and builds that fail only once."""

from dataclasses import dataclass, replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, Search
from bisector.core.model.steps import BuildPlace
from bisector.core.model.verdict import Reason, VerdictKind
from bisector.core.search.planner import next_step
from tests.helpers.simulated import Simulation, simulate

FIRST, LAST, SIZE = 34, 93, 128


@dataclass(frozen=True, kw_only=True)
class Stretch(World):
    """Sixty candidates in a row do not build, for one reason, or each for its own."""

    each_its_own: bool = False

    def builds(self, tree: str) -> bool:
        kind, index, _ = self._seen(tree)
        return kind != "main" or not FIRST <= index <= LAST

    def why_not(self, tree: str) -> str:
        return f"planted: {tree if self.each_its_own else 'gone'}"


def failed(found: Investigation) -> list[int]:
    """The candidates whose build was tried and failed."""
    return [place.index for (place, _), build in found.builds.items() if not build.usable]


@pytest.mark.parametrize("culprit", [5, 20, 33, 95, 110])
def test_a_stretch_is_left_at_once_where_the_culprit_is_not_in_it(culprit: int) -> None:
    found = simulate(Stretch(candidates=SIZE, culprit=culprit, noise=0.01, seed=culprit))
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.culprits[0].place) == (VerdictKind.CULPRIT, main(culprit))
    assert len(failed(found)) <= 18
    assert found.builds_made() <= 32


@pytest.mark.parametrize("culprit", [FIRST, 45, 64, 80, LAST, LAST + 1])
def test_a_stretch_with_the_culprit_in_it_is_not_tried_commit_by_commit(culprit: int) -> None:
    found = simulate(Stretch(candidates=SIZE, culprit=culprit, noise=0.01, seed=culprit))
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.reason) == (VerdictKind.CULPRIT_SET, Reason.UNTESTABLE)
    assert found.verdict.culprits[0].members == tuple(range(FIRST, LAST + 2))
    assert len(failed(found)) <= 20
    assert found.builds_made() <= 32


def test_commits_that_fail_for_reasons_of_their_own_say_nothing_of_others() -> None:
    found = simulate(Stretch(candidates=SIZE, culprit=64, noise=0.01, each_its_own=True))
    assert sorted(failed(found)) == list(range(FIRST, LAST + 1))


def test_the_borders_are_found_though_a_build_is_dear() -> None:
    found = simulate(Stretch(candidates=SIZE, culprit=64, noise=0.01, build=600.0))
    assert found.verdict is not None
    assert found.verdict.culprits[0].members == tuple(range(FIRST, LAST + 2))


FLAKY = World(candidates=32, culprit=19, noise=0.01, seed=3)


def once_more(found: Investigation) -> list[int]:
    return [p.step.place.index for p in found.plans if isinstance(p.step, BuildPlace) and p.step.clean]


@pytest.mark.parametrize("at", [0, 18, 19, 32])
def test_a_build_that_fails_once_does_not_decide(at: int) -> None:
    found = simulate(replace(FLAKY, flaky=str(at)), search=Search(descend=False))
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.culprits[0].place) == (VerdictKind.CULPRIT, main(19))
    assert once_more(found) == [at]
    assert not found.failures
    assert found.builds_made() == len(found.builds) + 1


def test_a_failed_build_that_decides_nothing_is_not_made_again() -> None:
    found = simulate(replace(FLAKY, flaky="16", culprit=30), search=Search(descend=False))
    assert main(16) in found.failures
    assert once_more(found) == []


def test_every_failed_build_of_a_small_set_is_made_again() -> None:
    found = simulate(replace(FLAKY, flaky="17/18/19"), search=Search(descend=False))
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.CULPRIT
    assert {18, 19} <= set(once_more(found)) <= {17, 18, 19}


def test_a_build_that_fails_again_is_believed_by_every_later_job() -> None:
    simulation = Simulation(Stretch(candidates=SIZE, culprit=64, noise=0.01))
    try:
        first, second = simulation.run(), simulation.run()
    finally:
        simulation.close()
    assert sorted(once_more(first)) == [FIRST, LAST]
    assert once_more(second) == []
    assert second.builds_made() <= 2


def test_a_second_build_is_counted_and_never_beyond_the_budget() -> None:
    for most in range(1, 12):
        found = simulate(replace(FLAKY, flaky="0/18/19"), search=Search(descend=False), budget=Budget(builds=most))
        assert found.builds_made() <= most
        assert (once_more(found) == []) == (most == 1)


def test_a_job_killed_before_the_second_build_goes_on_with_it() -> None:
    found = simulate(replace(FLAKY, flaky="0"), search=Search(descend=False))
    number = next(p.number for p in found.plans if isinstance(p.step, BuildPlace) and p.step.clean)
    before = Investigation(job="1", request=found.request, history=found.history, plans=found.plans[:number])
    first = replace(found.given_up[0])
    killed = replace(before, builds={(main(0), 0): first})
    unfinished = killed.unfinished()
    assert unfinished is not None
    assert unfinished.number == number
    assert replace(killed, builds={(main(0), 0): replace(first, clean=True)}).unfinished() is None
    step = next_step(replace(killed, plans=found.plans[: number - 1]), 0.0).step
    assert isinstance(step, BuildPlace)
    assert (step.place, step.clean) == (main(0), True)
