"""A commit that moves several packages at once is taken apart: whole jobs in a simulated world."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, get_args

import pytest

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.explain.changes import FileChange
from bisector.core.explain.sources import SourceChange
from bisector.core.model.builds import Build
from bisector.core.model.history import Commit, LineName, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.parts import HELD, PartsListed
from bisector.core.model.request import Budget, Request, Search
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import BuildRecipe
from bisector.core.model.steps import ListParts, Step
from bisector.core.model.units import Bytes, Sha
from bisector.core.model.verdict import InnerKind, PartsAnswer, VerdictKind
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, RefError
from bisector.formats.dependencies.python import wanted
from bisector.report.sentence import sentence_of
from tests.helpers.simulated import Simulation

OLD, NEW = "1", "2"
NAMES = ("alpha", "beta", "delta", "gamma", "omega")
WORLD = World(candidates=8, culprit=5, effect=0.3, noise=0.01)
Slow = Callable[[frozenset[str]], float]
"""By how much slower it is, relative, with these packages moved."""


def one(name: str) -> Slow:
    return lambda moved: WORLD.effect if name in moved else 0.0


def both(*names: str) -> Slow:
    return lambda moved: WORLD.effect if {*names} <= moved else 0.0


class MovingRepository(SimulatedRepository):
    """The culprit moves all packages in its requirements, and nothing else."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.made: set[str] = set()

    names = NAMES
    """What the requirements say the versions of; the rest is what the index gives."""

    def changes(self, old: str, new: str) -> SourceChange:
        del old, new
        return SourceChange(files=(FileChange(path="requirements.txt", hunks=()),), sources={}, packages=())

    def content(self, tree: str, path: str, most: Bytes) -> bytes | None:
        del path, most
        version = NEW if self.world.has_change(tree) else OLD
        return "".join(f"{name}=={version}\n" for name in self.names).encode()

    def with_files(self, tree: str, files: Mapping[str, bytes | None]) -> str:
        del tree
        held = {name: lines[0] for name, lines in wanted((files[HELD] or b"").decode()).items()}
        asked = {name: lines[0] for name, lines in wanted((files.get("requirements.txt") or b"").decode()).items()}
        assert not {name for name in asked if asked[name] != held[name]}, "what the file asks for is what it is held to"
        moved = "".join("1" if f"=={NEW}" in line else "0" for _, line in sorted(held.items()))
        made = f"5e7{moved}".ljust(40, "0")
        self.made.add(made)
        return made


class MovingRunner(SimulatedRunner):
    """Its builds hold what they are told to, and are as fast as those packages are."""

    slow: Slow = staticmethod(one("gamma"))
    impossible: frozenset[frozenset[str]] = frozenset()
    """Sets that cannot be resolved."""
    deaf: frozenset[str] = frozenset()
    """Packages that stay where they are, whatever they are held to."""
    still: frozenset[str] = frozenset()
    """Packages that never move."""
    slow_itself: bool = False
    """Whether the commit is slow whatever its packages."""
    beside: str = ""
    """What moves with the commit and no set of packages moves: "npm:left-pad", a Python package that came along."""

    def moved(self, tree: str) -> frozenset[str]:
        if not tree.startswith("5e7"):
            return frozenset(NAMES) if self.world.has_change(tree) else frozenset()
        return frozenset(name for name, sign in zip(NAMES, tree[3:], strict=False) if sign == "1")

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        with order.source() as source:
            tree = source.read().decode()
        moved = self.moved(tree)
        if moved in self.impossible:
            order.log.write_text("conflict\n")
            reason = "the requirements conflict"
            return Build(key=order.key, outcome=Outcome.BUILD_FAILED, reason=reason, log=str(order.log), seconds=1)
        whole = self.world.line[-1 if moved else 0].tree
        made = super().build(replace(order, source=lambda: SimulatedRepository(self.world).archive(whole)), stop)
        slow = self.world.effect if self.slow_itself and not order.recipe.held and moved else self.slow(moved)
        factor = (1 + slow) / (1 + self.world.effect if moved else 1)
        apart = self.still | (self.deaf if order.recipe.held else frozenset())
        held = {name: NEW if name in moved - apart else OLD for name in NAMES}
        assert bool(order.recipe.held) == tree.startswith("5e7")
        own = {self.beside: NEW} if self.beside and self.world.has_change(whole) and not order.recipe.held else {}
        return replace(
            made,
            handle=f"{whole}:{order.key} {factor}",
            content=tree,
            packages={**{f"python:{name}": version for name, version in held.items()}, **own},
        )


def job(runner: MovingRunner, repository: SimulatedRepository | None = None) -> tuple[Simulation, Request]:
    simulation = Simulation(runner.world)
    repository = repository or MovingRepository(runner.world)
    simulation.ports = replace(simulation.ports, runner=runner, repository=repository)
    request = simulation.request()
    build = replace(request.scenario.build, steps=("pip install -r requirements.txt",))
    return simulation, replace(request, scenario=replace(request.scenario, build=build))


def taken_apart(runner: MovingRunner, **changes: object) -> Investigation:
    simulation, request = job(runner)
    try:
        return simulation.run(replace(request, **changes))  # type: ignore[arg-type]
    finally:
        simulation.close()


def moving(slow: Slow, world: World = WORLD, **settings: object) -> MovingRunner:
    runner = MovingRunner(world)
    runner.slow = slow
    for name, value in settings.items():
        setattr(runner, name, value)
    return runner


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


def test_two_packages_that_only_make_it_together_are_told_as_such() -> None:
    found = taken_apart(moving(both("beta", "gamma")))
    answer = answer_of(found)
    assert answer.kind is InnerKind.INTERACTION
    assert names(found)[-1] == "gamma"
    assert "beta" in names(found)
    assert answer.alone is not None
    assert answer.alone.restored is False


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


@pytest.mark.parametrize("further", [0, 3, 12])
def test_a_job_that_was_stopped_goes_on_where_it_was(further: int) -> None:
    whole = taken_apart(moving(one("gamma")))
    simulation, request = job(moving(one("gamma")))
    number = simulation.ports.store.create(request)
    with pytest.raises(Cancelled):
        simulation.work(number, StopsAfter(simulation, further))
    fresh = MovingRepository(simulation.world)
    simulation.ports = replace(simulation.ports, repository=fresh)
    found = simulation.work(number)
    facts = simulation.ports.store.facts(number)
    simulation.close()
    assert found.parts is not None
    trees = {tree for tree in (*found.parts.line.trees, *found.parts.alone) if tree.startswith("5e7")}
    assert fresh.made >= trees, "what the cache may have lost is made again"
    assert fresh.pinned[number], "and kept for the job"
    assert names(found) == names(whole) == ["gamma"]
    assert found.builds_made() == whole.builds_made(), "nothing is built twice"
    assert sum(isinstance(fact, PartsListed) for fact in facts) == 1
    assert Investigation.replay(number, request, facts).verdict == found.verdict


def test_one_package_that_moved_is_named_without_a_build_more() -> None:
    runner = moving(one("gamma"), still=frozenset(NAMES) - {"gamma"})
    found = taken_apart(runner)
    steps: list[Step] = [plan.step for plan in found.plans]
    assert not any(isinstance(step, ListParts) for step in steps)


class ModuleRepository(SimulatedRepository):
    """The culprit moves a submodule by ten commits, and nothing else."""

    left_its_line = False

    def changes(self, old: str, new: str) -> SourceChange:
        del old, new
        moved = FileChange(path="vendor/part", hunks=(), submodule=("a" * 40, f"{10:040x}"))
        return SourceChange(files=(moved,), sources={}, packages=())

    def submodule_commits(self, tree: str, path: str, old: Sha, new: Sha) -> tuple[str, tuple[Commit, ...]]:
        assert (path, old, new) == ("vendor/part", "a" * 40, f"{10:040x}")
        if self.left_its_line:
            raise RefError("the submodule vendor/part left its line")
        base = self.world.line[0]
        return "https://example.org/part", tuple(
            replace(base, sha=Sha(f"{number:040x}"), subject=f"Part {number}") for number in range(1, 11)
        )

    def with_submodules_at(self, tree: str, commits: Mapping[str, Sha]) -> str:
        number = int(commits["vendor/part"], 16)
        return tree if number == 10 else f"5e7{number:08x}".ljust(40, "0")


class ModuleRunner(SimulatedRunner):
    """Slower from the sixth commit of the submodule on."""

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        with order.source() as source:
            tree = source.read().decode()
        changed = int(tree[3:11], 16) >= 6 if tree.startswith("5e7") else self.world.has_change(tree)
        whole = self.world.line[-1 if changed else 0].tree
        made = super().build(replace(order, source=lambda: SimulatedRepository(self.world).archive(whole)), stop)
        return replace(made, handle=f"{whole}:{order.key}", content=tree)


@pytest.mark.parametrize(("submodules", "left"), [("fetch", False), ("fetch", True), ("leave-out", False)])
def test_a_submodule_is_searched_inside_where_it_may_be_fetched(
    submodules: Literal["fetch", "leave-out"], left: bool
) -> None:
    simulation = Simulation(WORLD)
    repository = ModuleRepository(WORLD)
    repository.left_its_line = left
    simulation.ports = replace(simulation.ports, runner=ModuleRunner(WORLD), repository=repository)
    request = simulation.request()
    build = replace(request.scenario.build, submodules=submodules)
    found = simulation.run(replace(request, scenario=replace(request.scenario, build=build)))
    simulation.close()
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
