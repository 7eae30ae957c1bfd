"""Whole jobs on random histories against brute force: the candidates named are exactly those nothing tells apart."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.machine import InMemoryLocks, SimulatedClock, TemporaryArtifacts
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request, RunnerName, Search
from bisector.core.model.scenario import BuildRecipe, Metric, RunRecipe, Scenario
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.ends import find_ends
from bisector.engine.loop import run_job
from bisector.engine.ports import Ports
from bisector.engine.stop import StopSignal
from tests.helpers.histories import History, HistoryRepository, expected, is_testable, random_history

SCENARIO = Scenario(
    name="counted",
    build=BuildRecipe(),
    run=RunRecipe(command=("true",)),
    metrics=(Metric(name="seconds", exact=True),),
)
IN_CI, LONG, AT_LENGTH, A_PART = 120, 1_000, 10_000, 500


def answered(history: History, artifacts: TemporaryArtifacts, *, every_commit: bool) -> Investigation:
    clock = SimulatedClock()
    runner = SimulatedRunner(history)
    ports = Ports(
        repository=HistoryRepository(history),
        runner=runner,
        store=InMemoryStore(clock),
        artifacts=artifacts,
        locks=InMemoryLocks(),
        clock=clock,
        background=runner.background,
    )
    request = Request(
        repository="random",
        good=history.commits[history.first].sha,
        bad=history.commits[history.last].sha,
        scenario=SCENARIO,
        runner=RunnerName.SIMULATED,
        search=Search(every_commit=every_commit, descend=False),
    )
    return run_job(ports.store.create(request), ports, StopSignal(), lambda _: None)


def named(found: Investigation) -> frozenset[int] | None:
    """The numbers of the commits that the verdict's only culprit holds; None where there is none."""
    assert found.verdict is not None
    if not found.verdict.culprits:
        return None
    (culprit,) = found.verdict.culprits
    return frozenset(int(found.commit(main(index)).subject) for index in culprit.members)


def ends_of(found: Investigation, history: History) -> tuple[int, int] | None:
    """The commits that stood for good and bad. Asked ends that build stand for themselves; others can be tested."""
    ends = find_ends(found)
    numbers = [int(found.commit(main(index)).subject) for index in range(found.line.size + 1)]
    testable = [is_testable(history, number) for number in numbers]
    if ends is None:
        assert not (testable[0] and testable[-1])
        return None
    assert testable[ends.low]
    assert testable[ends.high]
    assert not testable[0] or ends.low == 0
    assert not testable[-1] or ends.high == found.line.size
    return numbers[ends.low], numbers[ends.high]


def check(seed: int, artifacts: TemporaryArtifacts) -> None:
    """The answer on history `seed`, of the graph and of the line, is what brute force says."""
    history = random_history(seed)
    for every_commit in (False, True):
        found = answered(history, artifacts, every_commit=every_commit)
        ends = ends_of(found, history)
        wanted = expected(history, ends, every_commit=every_commit)
        where = f"seed {seed}, {'graph' if every_commit else 'line'}: {found.verdict}"
        assert named(found) == wanted, where
        assert found.verdict is not None
        if wanted is None:
            assert found.verdict.kind in {VerdictKind.NOT_REPRODUCED, VerdictKind.FAILED}, where
        elif len(wanted) == 1:
            assert (found.verdict.kind, found.verdict.culprits[0].verified) == (VerdictKind.CULPRIT, True), where
        else:
            assert found.verdict.kind is VerdictKind.CULPRIT_SET, where


@pytest.fixture(scope="module")
def artifacts() -> Iterator[TemporaryArtifacts]:
    made = TemporaryArtifacts()
    yield made
    made.close()


def test_random_histories_are_answered_as_brute_force_does(artifacts: TemporaryArtifacts) -> None:
    for seed in range(IN_CI):
        check(seed, artifacts)


@pytest.mark.calibration
@pytest.mark.parametrize("first", range(0, AT_LENGTH, A_PART))
def test_ten_thousand_random_histories_are_answered_as_brute_force_does(
    artifacts: TemporaryArtifacts, first: int
) -> None:
    for seed in range(first, first + A_PART):
        check(seed, artifacts)


@pytest.mark.long
@pytest.mark.parametrize("first", range(AT_LENGTH, AT_LENGTH + LONG, A_PART))
def test_more_random_histories_are_answered_as_brute_force_does(artifacts: TemporaryArtifacts, first: int) -> None:
    for seed in range(first, first + A_PART):
        check(seed, artifacts)


def test_the_histories_hold_what_is_hard_about_real_ones() -> None:
    made = [random_history(seed) for seed in range(IN_CI)]
    assert sum(any(len(parents) == 2 for parents in each.parents) for each in made) > IN_CI / 3
    assert sum(any(len(parents) > 2 for parents in each.parents) for each in made) > IN_CI / 10
    assert sum(sum(not parents for parents in each.parents) > 1 for each in made) > IN_CI / 20
    assert sum(bool(each.broken) for each in made) > IN_CI / 3
    assert sum(bool(each.same) for each in made) > IN_CI / 5
    assert any(_criss_cross(each) for each in made)


def _criss_cross(history: History) -> bool:
    """Whether two commits have two best common ancestors."""
    size = len(history.parents)
    for one in range(size):
        for other in range(one):
            shared = history.ancestors[one] & history.ancestors[other]
            best = [a for a in shared if not any(a in history.ancestors[b] for b in shared if b != a)]
            if len(best) > 1:
                return True
    return False


def test_brute_force_tells_a_wrong_answer() -> None:
    history = random_history(0)
    ends = history.first, history.last
    moved = replace(history, planted=max(history.ancestors[history.last] - {history.planted}))
    assert expected(history, ends, every_commit=True) != expected(moved, ends, every_commit=True)
