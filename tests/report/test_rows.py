"""The rows of a report cover every commit once and add up, at any stage of a job and for any values."""

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bisector.report.document
from bisector.adapters.in_memory.world import World
from bisector.core.model.history import LineName
from bisector.core.model.request import Budget
from bisector.report.document import LinePart, RowState
from bisector.report.phrase import plain
from tests.report import worlds
from tests.report.worlds import HUGE, finished, report

KINDS = worlds.by_verdict()


def rows_problems(line: LinePart) -> Iterator[str]:
    """What keeps the rows of a line from covering it exactly once, or their chances from adding up."""
    covered = [index for row in line.rows for index in range(row.first, row.last + 1)]
    if covered != list(range(line.size + 1)):
        yield f"{line.name}: rows cover {covered[:20]}…"
    total = sum(row.chance for row in line.rows if row.chance is not None) + line.no_change
    if abs(total - 1) > 1e-9:
        yield f"{line.name}: chances add up to {total}"
    if line.rows[0].chance is not None:
        yield f"{line.name}: index 0 is no candidate"


@pytest.mark.parametrize("kind", KINDS)
def test_rows_cover_every_commit_once_and_chances_add_up(kind: str) -> None:
    for line in report(KINDS[kind]).lines:
        assert list(rows_problems(line)) == []


def test_at_every_stage_of_a_job() -> None:
    for state, investigation in worlds.stages():
        told = report(investigation, state)
        for line in told.lines:
            assert list(rows_problems(line)) == []
        assert plain(told.sentence)
        if investigation.verdict is None:
            assert (told.verdict, told.culprits) == (None, ())
            assert plain(told.sentence).startswith("Queued" if state == "queued" else "No answer yet")


def test_the_row_check_sees_what_it_is_for() -> None:
    line = report(KINDS["culprit"]).lines[0]
    missing = replace(line, rows=line.rows[:-1])
    twice = replace(line, rows=(*line.rows, line.rows[-1]))
    assert [len(list(rows_problems(each))) for each in (missing, twice, replace(line, no_change=0.5))] == [2, 2, 1]


@settings(max_examples=25, deadline=None)
@given(
    candidates=st.integers(1, 300),
    share=st.floats(0, 1),
    noise=st.sampled_from([0.0, 0.01, 0.1]),
    unbuildable=st.sampled_from([0.0, 0.3, 0.9]),
    runs=st.integers(1, 60),
)
def test_on_any_world_and_any_budget(
    candidates: int, share: float, noise: float, unbuildable: float, runs: int
) -> None:
    world = World(
        candidates=candidates, culprit=round(share * candidates), noise=noise, unbuildable=unbuildable, seed=candidates
    )
    told = report(finished(world, Budget(runs=runs)))
    for line in told.lines:
        assert list(rows_problems(line)) == []
    assert told.cost.runs == sum(len(line.points) for line in told.lines if line.name is LineName.MAIN) or told.lines


@pytest.mark.long
def test_a_hundred_thousand_candidates() -> None:
    investigation = finished(HUGE)
    began = time.perf_counter()
    told = report(investigation)
    assert time.perf_counter() - began < 5
    assert len(told.lines[0].rows) < 200
    assert list(rows_problems(told.lines[0])) == []
    (stretch,) = [row for row in told.lines[0].rows if row.first == 1]
    assert (stretch.state, stretch.size) == (RowState.NOT_TESTED, 49_999)


def test_a_large_set_is_summarised() -> None:
    investigation = finished(World(candidates=5_000, culprit=2_500), Budget(runs=11))
    told = report(investigation)
    assert len(told.lines[0].rows) < 40
    (culprit,) = told.culprits
    assert len(culprit.set) > 500
    assert len(culprit.members) == 12


def test_values_are_frozen_and_named() -> None:
    for item in vars(bisector.report.document).values():
        if dataclasses.is_dataclass(item) and isinstance(item, type) and item.__module__.endswith("document"):
            assert item.__dataclass_params__.frozen, item  # type: ignore[attr-defined]
            assert all(part.kw_only for part in dataclasses.fields(item)), item


ODD_VALUES: dict[str, list[float]] = {
    "one run": [1.0],
    "all equal": [2.5] * 12,
    "zero": [0.0] * 12,
    "negative": [-3.0, -2.9, -3.1, -2.0],
    "about zero": [-1.0, 0.0, 1.0],
    "tiny": [1e-300, 2e-300, 1.5e-300],
    "huge": [1e300, 1.5e300, 2e300],
    "far apart": [1e-9, 1.0, 1e9],
    "opposite and huge": [-1e60, 1e60],
}


@pytest.mark.parametrize("case", ODD_VALUES)
def test_odd_values(case: str) -> None:
    runs = 1 if case == "one run" else 4
    told = report(worlds.with_values(ODD_VALUES[case], runs=runs), "running")
    for line in told.lines:
        assert list(rows_problems(line)) == []
