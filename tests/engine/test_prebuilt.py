"""Which commit's build is meant where builds are taken from elsewhere."""

from dataclasses import replace

from bisector.adapters.in_memory.world import World
from bisector.core.model.prebuilt import Prebuilt
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome
from bisector.engine.builds import make_build
from bisector.engine.prebuilt import NOBODY, of_commit
from bisector.engine.stop import StopSignal
from tests.helpers.simulated import Simulation

WORLD = World.parse("seed=1,candidates=4,culprit=2")


def asked(simulation: Simulation) -> Request:
    request = simulation.request()
    build = replace(request.scenario.build, prebuilt=Prebuilt(command=("fetch", "{sha}")))
    return replace(request, scenario=replace(request.scenario, build=build))


def test_only_a_commit_as_it_is_has_been_built() -> None:
    simulation = Simulation(WORLD)
    request, commit = asked(simulation), WORLD.line[1]
    named = {
        tree: of_commit(asked_for, commit, tree).scenario.build.prebuilt
        for asked_for, tree in ((request, commit.tree), (request, "of the commit in a merge"))
    }
    assert [each.commit for each in named.values() if each] == [commit.sha, ""]
    uncommitted = of_commit(replace(request, worktree=commit.tree), commit, commit.tree).scenario.build.prebuilt
    assert uncommitted is not None
    assert uncommitted.commit == ""
    plain = simulation.request()
    assert of_commit(plain, commit, commit.tree) is plain


def test_what_nobody_has_built_is_untestable_and_asked_for_again() -> None:
    simulation = Simulation(WORLD)
    build = make_build(asked(simulation), WORLD.line[1].tree, "key", simulation.ports, StopSignal())
    assert (build.outcome, build.reason) == (Outcome.BUILD_FAILED, NOBODY)
    assert simulation.ports.store.known_builds(["key"]) == {}
