"""Profiling as a step of a job, on the simulated world: planned once, resumed, never at the verdict's expense."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.profiles import speedscope
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.store import InMemoryStore
from bisector.adapters.in_memory.world import World
from bisector.core.model.captures import ChangesKept, Profiled, ProfilersSeen
from bisector.core.model.facts import Fact
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import CaptureKind, ProfilerName
from bisector.core.model.request import Budget, JobKind, Request, Search
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import ProfileRecipe, RunRecipe
from bisector.core.model.steps import Conclude, LookAtChange, ProfileSides
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.outlook import outlook
from bisector.core.search.profiling import profile_first
from bisector.engine.capture import _complaint
from bisector.engine.ports import RunRecord
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, InfraFault
from bisector.report.compose import JobFacts, report_of
from bisector.report.explanation import explanations_of, wanted_files
from bisector.report.live import live_lines
from bisector.report.phrase import plain
from bisector.report.suspects.section import sections_of
from tests.helpers.simulated import Simulation

PLANTED = World(candidates=16, culprit=10, effect=0.3, noise=0.01, seed=3)


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    made = Simulation(PLANTED)
    yield made
    made.close()


def profiling(simulation: Simulation, **more: object) -> Request:
    request = simulation.request(search=Search(descend=False))
    python = replace(request.scenario, run=RunRecipe(command=("python", "app.py")))
    return replace(request, profile=True, scenario=python, **more)  # type: ignore[arg-type]


def steps(investigation: Investigation, kind: type) -> list[object]:
    return [plan.step for plan in investigation.plans if isinstance(plan.step, kind)]


def test_both_sides_of_the_culprit_are_profiled_before_the_end(simulation: Simulation) -> None:
    done = simulation.run(profiling(simulation))
    assert [type(plan.step) for plan in done.plans[-3:]] == [ProfileSides, LookAtChange, Conclude]
    assert {capture.place for capture in done.captures} == {main(9), main(10)}
    assert sum(capture.kind is CaptureKind.SAMPLED for capture in done.captures) == 6
    assert not any(capture.problem for capture in done.captures)
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT


def test_profiled_runs_are_no_samples(simulation: Simulation) -> None:
    with_profiles = simulation.run(profiling(simulation))
    number = with_profiles.plans[-2].number
    assert not [sample for sample in with_profiles.samples if sample.step == number]


def test_who_watches_is_told_which_capture_is_taken_and_of_how_many(simulation: Simulation) -> None:
    """Captures may take minutes: the screen says how far they are, and no estimate of runs that are not to come."""
    done = simulation.run(profiling(simulation))
    facts = simulation.ports.store.facts(done.job)
    first = next(index for index, fact in enumerate(facts) if isinstance(fact, ProfilersSeen)) + 1
    last = max(index for index, fact in enumerate(facts) if isinstance(fact, Profiled)) + 1
    told = []
    for cut in range(first, last):
        watched = Investigation.replay(done.job, done.request, facts[:cut])
        lines = live_lines(watched, outlook(watched), 60)
        assert not any("estimate" in line for line in lines)
        told += [line.strip() for line in lines if line.strip().startswith("capture ")]
    assert told[0] == "capture 1 of 10: py-spy, 9"
    assert told[-1].startswith("capture 10 of 10: allocations are added up")
    assert [line.split()[1] for line in told] == [str(number) for number in range(1, 11)]


def test_the_planted_function_is_the_prime_suspect(simulation: Simulation) -> None:
    done = simulation.run(profiling(simulation))
    files = {name: simulation.artifacts.kept(name).read_bytes() for name in wanted_files(done)}
    (explanation,) = explanations_of(done, files)
    prime = explanation.suspects[0]
    assert (prime.function.frame.name, prime.touched is not None) == ("parse", True)
    assert prime.share == pytest.approx(1.0, abs=0.05)
    assert prime.calls is not None
    assert prime.calls.before == prime.calls.after > 0


@pytest.mark.parametrize(
    "unwanted",
    [
        {"profile": False},
        {"budget": Budget(seconds=0.01)},
    ],
)
def test_nothing_is_profiled_unwanted_or_beyond_the_budget(simulation: Simulation, unwanted: dict[str, object]) -> None:
    request = replace(profiling(simulation), **unwanted)  # type: ignore[arg-type]
    assert not steps(simulation.run(request), ProfileSides)


def test_a_scenario_can_do_without(simulation: Simulation) -> None:
    request = profiling(simulation)
    quiet = replace(request.scenario, profile=ProfileRecipe(profiler="none"))
    assert not steps(simulation.run(replace(request, scenario=quiet)), ProfileSides)


def test_without_a_culprit_nothing_is_profiled() -> None:
    simulation = Simulation(replace(PLANTED, culprit=0))
    assert not steps(simulation.run(profiling(simulation)), ProfileSides)
    simulation.close()


def test_the_ends_are_profiled_as_well_where_that_is_asked_for(simulation: Simulation) -> None:
    (step,) = steps(simulation.run(profiling(simulation, profile_ends=True)), ProfileSides)
    assert isinstance(step, ProfileSides)
    assert step.pairs == ((main(9), main(10)), (main(0), main(16)))


def test_a_comparison_profiles_its_two_commits(simulation: Simulation) -> None:
    done = simulation.run(replace(simulation.request(kind=JobKind.COMPARE), profile=True))
    assert {capture.place for capture in done.captures} == {main(0), main(1)}


class Killed(Exception):
    """The process was killed."""


class Dying(InMemoryStore):
    """A store whose process dies right after the fact number `last`."""

    last = 10**9

    def append(self, job: str, fact: Fact) -> None:
        super().append(job, fact)
        if len(self.memory.facts[job]) >= self.last:
            raise Killed


def test_a_job_killed_anywhere_while_profiling_goes_on_there(simulation: Simulation) -> None:
    whole = simulation.run(profiling(simulation))
    total = len(simulation.ports.store.facts(whole.job))
    profiled = len(whole.captures) + len(whole.profilers) + len(whole.changes)
    for last in range(total - profiled - 2, total):
        again = Simulation(PLANTED)
        store = Dying(again.ports.clock)
        again.with_store(store)
        job = store.create(profiling(again))
        store.last = last
        with pytest.raises(Killed):
            again.work(job)
        store.last = 10**9
        done = again.work(job)
        assert _told(done) == _told(whole)
        again.close()


def _told(done: Investigation) -> list[object]:
    captures = [(c.order, c.place, c.tool, c.files, c.problem) for c in done.captures]
    return [captures, [len(done.profilers), len(done.changes)], done.verdict]


class Grudging(SimulatedRunner):
    """A runner whose profilers fail, each in its own way."""

    how = "refuse"

    def unusable_profilers(self) -> Mapping[ProfilerName, str]:
        return dict.fromkeys(ProfilerName, "not installed") if self.how == "absent" else {}

    def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
        if self.how == "fault" and wanted:
            raise InfraFault("the engine is gone")
        if self.how == "empty":
            return dict.fromkeys(wanted[:1], b'{"shared": {"frames": []}, "profiles": []}')
        return {} if self.how == "silent" else super().profile(tree, wanted)


@pytest.mark.parametrize(
    ("how", "said"),
    [("absent", None), ("fault", "the engine is gone"), ("silent", "wrote nothing"), ("empty", "saw nothing")],
)
def test_whatever_a_profiler_does_the_verdict_stands(simulation: Simulation, how: str, said: str | None) -> None:
    runner = Grudging(PLANTED)
    runner.how = how
    simulation.ports = replace(simulation.ports, runner=runner)
    done = simulation.run(profiling(simulation))
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT
    problems = {capture.problem for capture in done.captures if capture.kind is CaptureKind.SAMPLED}
    assert (not problems) if said is None else all(said in problem for problem in problems) and problems
    (explanation,) = explanations_of(done, {})
    assert explanation.difference is None
    assert explanation.problems


def test_stopping_while_profiling_leaves_a_job_that_goes_on(simulation: Simulation) -> None:
    stop = StopSignal()

    class Stopping(SimulatedRunner):
        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            if wanted:
                stop.set("Ctrl-C")
            return super().profile(tree, wanted)

    simulation.ports = replace(simulation.ports, runner=Stopping(PLANTED))
    job = simulation.ports.store.create(profiling(simulation))
    with pytest.raises(Cancelled):
        simulation.work(job, stop)
    assert simulation.work(job).verdict is not None


def test_a_short_process_is_run_again_until_there_are_enough_samples(simulation: Simulation) -> None:
    done = simulation.run(profiling(simulation))
    sampled = [capture for capture in done.captures if capture.kind is CaptureKind.SAMPLED]
    (step,) = steps(done, ProfileSides)
    assert isinstance(step, ProfileSides)
    assert all(capture.samples >= step.samples for capture in sampled)
    assert all(len(capture.files) == capture.runs for capture in sampled)


def test_all_captures_of_a_side_share_a_time_beyond_which_no_run_is_begun(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bisector.core.search.profiling.FEWEST_SAMPLES", 6000)

    class Slow(SimulatedRunner):
        seconds = 0.0

        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            simulation.ports.clock.sleep(self.seconds, StopSignal())
            return super().profile(tree, wanted)

    runner = Slow(PLANTED)
    simulation.ports = replace(simulation.ports, runner=runner)
    runs = []
    for seconds in (0.0, 2.5, 4.0):
        runner.seconds = seconds
        done = simulation.run(profiling(simulation))
        sampled = [capture for capture in done.captures if capture.kind is CaptureKind.SAMPLED]
        runs.append(max(capture.runs for capture in sampled))
        assert not any(capture.problem for capture in sampled)
    assert runs[0] > 2
    assert runs[1:] == [2, 1]


@pytest.mark.parametrize(("times", "refused"), [(1, False), (4, True)])
def test_calls_are_not_counted_where_that_would_take_minutes(simulation: Simulation, times: int, refused: bool) -> None:
    class Longer(SimulatedRunner):
        def draw(self, tree: str) -> float:
            return times * super().draw(tree)

    simulation.ports = replace(simulation.ports, runner=Longer(PLANTED))
    request = profiling(simulation)
    native = replace(request.scenario, run=RunRecipe(command=("./counter",)))
    done = simulation.run(replace(request, scenario=native))
    counted = [capture.problem for capture in done.captures if capture.kind is CaptureKind.COUNTED]
    assert counted
    assert all(("callgrind would take" in problem) is refused for problem in counted)


def test_facts_of_profiling_are_kept_as_text(simulation: Simulation) -> None:
    done = simulation.run(profiling(simulation))
    facts = simulation.ports.store.facts(done.job)
    for kind in (ProfilersSeen, Profiled, ChangesKept):
        assert any(isinstance(fact, kind) for fact in facts)
    assert Investigation.replay(done.job, done.request, facts) == done


def test_a_profiler_that_sees_little_of_the_processor_time_is_not_believed(simulation: Simulation) -> None:
    few = speedscope(1.0)

    class Blind(SimulatedRunner):
        def unusable_profilers(self) -> Mapping[ProfilerName, str]:
            return {}

        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            document = json.loads(few)
            for part in document["profiles"]:
                part["samples"], part["weights"] = part["samples"][:20], part["weights"][:20]
            found = {"profile": json.dumps(document).encode()}
            return {name: content for name, content in found.items() if name in wanted}

    simulation.ports = replace(simulation.ports, runner=Blind(PLANTED))
    done = simulation.run(profiling(simulation))
    spied = [capture for capture in done.captures if capture.tool == "py-spy"]
    assert [capture.blind for capture in spied] == [True]
    assert "not Python" in spied[0].problem
    later = {c.tool for c in done.captures if c.kind is CaptureKind.SAMPLED and c.order > 0}
    assert later == {"perf"}


@pytest.mark.parametrize(("cpu", "seen", "blind"), [(0.063, 0.024, False), (0.063, 0.004, True), (0.5, 0.024, True)])
def test_the_start_of_an_interpreter_is_nothing_that_a_profiler_is_blind_to(
    simulation: Simulation, cpu: float, seen: float, blind: bool
) -> None:
    class Short(SimulatedRunner):
        def draw(self, tree: str) -> float:
            return cpu * super().draw(tree)

        def unusable_profilers(self) -> Mapping[ProfilerName, str]:
            return {}

        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            document = json.loads(speedscope(1.0))
            for part in document["profiles"]:
                many = round(seen * max(200, min(40 / cpu, 1000)))
                part["samples"], part["weights"] = part["samples"][:many], part["weights"][:many]
            found = {"profile": json.dumps(document).encode()}
            return {name: content for name, content in found.items() if name in wanted}

    simulation.ports = replace(simulation.ports, runner=Short(PLANTED))
    done = simulation.run(profiling(simulation))
    spied = [capture.blind for capture in done.captures if capture.tool == "py-spy"]
    assert spied
    assert any(spied) is blind


def test_runs_that_other_load_stretched_are_left_out(simulation: Simulation) -> None:
    class Disturbed(SimulatedRunner):
        runs = 0

        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            found = dict(super().profile(tree, wanted))
            if wanted == ("profile",):
                self.runs += 1
                document = json.loads(found["profile"])
                stretched = 2 if self.runs % 3 else 15
                for part in document["profiles"]:
                    part["samples"], part["weights"] = part["samples"][:100] * stretched, [1 / 200] * 100 * stretched
                found["profile"] = json.dumps(document).encode()
            return found

    simulation.ports = replace(simulation.ports, runner=Disturbed(PLANTED))
    done = simulation.run(profiling(simulation))
    sampled = [capture for capture in done.captures if capture.kind is CaptureKind.SAMPLED]
    assert {capture.samples // capture.runs for capture in sampled} == {200}


def sized(simulation: Simulation, *command: str) -> Request:
    request = profiling(simulation)
    size, run = replace(request.scenario.metrics[0], unit="B"), RunRecipe(command=command)
    return replace(request, scenario=replace(request.scenario, metrics=(size,), run=run))


def test_a_size_is_explained_by_what_is_held(simulation: Simulation) -> None:
    done = simulation.run(sized(simulation, "python", "app.py"))
    assert {(c.tool, c.problem) for c in done.captures} == {("tracemalloc", ""), ("counts", "")}
    files = {name: simulation.artifacts.kept(name).read_bytes() for name in wanted_files(done)}
    report = report_of(done, JobFacts(state="done", files=files))
    assert "of the extra memory is in parse" in plain(report.sentence)
    (section,) = sections_of(report.explanations)
    assert section.title == "Why it takes more memory"
    assert any("holds" in each.text for each in section.text)


def test_a_size_of_what_is_not_python_is_not_explained_and_the_report_says_so(simulation: Simulation) -> None:
    done = simulation.run(sized(simulation, "./counter"))
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT
    (section,) = sections_of(explanations_of(done, {}))
    assert "tracemalloc could not be used" in " ".join(each.text for each in section.text)


def test_what_a_call_allocates_stands_beside_its_time(simulation: Simulation) -> None:
    done = simulation.run(profiling(simulation))
    files = {name: simulation.artifacts.kept(name).read_bytes() for name in wanted_files(done)}
    (section,) = sections_of(explanations_of(done, files))
    assert "KiB a call instead of 97.7 KiB" in " ".join(each.text for each in section.text)


def test_a_program_that_always_looks_disturbed_is_taken_as_it_is(simulation: Simulation) -> None:
    class Threads(SimulatedRunner):
        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            found = dict(super().profile(tree, wanted))
            if wanted == ("profile",):
                document = json.loads(found["profile"])
                for part in document["profiles"]:
                    part["samples"], part["weights"] = part["samples"] * 8, part["weights"] * 8
                found["profile"] = json.dumps(document).encode()
            return found

    simulation.ports = replace(simulation.ports, runner=Threads(PLANTED))
    sampled = [c for c in simulation.run(profiling(simulation)).captures if c.kind is CaptureKind.SAMPLED]
    assert {capture.runs for capture in sampled} == {3}
    assert not any(capture.problem for capture in sampled)


def test_a_spent_time_leaves_profiling_out(simulation: Simulation) -> None:
    done = simulation.run(replace(profiling(simulation), profile=False))
    assert done.verdict is not None
    wanting = replace(done, request=replace(done.request, profile=True, budget=Budget(seconds=100.0)))
    assert isinstance(profile_first(wanting, done.verdict, 99.0), ProfileSides)
    assert profile_first(wanting, done.verdict, 100.0) is None


def test_a_run_that_was_over_too_soon_is_no_failure(simulation: Simulation) -> None:
    class Hasty(SimulatedRunner):
        runs = 0

        def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
            self.runs += wanted == ("profile",)
            return {} if wanted == ("profile",) and self.runs % 3 else super().profile(tree, wanted)

    simulation.ports = replace(simulation.ports, runner=Hasty(PLANTED))
    sampled = [c for c in simulation.run(profiling(simulation)).captures if c.kind is CaptureKind.SAMPLED]
    assert {(capture.tool, capture.problem) for capture in sampled} == {("py-spy", "")}


def test_a_py_spy_that_sees_no_process_may_have_been_refused_ptrace() -> None:
    said = b"warm-up\nError: No python processes found in process 17\n"
    assert "refuses ptrace" in _complaint(RunRecord(outcome=Outcome.BENCH_FAILED, stderr=said))
    assert _complaint(RunRecord(outcome=Outcome.BENCH_FAILED, stderr=b"Error: no room\n")) == "Error: no room"
