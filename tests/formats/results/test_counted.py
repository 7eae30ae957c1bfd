"""What perf and valgrind write of what they counted."""

import pytest

from bisector.core.model.counting import Counter, CounterTool
from bisector.core.model.samples import Usage
from bisector.core.model.scenario import RunRecipe
from bisector.errors import ScenarioError
from bisector.formats.results import metric_of_command, read_value, wanted_files
from bisector.formats.results.problem import ResultProblem
from bisector.formats.scenario import parse_scenario

USAGE = Usage(wall=1.0, cpu=1.0, peak_memory=1, page_faults=45)
PERF = "# started on Fri Nov 27 11:00:00 2026\n\n"
CACHEGRIND = "==19{0}== I   refs:      {1}\n"
DHAT = """==11849== Total:     5,007 bytes in 101 blocks
==11849== At t-gmax: 50 bytes in 1 blocks
==11850== Total:     1 byte in 1 block
==11850== At t-gmax: 1 byte in 1 block
"""


def read(source: str, text: str) -> float:
    metric = metric_of_command(source)
    return read_value(metric, USAGE, b"", {metric.file: text.encode()} if metric.file else {})


def test_counts_of_all_processes_are_added_up() -> None:
    assert read("instructions", CACHEGRIND.format(1, "90,124,177") + CACHEGRIND.format(2, "5")) == 90_124_182
    assert read("syscalls", "counted 79\ncounted 9\ncounted 9\n") == 97
    assert read("allocations", DHAT) == 102
    assert read("allocated_bytes", DHAT) == 5008
    assert read("peak_allocated", DHAT) == 51
    assert read("page_faults", "") == 45


def test_perf_is_read_also_of_a_processor_of_two_kinds() -> None:
    assert read("instructions", PERF + "1203475,,instructions:u,5120390,100.00,,\n") == 1_203_475
    two = "1000,,cpu_core/instructions/u,512,100.00,,\n<not counted>,,cpu_atom/instructions/u,0,0.00,,\n"
    assert read("instructions", PERF + two) == 1000


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        ("instructions", PERF + "<not supported>,,instructions:u,0,100.00,,\n", "perf says '<not supported>'"),
        ("instructions", PERF + "1203475,,instructions:u,5120390,62.50,,\n", "counted 62.5 % of the time only"),
        ("instructions", "", "no value of instructions"),
        ("allocations", "==1== Total:     0 bytes in 0 blocks\n", "linked statically"),
    ],
)
def test_what_is_no_count_of_the_whole_run_is_said(source: str, text: str, told: str) -> None:
    with pytest.raises(ResultProblem, match=told):
        read(source, text)


SCENARIO = """
name = "s"
[run]
command = ["./work"]
[[metrics]]
name = "work"
source = "instructions"
tool = "valgrind"
[[metrics]]
name = "app"
source = "size"
select = "build/app"
"""


def test_a_scenario_asks_for_counters() -> None:
    work, app = parse_scenario(SCENARIO.encode(), where="s").metrics
    assert (work.exact, work.unit, work.tool, work.file) == (True, "instructions", "valgrind", "bisector.instructions")
    assert (app.exact, app.unit, app.file) == (True, "B", "size:build/app")
    assert wanted_files((work, app)) == ("bisector.instructions", "size:build/app")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('tool = "valgrind"', 'tool = "perf"\n[[metrics]]\nname = "x"\nsource = "syscalls"\ntool = "perf"', "by perf"),
        ('source = "instructions"', 'source = "wall"', "'wall' is not counted by valgrind"),
        ('tool = "valgrind"', 'file = "x"', "leave out `file`"),
        ('select = "build/app"', 'select = "../app"', "no path below the checkout"),
    ],
)
def test_what_a_counter_cannot_be_told_is_said(old: str, new: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        parse_scenario(SCENARIO.replace(old, new).encode(), where="s")


def test_a_tool_around_a_command_gets_time_and_room_and_tells_only_what_it_leaves_alone() -> None:
    recipe = RunRecipe(command=("./work",), timeout_seconds=2.0)
    valgrind = Counter(tool=CounterTool.VALGRIND, source="instructions")
    perf = Counter(tool=CounterTool.PERF, source="instructions")
    wrapped = valgrind.around(recipe)
    assert wrapped.timeout_seconds == 100.0
    assert wrapped.memory_bytes > recipe.memory_bytes
    assert wrapped.command[-1] == perf.around(recipe).command[-1] == "./work"
    metrics = [metric_of_command(source) for source in SOURCES]
    told = {metric.source: (valgrind.tells(metric), perf.tells(metric)) for metric in metrics}
    assert told == {
        "instructions": (True, True),
        "size": (True, True),
        "wall": (False, True),
        "page_faults": (False, True),
        "json": (False, True),
        "allocations": (False, False),
    }


SOURCES = ("instructions", "size", "wall", "page_faults", "json", "allocations")
