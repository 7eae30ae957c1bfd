"""Packages that builds are resolved to: what an earlier job's builds hold need not be what a build of today holds."""

from dataclasses import replace

import pytest

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.explain.changes import FileChange
from bisector.core.explain.sources import SourceChange
from bisector.core.model.builds import Build
from bisector.core.model.captures import ChangeKind
from bisector.core.model.facts import BuildRecorded
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget
from bisector.core.model.samples import Purpose
from bisector.core.model.units import Bytes
from bisector.core.model.verdict import Reason, VerdictKind
from bisector.core.search.view import main_view
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal
from tests.helpers.simulated import Simulation, simulate_after

OLD, NEW = "1.0:0", "2.0:0.2"


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_answer_is_the_package_and_nobody_is_named(noise: float) -> None:
    world = World(candidates=32, noise=noise)
    found = simulate_after(replace(world, package=OLD), replace(world, package=NEW), until=16)
    verdict = found.verdict
    assert verdict is not None
    assert (verdict.kind, verdict.reason, verdict.culprits) == (
        VerdictKind.ENVIRONMENT_CHANGED,
        Reason.PACKAGES,
        (),
    )
    level = main_view(found, found.metric, 0, 32).values_at(main(0))
    assert level.max() < 1.1, "runs of good with other packages do not show good's level"
    rebuilt = verdict.rebuilt
    assert rebuilt is not None
    (move,) = rebuilt.moves
    assert (move.package, move.old, move.new) == ("planted", "1.0", "2.0")
    assert (rebuilt.old, rebuilt.new, rebuilt.again) == (main(0), main(32), (main(0),))
    assert rebuilt.caused is True
    assert abs(rebuilt.share) < 0.3
    assert rebuilt.change.relative == pytest.approx(0.2, abs=0.05)
    assert rebuilt.left.relative == pytest.approx(0, abs=0.05)


def test_a_culprit_is_found_beside_packages_that_moved_and_make_no_difference() -> None:
    world = World(candidates=32, culprit=22)
    found = simulate_after(replace(world, package=OLD), replace(world, package="2.0:0"), until=16)
    verdict = found.verdict
    assert verdict is not None
    assert (verdict.kind, [c.place for c in verdict.culprits]) == (VerdictKind.CULPRIT, [main(22)])
    assert any(sample.purpose is Purpose.ENVIRONMENT for sample in found.samples)


def test_packages_that_make_less_than_the_culprit_leave_it_named() -> None:
    world = World(candidates=32, culprit=22, effect=0.3, noise=0.01)
    found = simulate_after(replace(world, package=OLD), replace(world, package="2.0:0.05"), until=16)
    verdict = found.verdict
    assert verdict is not None
    assert main(22) in [culprit.place for culprit in verdict.culprits]
    assert main(17) not in [culprit.place for culprit in verdict.culprits], "the border of earlier builds"


def test_equal_packages_ask_for_no_further_build() -> None:
    world = World(candidates=32, culprit=22, package=OLD)
    found = simulate_after(world, world, until=16)
    assert found.verdict is not None
    assert found.verdict.kind is VerdictKind.CULPRIT
    assert not any(sample.purpose is Purpose.ENVIRONMENT for sample in found.samples)


def test_bad_of_an_earlier_job_is_built_again_as_well() -> None:
    world = World(candidates=32)
    verdict = simulate_after(replace(world, package=NEW), replace(world, package=OLD), since=16).verdict
    assert verdict is not None
    assert verdict.rebuilt is not None
    assert (verdict.kind, verdict.rebuilt.again) == (VerdictKind.ENVIRONMENT_CHANGED, (main(32),))
    (move,) = verdict.rebuilt.moves
    assert (move.old, move.new) == ("2.0", "1.0")


class PinnedRunner(SimulatedRunner):
    """Its builds hold what the commit asks for."""

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        made = super().build(order, stop)
        with order.source() as source:
            tree = source.read().decode()
        return replace(made, packages={"python:pinned": "2" if self.world.has_change(tree) else "1"})


class PinningRepository(SimulatedRepository):
    """Its requirements say the same."""

    def changes(self, old: str, new: str) -> SourceChange:
        del old, new
        return SourceChange(files=(FileChange(path="requirements.txt", hunks=()),), sources={}, packages=())

    def content(self, tree: str, path: str, most: Bytes) -> bytes | None:
        del path, most
        return b"pinned==2" if self.world.has_change(tree) else b"pinned==1"


@pytest.mark.parametrize("told", [True, False])
def test_what_the_repository_asks_for_costs_no_build_and_what_it_does_not_say_a_few(told: bool) -> None:
    world = World(candidates=32, culprit=22)
    simulation = Simulation(world)
    simulation.ports = replace(simulation.ports, runner=PinnedRunner(world))
    if told:
        simulation.ports = replace(simulation.ports, repository=PinningRepository(world))
    try:
        simulation.run()
        again = simulation.run()
    finally:
        simulation.close()
    assert again.verdict is not None
    assert [culprit.place for culprit in again.verdict.culprits] == [main(22)]
    assert not any(sample.purpose is Purpose.ENVIRONMENT for sample in again.samples)
    assert (again.builds_made() == 0) is told
    assert again.builds_made() <= 4
    seen = again.change_seen(main(22), main(21))
    assert seen is not None
    assert seen.kind is (ChangeKind.DEPENDENCY if told else ChangeKind.COMMIT)


def test_builds_without_a_list_of_packages_are_searched_as_ever() -> None:
    world = World(candidates=32, culprit=22)
    simulation = Simulation(world)
    found = simulation.run()
    facts = simulation.ports.store.facts("1")
    simulation.close()
    bare = [
        replace(fact, build=replace(fact.build, packages=None)) if isinstance(fact, BuildRecorded) else fact
        for fact in facts
    ]
    assert Investigation.replay("1", found.request, bare).verdict == found.verdict


def test_a_spent_budget_of_builds_leaves_the_question_and_still_names_nobody_wrongly() -> None:
    world = World(candidates=32)
    found = simulate_after(replace(world, package=OLD), replace(world, package=NEW), until=16, budget=Budget(builds=1))
    assert found.verdict is not None
    assert found.verdict.kind is not VerdictKind.CULPRIT
