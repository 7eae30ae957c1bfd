"""Profilers as values, which of them is chosen, what is pending, and when profiling is planned."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.captures import Profiled, ProfilersSeen, in_use, pending_captures
from bisector.core.model.history import main
from bisector.core.model.profiles import (
    CaptureKind,
    Format,
    ProfilerName,
    choose,
    counter,
    interleaved,
    sampler,
)
from bisector.core.model.scenario import Metric, Probe, ProfileRecipe, Ready, RunRecipe, Scenario, Service
from bisector.core.search.profiling import rate_for, slots_of
from bisector.formats.scenario import parse_scenario

SCENARIO = parse_scenario(b'name = "x"\n[run]\ncommand = ["python", "b.py"]\n', where="x")
OLD, NEW = main(3), main(4)


def commanded(*command: str, profiler: str = "auto") -> Scenario:
    recipe = ProfileRecipe(profiler=profiler)  # type: ignore[arg-type]
    return replace(SCENARIO, run=RunRecipe(command=command), profile=recipe)


@pytest.mark.parametrize("name", list(ProfilerName))
def test_a_wrapped_run_is_the_same_command_with_room_for_the_profiler(name: ProfilerName) -> None:
    plain = RunRecipe(command=("python", "{scenario}/b.py", "--n", "3"), env={"A": "b"}, timeout_seconds=10.0)
    wrapped = sampler(name, ProfileRecipe()).wrapped(plain)
    assert wrapped.command[-4:] == plain.command
    assert wrapped.env == plain.env
    assert wrapped.timeout_seconds > plain.timeout_seconds
    assert wrapped.memory_bytes > plain.memory_bytes
    assert any("{out}/" in word or word == "{out}" for word in wrapped.command)


@pytest.mark.parametrize("name", list(ProfilerName))
def test_where_there_are_services_the_last_is_profiled_and_has_time_to_write(name: ProfilerName) -> None:
    ready = Ready(probe=Probe.TCP, words=("{port}",))
    db, web = (Service(name=each, command=(each,), ready=ready) for each in ("db", "web"))
    plain = RunRecipe(command=("load",), services=(db, web))
    profiler = sampler(name, ProfileRecipe())
    wrapped = profiler.wrapped(plain)
    assert (wrapped.command, wrapped.services[0]) == (("load",), db)
    looked_at = wrapped.services[1]
    assert (looked_at.around, looked_at.command) == (profiler.before, ("web",))
    assert looked_at.ready_seconds > web.ready_seconds
    assert looked_at.stop_seconds > web.stop_seconds
    assert wrapped.memory_bytes > plain.memory_bytes


def test_auto_goes_by_what_the_service_is() -> None:
    ready = Ready(probe=Probe.TCP, words=("{port}",))
    run = RunRecipe(command=("wrk",), services=(Service(name="web", command=("python", "a.py"), ready=ready),))
    choice = choose(replace(SCENARIO, run=run), {})
    assert (choice.able[0], choice.why) == (ProfilerName.PY_SPY, "the command is Python")
    native = replace(run, command=("python", "load.py"), services=(replace(run.services[0], command=("./server",)),))
    assert choose(replace(SCENARIO, run=native), {}).able[0] is ProfilerName.PERF


def test_settings_of_the_scenario_reach_the_profiler() -> None:
    spy = sampler(ProfilerName.PY_SPY, ProfileRecipe(rate_hz=321, native=True))
    assert {"321", "--native", "--subprocesses"} <= set(spy.before)
    assert "--native" not in sampler(ProfilerName.PY_SPY, ProfileRecipe()).before
    assert "BISECTOR_INTERVAL=0.010000" in sampler(ProfilerName.PYINSTRUMENT, ProfileRecipe(rate_hz=100)).before[2]
    assert "-F 999 " in sampler(ProfilerName.PERF, ProfileRecipe(rate_hz=5000)).before[2]
    assert "BISECTOR_INSIDE=counting" in counter().before[2]


@pytest.mark.parametrize(
    ("command", "first"),
    [
        (("python", "b.py"), ProfilerName.PY_SPY),
        (("/usr/bin/python3.11", "b.py"), ProfilerName.PY_SPY),
        (("pytest", "-q"), ProfilerName.PY_SPY),
        (("./jq", "."), ProfilerName.PERF),
        (("sh", "-c", "python b.py"), ProfilerName.PERF),
    ],
)
def test_auto_goes_by_what_the_command_is(command: tuple[str, ...], first: ProfilerName) -> None:
    choice = choose(commanded(*command), {})
    assert choice.able[0] is first
    assert set(choice.able) == set(ProfilerName) - {ProfilerName.TRACEMALLOC}
    assert choice.why


def test_a_size_is_traced_from_within_python_or_not_at_all() -> None:
    python, other = commanded("python", "b.py", profiler="perf"), commanded("./jq")
    assert choose(python, {}, memory=True).able == (ProfilerName.TRACEMALLOC,)
    refused = choose(other, {}, memory=True)
    assert refused.able == ()
    assert "not Python" in refused.refused["tracemalloc"]


def test_what_is_captured_goes_by_the_metric_and_the_command() -> None:
    time = SCENARIO.metrics[0]
    size = replace(time, unit="B")

    def kinds(scenario: Scenario, metric: Metric) -> dict[CaptureKind, int]:
        return dict(Counter(slot.kind for slot in slots_of((OLD, NEW), scenario, metric)))

    both = {CaptureKind.SAMPLED: 6, CaptureKind.COUNTED: 2}
    assert kinds(SCENARIO, time) == {**both, CaptureKind.ALLOCATED: 2}
    assert kinds(commanded("./jq"), time) == both
    assert kinds(SCENARIO, size) == {CaptureKind.SAMPLED: 4, CaptureKind.COUNTED: 2}
    assert [slot.kind for slot in slots_of((OLD,), SCENARIO, time)] == [CaptureKind.SAMPLED] * 3


def test_what_the_host_refuses_is_left_out_and_said() -> None:
    choice = choose(commanded("python", "b.py"), {ProfilerName.PY_SPY: "not installed"})
    assert choice.able[0] is ProfilerName.PYINSTRUMENT
    assert choice.refused == {"py-spy": "not installed"}


def test_a_profiler_that_is_asked_for_is_the_only_one() -> None:
    assert choose(commanded("./jq", profiler="py-spy"), {}).able == (ProfilerName.PY_SPY,)
    refused = choose(commanded("./jq", profiler="perf"), {ProfilerName.PERF: "no"})
    assert (refused.able, dict(refused.refused)) == ((), {"perf": "no"})


@given(st.integers(1, 5), st.integers(1, 9), st.booleans())
def test_captures_are_interleaved(places: int, captures: int, counted: bool) -> None:
    sides = [main(index) for index in range(places)]
    slots = interleaved(sides, captures, counted=counted)
    sampled = [slot.place for slot in slots if slot.kind is CaptureKind.SAMPLED]
    for turn in range(captures):
        assert sorted(sampled[turn * places : (turn + 1) * places]) == sides
    assert sum(slot.kind is CaptureKind.COUNTED for slot in slots) == (places if counted else 0)
    if places > 1 and captures > 1:
        assert sampled[0] != sampled[places]


SLOTS = interleaved([OLD, NEW], 2, counted=True)
SEEN = ProfilersSeen(step=7, able=(ProfilerName.PY_SPY, ProfilerName.PYINSTRUMENT), refused={}, why="x")


def capture(order: int, tool: str, *, problem: str = "", step: int = 7) -> Profiled:
    slot = SLOTS[order]
    return Profiled(
        step=step,
        order=order,
        place=slot.place,
        kind=slot.kind,
        tool=tool,
        format=Format.SPEEDSCOPE,
        problem=problem,
    )


def test_nothing_is_pending_before_the_profilers_are_known() -> None:
    assert pending_captures(SLOTS, None, ()) == ()


def test_a_failure_gives_every_slot_to_the_next_profiler() -> None:
    taken = [capture(0, "py-spy"), capture(1, "py-spy", problem="not permitted")]
    assert [(order, name) for order, _, name in pending_captures(SLOTS, SEEN, taken)] == [
        *((order, ProfilerName.PYINSTRUMENT) for order in range(4)),
        (4, None),
        (5, None),
    ]


def test_a_count_is_tried_once_and_other_steps_count_for_nothing() -> None:
    taken = [capture(4, "counts", problem="no"), capture(0, "py-spy", problem="no", step=3)]
    pending = pending_captures(SLOTS, SEEN, taken)
    assert [order for order, _, _ in pending] == [0, 1, 2, 3, 5]
    assert pending[0][2] is ProfilerName.PY_SPY


def test_when_all_profilers_have_failed_only_counts_are_left() -> None:
    taken = [capture(0, name, problem="no") for name in ("py-spy", "pyinstrument")]
    assert in_use(SEEN, taken) is None
    assert [order for order, _, _ in pending_captures(SLOTS, SEEN, taken)] == [4, 5]


def test_after_a_blind_profiler_only_perf_is_of_use() -> None:
    everything = replace(SEEN, able=tuple(ProfilerName))
    taken = [replace(capture(0, "py-spy", problem="the rest is not Python"), blind=True)]
    assert in_use(everything, taken) is ProfilerName.PERF
    assert in_use(SEEN, taken) is None
    assert in_use(everything, [capture(0, "py-spy", problem="refused")]) is ProfilerName.PYINSTRUMENT


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_filling_what_is_pending_ends(outcomes: list[tuple[int, bool]]) -> None:
    taken: list[Profiled] = []
    fails = iter(outcome for _, outcome in outcomes)
    for _ in range(3 * len(SLOTS)):
        pending = pending_captures(SLOTS, SEEN, taken)
        if not pending:
            return
        order, _, name = pending[0]
        taken.append(capture(order, name or "counts", problem="no" if next(fails, False) else ""))
    raise AssertionError("it does not end")


@pytest.mark.parametrize(
    ("cpu", "rate"), [(None, 200), (0.0, 200), (10.0, 200), (0.2, 200), (0.1, 400), (0.05, 800), (0.01, 1000)]
)
def test_a_program_too_short_for_many_samples_is_sampled_faster(cpu: float | None, rate: int) -> None:
    assert rate_for(cpu, 200, ProfilerName.PERF) == rate
    assert rate_for(cpu, 200, ProfilerName.PY_SPY) == min(rate, 250)
    for name in (ProfilerName.PERF, ProfilerName.PY_SPY):
        assert rate_for(cpu, 2000, name) == 2000
