"""Disturbed runs are made again and kept as facts; on a host that is never quiet they count, and the report says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Search
from bisector.core.model.samples import Outcome, Purpose
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.rejecting import FEWEST, MOST_AGAIN, SHARE
from bisector.engine.ports import RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.formats.facts import fact_from_text, fact_to_text
from bisector.report.basis import Basis
from bisector.report.notes import notes_of
from bisector.report.phrase import plain
from tests.helpers.simulated import Simulation

WORLD = World(candidates=16, culprit=9, effect=0.2, noise=0.01)
REASON = "other processes took 41% of its processors' time"
Says = Callable[[int], bool]


class _Disturbed:
    """A session whose runs are disturbed where `says` says so of their number."""

    def __init__(self, session: Session, says: Says, numbers: Iterator[int]) -> None:
        self._session, self._says, self._numbers = session, says, numbers

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def run(self) -> RunRecord:
        record = self._session.run()
        if not self._says(next(self._numbers)):
            return record
        # What a disturbed run shows is not what the commit is.
        return replace(record, disturbed=REASON)


class _Busy(SimulatedRunner):
    def __init__(self, world: World, says: Says) -> None:
        super().__init__(world)
        self._says, self._numbers = says, count()

    @contextmanager
    def open(self, build: Build, order: RunOrder, stop: StopSignal) -> Iterator[Session]:
        with super().open(build, order, stop) as session:
            yield _Disturbed(session, self._says, self._numbers)  # type: ignore[misc]


def job(says: Says, world: World = WORLD, **asked: object) -> Investigation:
    simulation = Simulation(world)
    try:
        runner = _Busy(world, says)
        simulation.ports = replace(simulation.ports, runner=runner, background=runner.background)
        return simulation.run(replace(simulation.request(search=Search(descend=False)), **asked))  # type: ignore[arg-type]
    finally:
        simulation.close()


def notes(done: Investigation) -> str:
    return "\n".join(plain(note) for note in notes_of(Basis.of(done, "done"), None))


def test_a_disturbed_run_is_kept_with_its_reason_and_made_again() -> None:
    done = job(lambda number: number in (3, 6))
    aside = [sample for sample in done.samples if sample.outcome is Outcome.DISTURBED]
    assert len(aside) == 2
    for sample in aside:
        assert (sample.values, sample.reason, sample.disturbed) == ({}, REASON, REASON)
        again = [s for s in done.samples if (s.step, s.order) == (sample.step, sample.order)]
        assert [s.outcome for s in again if s.purpose is not Purpose.WARMUP] == [Outcome.DISTURBED, Outcome.OK]
        assert fact_from_text("Sample", fact_to_text(sample)) == sample
    assert f"2 runs left aside and made again, for what else went on: {REASON}." in notes(done)
    assert "count though" not in notes(done)


def test_on_a_host_that_is_never_quiet_runs_count_and_the_report_doubts_them() -> None:
    done = job(lambda _: True)
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT
    aside = sum(sample.outcome is Outcome.DISTURBED for sample in done.samples)
    counted = [sample for sample in done.samples if sample.counts]
    assert FEWEST <= aside <= max(FEWEST, SHARE * done.runs()) + 1
    assert all(sample.disturbed == REASON for sample in counted)
    assert f"count though they were disturbed, for the host was hardly ever quiet: {REASON}." in notes(done)


@settings(max_examples=8, deadline=None)
@given(st.sets(st.integers(0, 60)))
def test_whichever_runs_are_disturbed_the_answer_is_the_same_and_the_bounds_hold(disturbed: set[int]) -> None:
    done = job(disturbed.__contains__)
    assert done.verdict is not None
    assert [culprit.members for culprit in done.verdict.culprits] == [(9,)]
    slots = [(s.step, s.order) for s in done.samples if s.outcome is Outcome.DISTURBED]
    assert all(slots.count(slot) <= MOST_AGAIN for slot in slots)
    assert len(slots) <= max(FEWEST, SHARE * done.runs() + 1)


@pytest.mark.parametrize("exact", [True, False])
def test_a_counter_is_not_made_again(exact: bool) -> None:
    simulation = Simulation(WORLD)
    try:
        scenario = simulation.request().scenario
        metrics = tuple(replace(metric, exact=exact) for metric in scenario.metrics)
    finally:
        simulation.close()
    done = job(lambda _: True, replace(WORLD, noise=0.0), scenario=replace(scenario, metrics=metrics))
    assert any(sample.outcome is Outcome.DISTURBED for sample in done.samples) is not exact


def test_of_two_runs_at_the_same_moment_both_are_made_again() -> None:
    done = job(lambda number: number == 6, duet=True)
    aside = [sample for sample in done.samples if sample.outcome is Outcome.DISTURBED]
    assert len(aside) == 2
    assert {sample.partner for sample in aside} == {sample.order for sample in aside}
