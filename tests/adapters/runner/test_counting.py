"""Contract: what a run is counted to do is the same every time, in both runners, and what cannot count says why."""

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from bisector.adapters.measure.counting import Found, counter_facts, counters_here, perf_found, valgrind_found
from bisector.adapters.measure.tools import Tools
from bisector.core.model.builds import Build
from bisector.core.model.counting import Counter, CounterTool, count_file
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import BuildRecipe, Metric, RunRecipe, Scenario
from bisector.core.model.units import Sha
from bisector.engine.ports import Runner, RunOrder, RunRecord
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, ScenarioError
from bisector.formats.results import metric_of_command, read_value
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory
from tests.helpers.installs import BASE_IMAGE

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words)
{
    volatile unsigned long total = 0;
    unsigned long turns = count > 1 ? strtoul(words[1], NULL, 10) : 0;
    for (unsigned long i = 0; i < turns; i++) total += i ^ total;
    for (int i = 0; count > 2 && i < 100; i++) free(malloc(50));
    return count > 3 ? 3 : 0;
}
"""
PYTHON = "for _ in range(3000): list(range(9))"
needs_valgrind = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")


@pytest.fixture(scope="module")
def program(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """A checkout with a program that does what it is told."""
    root = tmp_path_factory.mktemp("program")
    laboratory = Laboratory(runner=runner, image_id=runner.resolve_image(BASE_IMAGE), root=root)
    # What valgrind would be told by the checkout itself, if it listened.
    files = {"work.c": PROGRAM, ".valgrindrc": "--tool=no-such-tool\n", "data/one": "x" * 1000, "data/b/two": "y" * 50}
    yield laboratory.build(files, steps=("cc -O0 -o work work.c",))
    laboratory.clean()


def metric(source: str, select: str = "") -> Metric:
    """A metric read from `source`, as a scenario or a command line makes it."""
    made = metric_of_command(source)
    return dataclasses.replace(made, select=select, file=count_file(source, select))


def counted(runner: Runner, build: Build, source: str, *command: str) -> RunRecord:
    """A run of the command with valgrind around it."""
    recipe = RunRecipe(command=command, timeout_seconds=10.0, memory_bytes=512 * MEBIBYTE)
    counter = Counter(tool=CounterTool.VALGRIND, source=source)
    order = RunOrder(recipe=counter.around(recipe), files=None, collect=(count_file(source),))
    with runner.open(build, order, StopSignal()) as session:
        return session.run()


def value(record: RunRecord, source: str) -> float:
    """What was counted."""
    assert record.outcome is Outcome.OK, (record.reason, record.stderr)
    assert record.usage is not None
    return read_value(metric(source), record.usage, record.stdout, record.files)


@needs_valgrind
def test_instructions_are_the_same_every_time_and_those_of_the_loop_that_is_longer(
    runner: Runner, program: Build
) -> None:
    short, again = (value(counted(runner, program, "instructions", "./work", "100000"), "instructions") for _ in "ab")
    assert short == again
    longer = value(counted(runner, program, "instructions", "./work", "200000"), "instructions")
    assert 100_000 * 3 <= longer - short <= 100_000 * 20


@needs_valgrind
def test_what_the_commands_processes_do_is_added_up(runner: Runner, program: Build) -> None:
    once = value(counted(runner, program, "instructions", "./work", "100000"), "instructions")
    both = value(counted(runner, program, "instructions", "sh", "-c", "./work 100000; ./work 100000"), "instructions")
    assert both > 2 * once


@needs_valgrind
def test_allocations_and_calls_of_the_system_are_counted(runner: Runner, program: Build) -> None:
    none = counted(runner, program, "allocations", "./work", "1", "many")
    assert value(none, "allocations") == 100
    assert value(none, "allocated_bytes") == 5000
    assert value(none, "peak_allocated") == 50
    few, again = (value(counted(runner, program, "syscalls", "./work"), "syscalls") for _ in "ab")
    assert 10 < few == again < 200


@needs_valgrind
def test_a_command_that_fails_fails_and_one_that_hangs_is_ended(runner: Runner, program: Build) -> None:
    failed = counted(runner, program, "instructions", "./work", "1", "2", "3")
    assert (failed.outcome, failed.exit_code) == (Outcome.BENCH_FAILED, 3)
    missing = counted(runner, program, "instructions", "./no-such-program")
    assert missing.outcome is Outcome.BENCH_FAILED
    assert "no-such-program" in missing.reason


def test_page_faults_and_sizes_are_told_without_anything_around_the_command(
    runner: Runner, program: Build, lab: Laboratory
) -> None:
    sizes = [count_file("size", name) for name in ("data", "data/one", "nothing")]
    order = RunOrder(recipe=RunRecipe(command=("true",)), files=None, collect=tuple(sizes))
    with runner.open(program, order, StopSignal()) as session:
        record = session.run()
    assert [record.files.get(name) for name in sizes] == [b"1050", b"1000", None]
    little, much = (
        lab.run(program, "sh", "-c", f"x=1; while [ ${{#x}} -lt {length} ]; do x=$x$x; done").usage
        for length in (1, 30_000_000)
    )
    assert little is not None
    assert much is not None
    assert 0 < little.page_faults < 1000 < much.page_faults


def request(*sources: str, tool: Literal["auto", "perf", "valgrind"] = "auto") -> Request:
    """A request for metrics of these sources."""
    metrics = tuple(dataclasses.replace(metric_of_command(source), tool=tool) for source in sources)
    scenario = Scenario(name="s", build=BuildRecipe(), run=RunRecipe(command=("true",)), metrics=metrics)
    names = tuple(each.name for each in metrics)
    return Request(
        repository="r", good=Sha("a"), bad=Sha("b"), scenario=scenario, metrics=names, runner=RunnerName.LOCAL
    )


CAN, CANNOT = Found(version="9.1"), Found(problem="it is broken")


def test_the_first_tool_that_can_count_does_and_is_a_fact_of_the_host() -> None:
    both = {CounterTool.PERF: lambda: CAN, CounterTool.VALGRIND: lambda: CAN}
    one = {CounterTool.PERF: lambda: CANNOT, CounterTool.VALGRIND: lambda: CAN}
    assert counter_facts(request("instructions"), both) == {"counter": "perf 9.1"}
    assert counter_facts(request("instructions"), one) == {"counter": "valgrind 9.1"}
    assert counter_facts(request("instructions", tool="valgrind"), both) == {"counter": "valgrind 9.1"}
    assert counter_facts(request("allocations"), both) == {"counter": "valgrind 9.1"}
    assert counter_facts(request("wall", "page_faults"), one) == {}


def test_where_nothing_can_count_it_is_said_once_with_what_keeps_each_from_it() -> None:
    none = {CounterTool.PERF: lambda: CANNOT, CounterTool.VALGRIND: lambda: Found(problem="it is not there")}
    with pytest.raises(EnvironmentFault, match="instructions cannot be counted here: it is broken; it is not there"):
        counter_facts(request("instructions"), none)
    with pytest.raises(EnvironmentFault, match=r"cannot be counted here: it is broken \("):
        counter_facts(request("instructions", tool="perf"), none)


def test_what_a_tool_distorts_is_not_measured_in_the_same_runs() -> None:
    both = {CounterTool.PERF: lambda: CAN, CounterTool.VALGRIND: lambda: CAN}
    valgrind = {CounterTool.PERF: lambda: CANNOT, CounterTool.VALGRIND: lambda: CAN}
    with pytest.raises(ScenarioError, match="wall cannot be measured in the runs in which valgrind counts"):
        counter_facts(request("instructions", "wall"), valgrind)
    assert counter_facts(request("instructions", "wall"), both) == {"counter": "perf 9.1"}
    assert counter_facts(request("allocations", "peak_allocated", "size"), valgrind) == {"counter": "valgrind 9.1"}


def _perf(directory: Path, counted: str) -> str:
    """A search path on which `perf stat` writes this in place of what this machine's processor counts, if it does."""
    program = directory / "perf"
    program.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo perf version 6.1.158 || echo '{counted}' > \"$6\"\n")
    program.chmod(0o755)
    return f"{directory}:{os.defpath}"


def test_perf_counts_where_the_processor_does(tmp_path: Path) -> None:
    assert perf_found(_perf(tmp_path, "1203475,,instructions:u,5120390,100.00,,")) == Found(version="6.1.158")
    refused = perf_found(_perf(tmp_path, "<not supported>,,instructions:u,0,100.00,,"))
    assert refused.problem == "the processor's counters cannot be had: perf says <not supported>"
    assert "perf is not installed" in perf_found(str(tmp_path / "nothing")).problem


def test_a_valgrind_that_is_not_brought_along_is_missed(tmp_path: Path) -> None:
    tools = Tools(directory=tmp_path, compiled=False)
    assert valgrind_found(tools).problem == "valgrind is not installed beside bisector (Debian: valgrind)"
    assert counters_here(tools, str(tmp_path))[CounterTool.VALGRIND]().problem


def test_a_runner_says_at_once_that_nothing_counts(local_runner: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is built, and not sixty times."""
    monkeypatch.setattr(
        local_runner, "_counters", {CounterTool.PERF: lambda: CANNOT, CounterTool.VALGRIND: lambda: CANNOT}
    )
    with pytest.raises(EnvironmentFault, match="instructions cannot be counted here"):
        local_runner.environment(request("instructions"))  # type: ignore[attr-defined]
    assert "counter" not in local_runner.environment(request("wall")).details  # type: ignore[attr-defined]
