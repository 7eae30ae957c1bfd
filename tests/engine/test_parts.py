"""A commit that moves several packages at once is taken apart: whole jobs in a simulated world."""

from dataclasses import replace
from typing import Literal, get_args

import pytest

from bisector.core.model.history import LineName, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.parts import HELD, PartsListed
from bisector.core.model.request import Budget, Search
from bisector.core.model.scenario import BuildRecipe
from bisector.core.model.steps import BuildPlace, ListParts, Step
from bisector.core.model.verdict import InnerKind, PartsAnswer, VerdictKind
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from bisector.report.sentence import sentence_of
from tests.helpers.moving import NAMES, WORLD, MovingRepository, both, job, module_job, moving, one, taken_apart
from tests.helpers.simulated import Simulation


def answer_of(found: Investigation) -> PartsAnswer:
    assert found.verdict is not None
    assert [culprit.place for culprit in found.verdict.culprits] == [main(5)], "the commit is named as ever"
    assert found.verdict.parts is not None
    return found.verdict.parts


def names(found: Investigation) -> list[str]:
    assert found.parts is not None
    return [found.parts.moves[index - 1].package for index in answer_of(found).members]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_package_that_made_it_is_named(name: str, noise: float) -> None:
    found = taken_apart(moving(one(name), replace(WORLD, noise=noise)))
    answer = answer_of(found)
    assert (answer.kind, names(found)) == (InnerKind.COMMIT, [name])
    assert answer.change is not None
    assert answer.change.relative == pytest.approx(WORLD.effect, abs=0.05)
    if name != NAMES[0]:
        assert answer.alone is not None
        assert answer.alone.restored, "and it is without those before it as well"
    sets = {place for place, _ in found.builds if place.line is LineName.PART}
    assert len(sets) <= 3, "a search, not one after the other"


@pytest.mark.parametrize(
    ("needed", "told"),
    [
        (("beta", "gamma"), ["beta", "gamma"]),
        (("alpha", "omega"), ["alpha", "omega"]),
        (("alpha", "beta"), ["alpha", "beta"]),
        (("beta", "delta", "omega"), ["alpha", "beta", "delta", "omega"]),
    ],
)
def test_packages_that_only_make_it_together_are_told_as_such(needed: tuple[str, ...], told: list[str]) -> None:
    found = taken_apart(moving(both(*needed)))
    answer = answer_of(found)
    assert (answer.kind, names(found)) == (InnerKind.INTERACTION, told)
    assert answer.alone is not None
    assert answer.alone.restored is False
    company = f"only together with {'one or more of ' if len(told) > 2 else ''}{told[0]} 1 → 2"
    assert company in sentence_of(found)


def test_company_that_cannot_be_told_apart_leaves_those_that_may_be_it() -> None:
    """With omega always moved, those sets of the others that would tell beta from delta cannot be resolved."""
    impossible = frozenset({frozenset({"alpha", "beta", "omega"})})
    found = taken_apart(moving(both("beta", "omega"), impossible=impossible))
    assert (answer_of(found).kind, names(found)) == (InnerKind.INTERACTION, ["beta", "delta", "omega"])


@pytest.mark.parametrize("more", [0, 1])
def test_a_budget_that_ends_in_company_leaves_what_was_known(more: int) -> None:
    whole = taken_apart(moving(both("beta", "omega")))
    listed = next(i for i, plan in enumerate(whole.plans) if isinstance(plan.step, ListParts) and plan.step.with_part)
    before = sum(isinstance(plan.step, BuildPlace) for plan in whole.plans[:listed])
    found = taken_apart(moving(both("beta", "omega")), budget=Budget(builds=before + more))
    assert (found.company is not None) == (more > 0)
    assert found.builds_made() <= before + more
    assert answer_of(found).kind is InnerKind.INTERACTION
    assert names(found) == list(NAMES), "any of those before it"


def test_sets_that_cannot_be_resolved_are_never_evidence() -> None:
    impossible = frozenset({frozenset(NAMES[:2]), frozenset(NAMES[:3])})
    found = taken_apart(moving(one("beta"), impossible=impossible))
    answer = answer_of(found)
    assert (answer.kind, names(found)) == (InnerKind.COMMIT_SET, ["beta", "delta", "gamma"])


def test_a_build_that_was_not_held_to_its_set_is_none_of_it() -> None:
    found = taken_apart(moving(one("gamma"), deaf=frozenset({"alpha"})))
    assert answer_of(found).kind is not InnerKind.COMMIT
    told = [reason for place, (_, reason) in found.failures.items() if place.line is LineName.PART]
    assert told
    assert all("the installer was not held to the set: alpha 1 in place of 2" in reason for reason in told)


def test_it_can_be_turned_off_and_is_where_no_installer_can_be_held() -> None:
    off = taken_apart(moving(one("gamma")), search=Search(parts=False))
    simulation, request = job(moving(one("gamma")))
    build = replace(request.scenario.build, steps=("conda install --file requirements.txt",))
    deaf = simulation.run(replace(request, scenario=replace(request.scenario, build=build)))
    simulation.close()
    for found in (off, deaf):
        assert found.verdict is not None
        assert (found.verdict.kind, found.verdict.parts, found.parts) == (VerdictKind.CULPRIT, None, None)


def test_a_spent_budget_leaves_the_commit_named() -> None:
    whole = taken_apart(moving(one("gamma")), search=Search(parts=False))
    found = taken_apart(moving(one("gamma")), budget=Budget(builds=whole.builds_made() + 2))
    answer = answer_of(found)
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.CULPRIT
    assert (answer.kind, answer.problem) == (InnerKind.UNDECIDED, "the budget was spent before it was known")


class StopsAfter(StopSignal):
    """Asks to stop once the parts are listed and so many further facts are there."""

    def __init__(self, simulation: Simulation, further: int) -> None:
        super().__init__()
        self._simulation, self._further = simulation, further

    def check(self) -> None:
        facts = self._simulation.ports.store.facts("1")
        since = next((i for i, fact in enumerate(facts) if isinstance(fact, PartsListed)), len(facts))
        if len(facts) - since > self._further:
            raise Cancelled("stopped")
        super().check()


@pytest.mark.parametrize("further", [0, 3, 30])
def test_a_job_that_was_stopped_goes_on_where_it_was(further: int) -> None:
    whole = taken_apart(moving(both("beta", "omega")))
    simulation, request = job(moving(both("beta", "omega")))
    number = simulation.ports.store.create(request)
    with pytest.raises(Cancelled):
        simulation.work(number, StopsAfter(simulation, further))
    fresh = MovingRepository(simulation.world)
    simulation.ports = replace(simulation.ports, repository=fresh)
    found = simulation.work(number)
    facts = simulation.ports.store.facts(number)
    simulation.close()
    assert found.parts is not None
    assert found.company is not None
    listed = [tree for parts in (found.parts, found.company) for tree in (*parts.line.trees, *parts.alone)]
    trees = {tree for tree in listed if tree.startswith("5e7")}
    assert fresh.made >= trees, "what the cache may have lost is made again"
    assert fresh.pinned[number], "and kept for the job"
    assert names(found) == names(whole) == ["beta", "omega"]
    assert found.builds_made() == whole.builds_made(), "nothing is built twice"
    assert sum(isinstance(fact, PartsListed) for fact in facts) == 2
    assert Investigation.replay(number, request, facts).verdict == found.verdict


def test_one_package_that_moved_is_named_without_a_build_more() -> None:
    runner = moving(one("gamma"), still=frozenset(NAMES) - {"gamma"})
    found = taken_apart(runner)
    steps: list[Step] = [plan.step for plan in found.plans]
    assert not any(isinstance(step, ListParts) for step in steps)


@pytest.mark.parametrize(("submodules", "left"), [("fetch", False), ("fetch", True), ("leave-out", False)])
def test_a_submodule_is_searched_inside_where_it_may_be_fetched(
    submodules: Literal["fetch", "leave-out"], left: bool
) -> None:
    found = module_job(submodules, left=left)
    if submodules == "leave-out":
        assert found.verdict is not None
        assert (found.verdict.kind, found.parts) == (VerdictKind.CULPRIT, None)
        return
    answer = answer_of(found)
    if left:
        assert (answer.kind, answer.problem) == (InnerKind.UNDECIDED, "the submodule vendor/part left its line")
        assert "which commit of the submodule makes it is not known" in sentence_of(found)
        return
    assert (answer.kind, answer.members) == (InnerKind.COMMIT, (6,))
    assert "(Part 6) in submodule vendor/part (https://example.org/part) makes +" in sentence_of(found)
    assert found.parts is not None
    assert found.parts.line.size == 10, "the last of its commits is the culprit itself"


def test_no_step_has_a_field_that_the_name_of_its_kind_would_hide() -> None:
    assert all("kind" not in each.__dataclass_fields__ for each in get_args(Step))


@pytest.mark.parametrize("beside", ["npm:left-pad", "python:came-along"])
def test_what_moved_beside_the_packages_is_not_blamed_on_the_last_of_them(beside: str) -> None:
    found = taken_apart(moving(lambda moved: 0.0, beside=beside, slow_itself=True))
    answer = answer_of(found)
    assert (answer.kind, answer.members) == (InnerKind.UNDECIDED, ())
    assert "something else that the commit brings makes it" in answer.problem


def test_sets_have_builds_of_their_own() -> None:
    recipe = BuildRecipe(steps=("pip install x",))
    assert recipe.held_to(HELD).identity() != recipe.identity()
    layered = replace(recipe, dependency_files=("requirements.txt",), dependency_steps=("pip install y",))
    assert layered.held_to(HELD).dependency_files == ("requirements.txt", HELD)
    assert layered.held_to(HELD).dependencies_alone().held == HELD
    assert recipe.held_to(HELD).dependency_files == (), "it is a file of the checkout, not a layer"


def test_of_a_merge_the_commit_inside_and_the_package_are_named_and_a_spent_budget_takes_neither_back() -> None:
    merge = replace(WORLD, culprit=4)
    whole = taken_apart(moving(one("gamma"), merge))
    before = taken_apart(moving(one("gamma"), merge), search=Search(parts=False))
    spent = taken_apart(moving(one("gamma"), merge), budget=Budget(runs=before.runs() + 2))
    for found, kind in ((whole, InnerKind.COMMIT), (spent, InnerKind.UNDECIDED)):
        assert found.verdict is not None
        (culprit,) = found.verdict.culprits
        assert culprit.place == main(4)
        assert culprit.inner is not None
        assert culprit.inner.kind is InnerKind.COMMIT
        assert found.verdict.parts is not None
        assert found.verdict.parts.kind is kind
