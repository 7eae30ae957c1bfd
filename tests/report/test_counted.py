"""A metric that is counted: taken as free of noise while it is, and told as the proxy that it is, beside wall time."""

from dataclasses import replace

import pytest

from bisector.core.model.counting import COUNTED_BY
from bisector.core.model.facts import Planned
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind
from bisector.core.model.samples import Outcome, Purpose, Usage
from bisector.core.model.verdict import Verdict, VerdictKind
from bisector.core.search.ends import find_ends
from bisector.core.search.planner import main_line_view
from bisector.core.search.untooled import RUNS, without_tool
from bisector.core.search.view import View
from bisector.report.json_export import result_of
from bisector.report.phrase import plain
from tests.report.worlds import report, sample_of, with_values

EQUAL = (100.0, 103.0, 100.0)
NOTHING = Verdict(kind=VerdictKind.INCONCLUSIVE)


def counted(values: tuple[float, ...], source: str = "instructions", by: str = "valgrind 3.19.0") -> Investigation:
    """A job whose runs were counted: `values` in turn at good, at bad and between them."""
    state = with_values(values)
    metric = replace(state.request.metric, source=source, exact=True)
    request = replace(state.request, scenario=replace(state.request.scenario, metrics=(metric,)))
    host = state.environments[0]
    details = {**host.details, COUNTED_BY: by} if by else host.details
    return replace(state, request=request, environments=(replace(host, details=details),))


def view_of(state: Investigation) -> View:
    ends = find_ends(state)
    assert ends is not None
    return main_line_view(state, ends)


@pytest.mark.parametrize(
    ("later", "source", "exact"),
    [
        (0.0, "instructions", True),
        (1e-6, "instructions", True),  # an interrupt; a hundredth of the smallest change is 3e-4
        (1e-3, "instructions", False),  # a seed
        (1e-6, "json", False),
    ],
)
def test_a_counter_may_vary_by_next_to_nothing(later: float, source: str, exact: bool) -> None:
    values = (*EQUAL, *(value * (1 + later) for value in EQUAL))
    assert view_of(counted(values, source)).exact is exact


def test_both_sides_are_run_by_themselves_once_where_the_tool_distorts_times() -> None:
    state = counted(EQUAL)
    step = without_tool(view_of(state), NOTHING, 0.0)
    assert step is not None
    assert [slot.purpose for slot in step.slots] == [Purpose.UNTOOLED] * 2 * RUNS
    assert {slot.place.index for slot in step.slots} == {0, 4}
    planned = state.with_fact(Planned(number=1, step=step, planner="4", elapsed=0.0))
    assert without_tool(view_of(planned), NOTHING, 0.0) is None


@pytest.mark.parametrize(
    ("source", "by"), [("instructions", "perf 6.1"), ("page_faults", ""), ("json", "valgrind 3.19.0")]
)
def test_where_nothing_distorts_them_the_counted_runs_tell_their_time(source: str, by: str) -> None:
    assert without_tool(view_of(counted(EQUAL, source, by)), NOTHING, 0.0) is None


def test_runs_that_the_budget_has_not_are_not_made_for_it() -> None:
    state = counted(EQUAL)
    for budget in (Budget(runs=state.runs() + 2 * RUNS - 1), Budget(seconds=5.0)):
        spent = replace(state, request=replace(state.request, budget=budget))
        assert without_tool(view_of(spent), NOTHING, 5.0) is None
    assert without_tool(view_of(replace(state, request=replace(state.request, kind=JobKind.TRY))), NOTHING, 0.0) is None


def timed(state: Investigation) -> Investigation:
    """The same with runs of both ends by themselves, which took half a second and then 0.55."""
    for order, (index, wall) in enumerate([(0, 0.5), (4, 0.55), (4, 0.57), (0, 0.5)], start=100):
        usage = Usage(wall=wall, cpu=wall, peak_memory=1)
        made = replace(sample_of(index, 0.0, order, state.environments[0].host), purpose=Purpose.UNTOOLED, usage=usage)
        state = state.with_fact(replace(made, values={}))
    return state


def test_runs_by_themselves_are_no_part_of_the_search_and_break_no_commit() -> None:
    state = timed(counted(EQUAL))
    assert len(view_of(state).samples) == len(view_of(counted(EQUAL)).samples)
    assert sum(sample.counts for sample in state.samples) == len(counted(EQUAL).samples)
    for order in range(200, 220):
        failed = replace(sample_of(4, 0.0, order, state.environments[0].host), purpose=Purpose.UNTOOLED, values={})
        state = state.with_fact(replace(failed, outcome=Outcome.TIMEOUT, usage=None))
    assert not state.failures


def test_the_report_says_that_it_is_a_proxy_and_tells_wall_time_beside_it() -> None:
    told = report(timed(counted(EQUAL)))
    (row,) = [each for each in told.evidence if each.label == "Wall time"]
    assert plain(row.value) == "+12.0 %"
    assert "500 ms (500 ms to 500 ms) before it, 560 ms (550 ms to 570 ms) with it" in plain(row.grounds)
    assert "overlap" not in plain(row.grounds)
    assert "not what was searched by" in plain(row.grounds)
    assert plain(told.notes[0]).startswith("seconds, counted by valgrind 3.19.0, is a proxy")
    assert result_of(told)["counted"] == {
        "by": "valgrind 3.19.0",
        "wall_seconds": {"old": {"median": 0.5, "n": 2}, "new": {"median": 0.56, "n": 2}},
    }
    assert result_of(report(counted(EQUAL, "json", by="")))["counted"] is None


def test_a_counter_that_varies_is_said_to() -> None:
    told = [plain(note) for note in report(counted((*EQUAL, 100.4, 103.2, 100.1))).notes]
    assert any("was expected to be the same in every run of a commit and was not" in note for note in told)
    steady = [plain(note) for note in report(counted(EQUAL)).notes]
    assert not any("was expected to be the same" in note for note in steady)


def test_of_a_slight_variation_the_size_is_told() -> None:
    rows = report(counted((*EQUAL, *(value * (1 + 1e-5) for value in EQUAL)))).evidence
    (noise,) = [row for row in rows if row.label == "Noise"]
    assert plain(noise.value) == "none"
    assert "runs of one commit differ by 0.001" in plain(noise.grounds)


def test_the_walls_of_counted_runs_are_those_of_kernel_counters() -> None:
    """Nothing is around the command: every run tells its own time."""
    (row,) = [each for each in report(counted(EQUAL, "page_faults", by="")).evidence if each.label == "Wall time"]
    assert "medians of 4 and 4 runs; the two overlap, so that they tell no difference; not" in plain(row.grounds)
