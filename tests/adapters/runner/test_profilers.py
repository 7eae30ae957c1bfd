"""Contract: every profiler around a run, in both runners, sees the program's functions; what cannot be had is said."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.adapters.docker.beside import _regular_file, beside_problem
from bisector.adapters.docker.engine import Engine
from bisector.adapters.local.runner import LocalRunner
from bisector.adapters.measure.profilers import perf_problem, ptrace_problem
from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Capture, Origin, Unit
from bisector.core.model.builds import Build
from bisector.core.model.profiles import Format, Profiler, ProfilerName, allocations, counter, native_counter, sampler
from bisector.core.model.request import RunnerName
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import Probe, ProfileRecipe, Ready, RunRecipe, Service
from bisector.engine.ports import Runner, RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.callgrind import read_callgrind
from bisector.formats.profiles.calls import read_allocations, read_counts
from bisector.formats.profiles.gathering import Reading
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory
from tests.helpers import refusing
from tests.helpers.installs import BASE_IMAGE

PROGRAM = """
import sys, time, threading

def leaf(n):
    return sum(i * i for i in range(n))

class Engine:
    def turn(self, seconds):
        end = time.process_time() + seconds
        while time.process_time() < end:
            leaf(2000)

def exactly(times):
    for _ in range(times):
        leaf(1)

class Keeper:
    def load(self, size):
        return bytearray(size)

def passing(size):
    block = bytearray(size)
    del block

def little(length):
    return len([str(number) * 3 for number in range(length)])

if sys.argv[1:] == ["little"]:
    little(1500)
elif sys.argv[1:] == ["hold"]:
    kept = Keeper().load(3 << 20)
    passing(5 << 20)
elif sys.argv[1:] == ["count"]:
    exactly(321)
    thread = threading.Thread(target=exactly, args=(100,))
    thread.start()
    thread.join()
else:
    Engine().turn(float(sys.argv[1]))
print("done")
"""
NATIVE = """
#include <stdio.h>
#include <time.h>
static volatile unsigned long total;
__attribute__((noinline)) void grind(unsigned long n) { for (unsigned long i = 0; i < n; i++) total += i ^ total; }
__attribute__((noinline)) void work(double seconds)
{ while ((double)clock() / CLOCKS_PER_SEC < seconds) grind(200000); }
int main(int count, char **_)
{ if (count > 1) for (int i = 0; i < 17; i++) grind(10); else work(0.5); puts("done"); return 0; }
"""


@pytest.fixture(scope="module")
def program(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """A checkout with a program whose functions are known."""
    root = tmp_path_factory.mktemp("program")
    laboratory = Laboratory(runner=runner, image_id=runner.resolve_image(BASE_IMAGE), root=root)
    native = {"native.c": NATIVE}
    step = "gcc -g -O1 -fno-omit-frame-pointer -o native native.c"
    yield laboratory.build({"app/run.py": PROGRAM, **native}, python=True, steps=(step,))
    laboratory.clean()


def profiled(runner: Runner, build: Build, profiler: Profiler, *command: str) -> tuple[RunRecord, Session]:
    """A profiled run of the program, and the session it was made in."""
    recipe = RunRecipe(command=command, timeout_seconds=60.0, memory_bytes=512 * MEBIBYTE)
    order = RunOrder(recipe=profiler.wrapped(recipe), files=None, collect=profiler.files, beside_hz=profiler.beside_hz)
    with runner.open(build, order, StopSignal()) as session:
        return session.run(), session


def capture_of(record: RunRecord, session: Session, profiler: Profiler) -> Capture:
    assert record.outcome is Outcome.OK, (record.reason, record.stderr[-2000:])
    content = next(record.files[name] for name in profiler.files if name in record.files)
    return read_profile(content, Reading(names=Names(roots=(session.source,)), rate_hz=profiler.rate_hz))


def own(capture: Capture) -> dict[str, str]:
    """The project's functions, with their files."""
    return {frame.name: frame.module for frame in capture.frames if frame.origin is Origin.OWN}


@pytest.mark.parametrize("name", [ProfilerName.PY_SPY, ProfilerName.PYINSTRUMENT])
def test_a_python_profiler_sees_the_programs_functions(runner: Runner, program: Build, name: ProfilerName) -> None:
    assert name not in runner.unusable_profilers()
    profiler = sampler(name, ProfileRecipe(rate_hz=200))
    record, session = profiled(runner, program, profiler, "python3", "app/run.py", "0.5")
    assert b"done\n" in record.stdout
    capture = capture_of(record, session, profiler)
    assert capture.samples is not None
    assert capture.samples > 40
    assert {"Engine.turn", "leaf"} <= set(own(capture))
    assert set(own(capture).values()) == {"app/run.py"}


def test_what_looking_from_within_takes_is_not_told(runner: Runner, program: Build) -> None:
    """Looked at so often that its own beginning and end are seen."""
    profiler = sampler(ProfilerName.PYINSTRUMENT, ProfileRecipe(rate_hz=20_000))
    record, session = profiled(runner, program, profiler, "python3", "app/run.py", "0.1")
    capture = capture_of(record, session, profiler)
    assert set(own(capture).values()) == {"app/run.py"}


SERVER = """
import http.server, sys

def grind(n):
    return sum(i * i for i in range(n))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        grind(100000)
        self.send_response(200)
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
LOAD = "import sys, urllib.request as u\nfor _ in range(40): u.urlopen('http://127.0.0.1:' + sys.argv[1]).read()"


@pytest.mark.parametrize("profiler", [sampler(ProfilerName.PY_SPY, ProfileRecipe()), counter()], ids=lambda p: p.tool)
def test_a_service_is_profiled_while_it_is_under_load(runner: Runner, lab: Laboratory, profiler: Profiler) -> None:
    """Ended by a signal that it does not handle, which py-spy and what counts from within live through."""
    build = lab.build({"app/server.py": SERVER}, python=True)
    ready = Ready(probe=Probe.TCP, words=("{port}",))
    web = Service(name="web", command=("python3", "app/server.py", "{port}"), ready=ready)
    recipe = RunRecipe(command=("python3", "-c", LOAD, "{port}"), services=(web,), memory_bytes=512 * MEBIBYTE)
    order = RunOrder(recipe=profiler.wrapped(recipe), files=None, collect=profiler.files)
    with runner.open(build, order, StopSignal()) as session:
        record = session.run()
    assert record.outcome is Outcome.OK, record.reason
    written = [record.files[name] for name in profiler.files if name in record.files]
    names = Names(roots=(session.source,))
    if profiler.format is Format.CALLS:
        calls = {frame.name: number for frame, number in read_counts(written, names, 1.0).calls.items()}
        assert (calls["Handler.do_GET"], calls["grind"]) == (40, 40)
    else:
        capture = read_profile(written[0], Reading(names=names, rate_hz=profiler.rate_hz))
        assert {"Handler.do_GET", "grind"} <= set(own(capture))
        assert (capture.samples or 0) > 20


def test_two_builds_of_one_program_have_the_same_frames(lab: Laboratory, runner: Runner) -> None:
    profiler, frames = sampler(ProfilerName.PY_SPY, ProfileRecipe()), []
    for number in range(2):
        build = lab.build({"app/run.py": f"# {number}\n" * 3 * number + PROGRAM}, python=True)
        record, session = profiled(runner, build, profiler, "python3", "app/run.py", "0.3")
        frames.append({(f.name, f.module) for f in capture_of(record, session, profiler).frames if "app" in f.module})
    assert {name for name, _ in frames[0] & frames[1]} >= {"Engine.turn", "leaf", "<module>"}


def test_calls_are_counted_exactly_in_every_thread(runner: Runner, program: Build) -> None:
    profiler = counter()
    record, session = profiled(runner, program, profiler, "python3", "app/run.py", "count")
    assert record.outcome is Outcome.OK, record.stderr
    written = [record.files[name] for name in profiler.files if name in record.files]
    counts = read_counts(written, Names(roots=(session.source,)), 1.0)
    calls = {frame.name: number for frame, number in counts.calls.items() if frame.module == "app/run.py"}
    assert (calls["leaf"], calls["exactly"]) == (421, 2)
    assert {a.name for a, b in counts.edges if b.name == "leaf"} == {"exactly"}


def test_calls_are_counted_in_every_process_that_a_command_starts(runner: Runner, program: Build) -> None:
    profiler = counter()
    start = "import subprocess, sys; subprocess.run([sys.executable, 'app/run.py', 'count'], check=True)"
    record, session = profiled(runner, program, profiler, "sh", "-c", f'python3 -c "{start}"; python3 app/run.py count')
    assert record.outcome is Outcome.OK, record.stderr
    written = [record.files[name] for name in profiler.files if name in record.files]
    counts = read_counts(written, Names(roots=(session.source,)), 1.0)
    calls = {frame.name: number for frame, number in counts.calls.items() if frame.module == "app/run.py"}
    assert (len(written), calls["leaf"]) == (3, 842)


def test_memory_is_told_by_where_it_was_allocated_even_if_it_is_gone_at_once(runner: Runner, program: Build) -> None:
    profiler = sampler(ProfilerName.TRACEMALLOC, ProfileRecipe())
    record, session = profiled(runner, program, profiler, "python3", "app/run.py", "hold")
    capture = capture_of(record, session, profiler)
    weights = capture.tree.by_frame(capture.weights, len(capture.frames))
    held = {frame.name: weight for frame, weight in zip(capture.frames, weights, strict=True)}
    assert capture.unit is Unit.BYTES
    assert capture.samples is None
    assert own(capture)["Keeper.load"] == "app/run.py"
    assert held["Keeper.load"] == pytest.approx(3 << 20, rel=0.01)
    assert held["passing"] == pytest.approx(5 << 20, rel=0.01)


def test_of_a_program_that_holds_little_the_most_is_its_own_too(runner: Runner, program: Build) -> None:
    """Neither what the hook allocates is told, nor is what had gone at the end put down to it.

    What holds as much is the interpreter, the script's syntax tree: it is nobody's of the program.
    """
    profiler = sampler(ProfilerName.TRACEMALLOC, ProfileRecipe())
    record, session = profiled(runner, program, profiler, "python3", "app/run.py", "little")
    capture = capture_of(record, session, profiler)
    weights = capture.tree.by_frame(capture.weights, len(capture.frames))
    held = Counter[str]()
    for frame, weight in zip(capture.frames, weights, strict=True):
        held[frame.name] += int(weight)
    assert held["little"] > (held.total() - held["[interpreter]"]) / 2
    assert held["[interpreter]"] > 0
    assert not any("hook" in frame.module or "sitecustomize" in frame.module for frame in capture.frames)


def test_what_a_call_allocates_is_added_up(runner: Runner, program: Build) -> None:
    profiler = allocations()
    record, session = profiled(runner, program, profiler, "python3", "app/run.py", "hold")
    assert record.outcome is Outcome.OK, record.stderr
    written = [record.files[name] for name in profiler.files if name in record.files]
    found = {f.name: size for f, size in read_allocations(written, Names(roots=(session.source,))).items()}
    assert found["passing"] == pytest.approx(5 << 20, rel=0.01)
    assert "begin.<locals>.end" not in found


def test_compiled_functions_are_counted_where_valgrind_is(runner: Runner, program: Build) -> None:
    profiler = native_counter()
    record, session = profiled(runner, program, profiler, "./native", "count")
    if shutil.which("valgrind") is None:
        assert b"Error: valgrind is not installed there" in record.stderr
        pytest.skip("valgrind is not installed")
    assert record.outcome is Outcome.OK, record.stderr
    written = [record.files[name] for name in profiler.files if name in record.files]
    counts = read_callgrind(written, Names(roots=(session.source,)), 1.0)
    calls = {frame.name: number for frame, number in counts.calls.items() if frame.module == "native"}
    assert calls["grind"] == 17


def test_a_process_that_is_forked_from_a_shell_is_seen_from_within(runner: Runner, program: Build) -> None:
    profiler = sampler(ProfilerName.PYINSTRUMENT, ProfileRecipe())
    record, session = profiled(runner, program, profiler, "sh", "-c", "python3 app/run.py 0.3; true")
    assert "leaf" in own(capture_of(record, session, profiler))


@pytest.mark.parametrize("profiler", [sampler(ProfilerName.PYINSTRUMENT, ProfileRecipe()), counter()])
def test_the_way_modules_are_found_stays_the_same(runner: Runner, program: Build, profiler: Profiler) -> None:
    look = "import sys, sitecustomize; print([p for p in sys.path if 'tools' in p], 'pyinstrument' in sys.path)"
    record, _ = profiled(runner, program, profiler, "python3", "-c", look)
    assert record.stdout == b"[] False\n", record.stderr


def test_what_a_profiler_cannot_do_is_a_failure_with_its_own_words(runner: Runner, program: Build) -> None:
    profiler = sampler(ProfilerName.PY_SPY, ProfileRecipe())
    record, _ = profiled(runner, program, profiler, "sleep", "0.3")
    assert record.outcome is Outcome.BENCH_FAILED
    assert b"Error: " in record.stderr


def test_a_program_that_fails_under_the_profiler_fails(runner: Runner, program: Build) -> None:
    record, _ = profiled(runner, program, counter(), "python3", "-c", "raise SystemExit(3)")
    assert (record.outcome, record.exit_code) == (Outcome.BENCH_FAILED, 3)


def test_perf_sees_the_functions_of_a_compiled_program(runner: Runner, program: Build) -> None:
    unusable = runner.unusable_profilers()
    if ProfilerName.PERF in unusable:
        pytest.skip(unusable[ProfilerName.PERF])
    profiler = sampler(ProfilerName.PERF, ProfileRecipe(rate_hz=400), contained=runner.name is RunnerName.DOCKER)
    record, session = profiled(runner, program, profiler, "./native")
    capture = capture_of(record, session, profiler)
    assert record.stdout == b"done\n"
    assert {"grind", "work", "main"} <= {frame.name for frame in capture.frames}
    assert capture.unresolved < 0.1


@pytest.mark.parametrize("runner", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True, scope="session")
def test_a_run_waits_for_a_perf_that_is_slow_to_begin(
    program: Build, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unusable = runner.unusable_profilers()
    if ProfilerName.PERF in unusable:
        pytest.skip(unusable[ProfilerName.PERF])
    slow = tmp_path / "perf"
    slow.write_text(f'#!/bin/sh\n[ "$1" != record ] || sleep 2\nexec {shutil.which("perf")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    profiler = sampler(ProfilerName.PERF, ProfileRecipe(rate_hz=400), contained=True)
    record, session = profiled(runner, program, profiler, "./native")
    assert "grind" in {frame.name for frame in capture_of(record, session, profiler).frames}


def test_profilers_that_are_not_installed_are_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bisector.adapters.measure.tools._py_spy", list)
    monkeypatch.setattr("bisector.adapters.measure.tools._pyinstrument", list)
    unusable = LocalRunner(tmp_path, host_env={"PATH": "/nonexistent"}).unusable_profilers()
    assert set(unusable) == set(ProfilerName) - {ProfilerName.TRACEMALLOC}
    assert all(unusable.values())


def test_perf_beside_a_container_takes_root_and_the_engines_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"Name": os.uname().nodename}
    assert "another machine" in beside_problem({"Name": "elsewhere"})[ProfilerName.PERF]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "takes root" in beside_problem(here)[ProfilerName.PERF]


def test_without_the_right_perf_says_what_the_kernel_allows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "perf"
    refusing.write_text("#!/bin/sh\nexit 255\n")
    refusing.chmod(0o755)
    monkeypatch.delenv("PATH")
    assert "perf_event_paranoid" in perf_problem(f"{tmp_path}:{os.defpath}")[ProfilerName.PERF]


@pytest.mark.parametrize(
    ("level", "advice"), [("", "SYS_PTRACE"), ("1", "SYS_PTRACE"), ("2", "run bisector as root"), ("3", "set it to 1")]
)
def test_where_the_kernel_refuses_ptrace_it_is_said_and_what_to_do(tmp_path: Path, level: str, advice: str) -> None:
    if os.uname().machine not in refusing.CALLS:
        pytest.skip(f"no filter is written for {os.uname().machine}")
    scope = tmp_path / "ptrace_scope"
    if level:
        scope.write_text(f"{level}\n")
    asked = "import pathlib, sys; from bisector.adapters.measure.profilers import ptrace_problem as asked; "
    asked += "print(list(asked(pathlib.Path(sys.argv[1])).values()))"
    command = [sys.executable, refusing.__file__, sys.executable, "-c", asked, str(scope)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "look into its own child (ptrace)" in told
    assert advice in told


def test_where_ptrace_is_allowed_nothing_is_said_of_it() -> None:
    assert ptrace_problem() == {}


@pytest.mark.docker
def test_a_link_in_a_container_does_not_lead_to_the_hosts_files(docker_lab: Laboratory, docker_plain: Build) -> None:
    with docker_lab.session(docker_plain, "true") as session, Engine() as engine:
        assert _regular_file(engine, session.container, "/etc/os-release") is not None
        assert _regular_file(engine, session.container, "/proc/self/root/etc/hostname") in {None, b""}
        assert _regular_file(engine, session.container, "/etc") is None
        assert _regular_file(engine, session.container, "/nowhere") is None


@pytest.mark.docker
@pytest.mark.long
def test_a_run_that_perf_does_not_find_goes_on_by_itself(docker_lab: Laboratory, docker_plain: Build) -> None:
    waiting = sampler(ProfilerName.PERF, ProfileRecipe(), contained=True).before
    with docker_lab.session(docker_plain, *waiting, "cat", "hello.txt", timeout_seconds=55.0) as session:
        record = session.run()
    assert (record.outcome, record.stdout) == (Outcome.OK, b"hello\n")
    assert record.usage is not None
    assert record.usage.wall > 25
