"""Looking ahead: what the planner is likely to want, what it may be built beside, and whether runs are disturbed."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded, Disturbed, EnvironmentSeen, Fact, HistoryListed, Planned
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, Request
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.steps import BuildPlace, Measure, Slot
from bisector.core.search.ahead import Wanted, likely_builds, may_build_beside, room, worth_beginning
from bisector.core.search.disturbance import disturbance_of
from bisector.core.search.planner import next_step
from tests.helpers.simulated import Simulation

MOST = 6


def any_request() -> Request:
    simulation = Simulation(World())
    try:
        return simulation.request()
    finally:
        simulation.close()


ANY = any_request()


def facts_of(world: World) -> tuple[Investigation, list[Fact]]:
    """A job on `world` before its first fact, and the facts of the whole job."""
    simulation = Simulation(world)
    try:
        request = simulation.request()
        job = simulation.ports.store.create(request)
        simulation.work(job)
        return Investigation(job=job, request=request), simulation.ports.store.facts(job)
    finally:
        simulation.close()


@settings(max_examples=4, deadline=None)
@given(culprit=st.integers(0, 8), seed=st.integers(0, 99), unbuildable=st.sampled_from([0.0, 0.2]))
def test_what_is_likely_wanted_is_not_yet_built_and_mostly_what_the_planner_then_asks_for(
    culprit: int, seed: int, unbuildable: float
) -> None:
    state, facts = facts_of(World(candidates=8, culprit=culprit, noise=0.01, seed=seed, unbuildable=unbuildable))
    foreseen: set[tuple[object, int]] = set()
    hits = asked = 0
    for fact in facts:
        if isinstance(fact, Planned) and isinstance(fact.step, BuildPlace) and state.builds:
            asked += 1
            hits += (fact.step.place, fact.step.number) in foreseen
        state = state.with_fact(fact)
        if not isinstance(fact, Planned) or state.history is None:
            continue
        found = likely_builds(state, fact.elapsed, MOST)
        assert found == likely_builds(state, fact.elapsed, MOST)
        units = [wanted.unit for wanted in found]
        assert len(set(units)) == len(units)
        assert not set(units) & set(state.builds)
        assert all(state.tree(wanted.place) for wanted in found)
        assert [wanted.chance for wanted in found] == sorted((w.chance for w in found), reverse=True)
        assert all(0 < wanted.chance <= 1 + 1e-9 for wanted in found)
        foreseen = set(units)
    assert hits >= asked // 2


def test_after_good_bad_is_wanted_whatever_comes_and_the_middle_unless_nothing_changed() -> None:
    state, facts = facts_of(World(candidates=64, culprit=40))
    for fact in facts:
        state = state.with_fact(fact)
        if isinstance(fact, Planned) and isinstance(fact.step, BuildPlace):
            break
    bad, middle, *_ = likely_builds(state, 0.0, MOST)
    assert (bad.place, bad.chance, bad.before_runs) == (main(64), 1.0, True)
    assert (middle.place, middle.before_runs) == (main(32), False)
    assert 0.5 < middle.chance < 1


def test_a_job_that_is_answered_wants_nothing() -> None:
    state, facts = facts_of(World(candidates=8, culprit=4))
    for fact in facts:
        state = state.with_fact(fact)
    assert likely_builds(state, 0.0, MOST) == ()


@given(
    jobs=st.none() | st.integers(1, 64),
    processors=st.integers(0, 512),
    cpus=st.integers(1, 8),
    together=st.sampled_from([(False, 1), (True, 1), (False, 4)]),
)
def test_builds_have_processors_that_nothing_is_measured_on(
    jobs: int | None, processors: int, cpus: int, together: tuple[bool, int]
) -> None:
    duet, parallel = together
    run = replace(ANY.scenario.run, cpus=cpus)
    request = replace(ANY, jobs=jobs, duet=duet, parallel=parallel, scenario=replace(ANY.scenario, run=run))
    builds, spare = room(request, processors), processors - cpus * (2 if duet else parallel)
    assert builds >= 0
    assert builds == 0 or spare > 0
    if jobs is not None:
        assert builds == (jobs - 1 if spare > 0 else 0)
    else:
        assert builds == 0 or spare >= 4


def begun(beside: int = 0, alone: int = 0) -> Investigation:
    """A job whose ends have so many runs beside a build and alone."""
    simulation = Simulation(World(candidates=8))
    request = simulation.request()
    line = simulation.ports.repository.list_history(request.good, request.bad, every_commit=False, paths=())
    simulation.close()
    values = [(False, 1.0)] * alone + [(True, 1.0)] * beside
    return known(request_of=Investigation(job="1", request=request), line=line, values={0: values})


def known(
    *, request_of: Investigation, line: HistoryListed, values: dict[int, list[tuple[bool, float]]]
) -> Investigation:
    state = request_of.with_fact(EnvironmentSeen(host="here", toolchain="", details={})).with_fact(line)
    for index, own in values.items():
        build = Build(key=f"b{index}", outcome=Outcome.OK, handle="b")
        state = state.with_fact(BuildRecorded(place=main(index), number=0, build=build))
        for order, (beside, value) in enumerate(own):
            state = state.with_fact(
                Sample(
                    place=main(index),
                    build=build.key,
                    purpose=Purpose.ENDS,
                    outcome=Outcome.OK,
                    values={"seconds": value},
                    step=1,
                    order=order,
                    clock=float(order),
                    host="here",
                    beside=beside,
                )
            )
    return state


def round_for(purpose: Purpose) -> Measure:
    return Measure(slots=(Slot(place=main(4), purpose=purpose),), reason="")


SURE = Wanted(place=main(3), number=0, chance=1.0, before_runs=True)
LATER = replace(SURE, chance=0.5, before_runs=False)


def test_nothing_is_built_beside_the_first_runs_nor_beside_those_that_decide() -> None:
    assert not may_build_beside(begun(alone=3), round_for(Purpose.ENDS), LATER)
    assert may_build_beside(begun(alone=4), round_for(Purpose.ENDS), LATER)
    for purpose in (Purpose.VERIFY, Purpose.CONTROL, Purpose.TRIAL):
        assert not may_build_beside(begun(alone=4), round_for(purpose), SURE)


def test_before_the_first_runs_only_what_those_need_is_built_beside_a_build() -> None:
    step = BuildPlace(place=main(0), reason="")
    assert may_build_beside(begun(), step, SURE)
    assert not may_build_beside(begun(), step, LATER)
    assert may_build_beside(begun(alone=4), step, LATER)


def test_where_builds_were_seen_to_harm_they_go_on_beside_builds_only() -> None:
    harm = Disturbed(metric="seconds", slower=0.1, louder=1.0, alone=4, beside=4)
    state = begun(alone=4, beside=4).with_fact(harm)
    assert not may_build_beside(state, round_for(Purpose.SEARCH), SURE)
    assert may_build_beside(state, BuildPlace(place=main(0), reason=""), SURE)
    assert not may_build_beside(state, BuildPlace(place=main(0), reason=""), LATER)


def test_with_a_limit_only_what_is_all_but_sure_is_begun_and_never_beyond_it() -> None:
    state = begun()
    free, limited = (replace(state, request=replace(state.request, budget=Budget(builds=most))) for most in (None, 3))
    assert worth_beginning(free, LATER, 5)
    assert not worth_beginning(limited, LATER, 0)
    assert limited.builds_made() == 1
    assert worth_beginning(limited, SURE, 1)
    assert not worth_beginning(limited, SURE, 2)


def runs(
    draw: random.Random, level: float, *, shift: float = 0.0, louder: float = 1.0, each: int = 6
) -> list[tuple[bool, float]]:
    alone = [(False, level * (1 + 0.01 * draw.gauss(0, 1))) for _ in range(each)]
    return alone + [(True, level * (1 + shift + 0.01 * louder * draw.gauss(0, 1))) for _ in range(each)]


def seen(values: dict[int, list[tuple[bool, float]]]) -> Disturbed | None:
    simulation = Simulation(World(candidates=8))
    request = simulation.request()
    line = simulation.ports.repository.list_history(request.good, request.bad, every_commit=False, paths=())
    simulation.close()
    return disturbance_of(known(request_of=Investigation(job="1", request=request), line=line, values=values))


@pytest.mark.parametrize("shift", [0.05, -0.05])
def test_runs_that_a_build_makes_slower_or_faster_are_seen(shift: float) -> None:
    draw = random.Random(1)
    found = seen({0: runs(draw, 1.0, shift=shift), 8: runs(draw, 1.3, shift=shift)})
    assert found is not None
    assert found.slower == pytest.approx(shift, abs=0.02)
    assert (found.alone, found.beside) == (12, 12)


def test_runs_that_a_build_makes_noisier_are_seen() -> None:
    draw = random.Random(2)
    found = seen({index: runs(draw, 1.0, louder=5, each=8) for index in (0, 4, 8)})
    assert found is not None
    assert found.louder > 2


def test_a_difference_between_commits_is_none_between_runs_beside_a_build_and_alone() -> None:
    draw = random.Random(3)
    alone = [(False, 1 + 0.01 * draw.gauss(0, 1)) for _ in range(8)]
    beside = [(True, 1.5 + 0.01 * draw.gauss(0, 1)) for _ in range(8)]
    assert seen({0: alone, 8: beside}) is None


def test_a_shift_that_no_change_worth_naming_can_be_taken_for_is_let_be() -> None:
    draw = random.Random(4)
    exact = [
        (beside, value + 0.002 * beside + 0.0001 * draw.random()) for beside, value in [(False, 1.0), (True, 1.0)] * 9
    ]
    assert seen({0: exact}) is None


def test_it_is_seldom_seen_where_it_is_not() -> None:
    draw = random.Random(5)
    alarms = sum(seen({0: runs(draw, 1.0), 8: runs(draw, 1.3)}) is not None for _ in range(300))
    assert alarms <= 3


def test_a_commit_that_is_built_is_run_before_one_that_splits_a_little_better_is_built() -> None:
    state, facts = facts_of(World(candidates=64, culprit=40))
    middle = next(
        number
        for number, fact in enumerate(facts)
        if isinstance(fact, Planned) and isinstance(fact.step, BuildPlace) and fact.step.place == main(32)
    )
    for fact in facts[:middle]:
        state = state.with_fact(fact)
    built = Build(key="built", outcome=Outcome.OK, handle="built", seconds=10.0)
    near, far = (
        next_step(state.with_fact(BuildRecorded(place=main(index), number=0, build=built, ahead=True)), 0.0).step
        for index in (28, 2)
    )
    assert isinstance(near, Measure)
    assert {slot.place for slot in near.slots} == {main(28)}
    assert isinstance(far, BuildPlace)
    assert far.place == main(32)
