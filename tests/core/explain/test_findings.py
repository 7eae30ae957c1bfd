"""Each rule speaks where it holds, with its evidence, and stays silent where it does not."""

import pytest

from bisector.core.explain.counts import CountPair, Counts
from bisector.core.explain.difference import Difference, difference
from bisector.core.explain.findings import Finding, FindingKind, findings_of
from bisector.core.explain.stacks import Frame, Origin
from tests.core.explain.trees import capture, folded, frame, profile

Stack = tuple[tuple[str | Frame, ...], float]


def library(name: str, module: str) -> Frame:
    return Frame(name=name, module=module, origin=Origin.LIBRARY)


def changed(before: list[Stack], after: list[Stack]) -> Difference:
    return difference(profile(capture(before)), profile(capture(after)))


def counted(**calls: int) -> Counts:
    """`main=1, main_parse=20`: calls of main, and calls from main to parse, which are all calls of parse."""
    edges = {tuple(frame(part) for part in name.split("_")): n for name, n in calls.items() if "_" in name}
    plain = {frame(name.rpartition("_")[2]): n for name, n in calls.items()}
    return Counts(calls=plain, edges={(a, b): n for (a, b), n in edges.items()})


SLOWER = changed([folded("main;item;look", 1.0)], [folded("main;item;look", 4.0)])


def only(found: Difference, counts: CountPair | None = None) -> Finding | None:
    told = findings_of(found, counts)
    assert len(told) <= 1
    return told[0] if told else None


def test_the_same_call_repeated_per_item() -> None:
    counts = CountPair(before=counted(main=1, item=100, item_look=100), after=counted(main=1, item=100, item_look=900))
    told = only(SLOWER, counts)
    assert told is not None
    assert (told.kind, told.subject, told.callee) == (FindingKind.REPEATED, frame("item"), frame("look"))
    assert told.calls is not None
    assert (told.calls.before, told.calls.after) == (1, 9)
    assert told.cost is not None
    assert told.cost.delta == 3


def test_a_cache_that_stopped_hitting() -> None:
    counts = CountPair(before=counted(item=1000, item_look=20), after=counted(item=1000, item_look=1000))
    told = only(SLOWER, counts)
    assert told is not None
    assert (told.kind, told.subject, told.callee) == (FindingKind.CACHE, frame("item"), frame("look"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            counted(item=100, item_look=100), counted(item=900, item_look=900), id="the caller is called more"
        ),
        pytest.param(counted(item=100, item_look=100), counted(item=900, item_look=4000), id="the caller, above all"),
        pytest.param(counted(item=10, item_look=10), counted(item=10, item_look=55), id="too few"),
        pytest.param(counted(item=100, item_look=100), counted(item=100, item_look=250), id="not thrice"),
        pytest.param(counted(item=100, item_look=20), counted(item=100, item_look=100), id="no cache worked before"),
        pytest.param(counted(look=100, look_look=10), counted(look=100, look_look=900), id="recursion"),
    ],
)
def test_calls_that_are_no_repetition(before: Counts, after: Counts) -> None:
    assert only(SLOWER, CountPair(before=before, after=after)) is None


def test_repetition_that_costs_nothing_is_not_told() -> None:
    counts = CountPair(before=counted(item=100, item_look=100), after=counted(item=100, item_look=900))
    assert only(changed([folded("main;item;look", 1.0)], [folded("main;item;look", 1.0)]), counts) is None


def test_a_regular_expression_compiled_again_and_again() -> None:
    inside = (
        library("compile", "re/__init__.py"),
        library("_compile", "re/__init__.py"),
        library("_parse", "re/_parser.py"),
    )
    before: list[Stack] = [folded("main;parse", 5.0)]
    after: list[Stack] = [folded("main;parse", 5.0), ((frame("main"), frame("parse"), *inside), 3.0)]
    told = only(changed(before, after))
    assert told is not None
    assert (told.kind, told.subject) == (FindingKind.REGEX, frame("parse"))
    assert told.callee.module == "re/__init__.py"
    assert told.cost is not None
    assert told.cost.after == 3


def test_a_function_called_compile_elsewhere_is_no_regular_expression() -> None:
    mine = Frame(name="compile", module="re/__init__.py", origin=Origin.OWN)
    assert only(changed([folded("main", 5.0)], [folded("main", 5.0), ((frame("main"), mine), 3.0)])) is None


def test_a_new_import_and_not_what_it_imports_in_turn() -> None:
    finder = library("_find_and_load", "<frozen importlib._bootstrap>")
    heavy, inner = (Frame(name="<module>", module=f"{name}.py", origin=Origin.LIBRARY) for name in ("heavy", "inner"))
    start = Frame(name="<module>", module="app.py")
    before: list[Stack] = [((start,), 2.0)]
    after: list[Stack] = [((start,), 2.0), ((start, finder, heavy), 1.0), ((start, finder, heavy, finder, inner), 1.0)]
    told = only(changed(before, after))
    assert told is not None
    assert (told.kind, told.subject, told.callee) == (FindingKind.IMPORT, start, heavy)
    assert told.cost is not None
    assert told.cost.delta == 2


def test_an_import_that_was_there_before_is_not_new() -> None:
    start, heavy = (Frame(name="<module>", module=f"{name}.py") for name in ("app", "heavy"))
    assert only(changed([((start, heavy), 1.0)], [((start, heavy), 3.0)])) is None


def test_input_and_output() -> None:
    read = library("__libc_read", "libc.so")
    before: list[Stack] = [folded("main;load", 5.0), ((frame("main"), frame("load"), read), 0.1)]
    after: list[Stack] = [folded("main;load", 5.0), ((frame("main"), frame("load"), read), 3.0)]
    counts = CountPair(before=Counts(calls={read: 1}), after=Counts(calls={read: 900}))
    told = only(changed(before, after), counts)
    assert told is not None
    assert (told.kind, told.subject, told.callee) == (FindingKind.INPUT_OUTPUT, frame("load"), read)
    assert told.calls is not None
    assert told.calls.after == 900


@pytest.mark.parametrize("name", ["reader", "open_brace", "thread", "spread", "statistics"])
def test_names_that_only_look_like_input_and_output(name: str) -> None:
    after: list[Stack] = [folded("main", 5.0), ((frame("main"), library(name, "libc.so")), 3.0)]
    assert only(changed([folded("main", 5.0)], after)) is None


def test_equal_sides_have_no_findings() -> None:
    side: list[Stack] = [((frame("main"), library("read", "libc.so")), 3.0)]
    assert only(changed(side, side)) is None


OPEN = library("<built-in method io.open>", "<built-in>")


@pytest.mark.parametrize(
    "callee",
    [
        OPEN,
        library("<method 'read' of '_io.TextIOWrapper' objects>", "<built-in>"),
        library("<method 'execute' of 'sqlite3.Connection' objects>", "<built-in>"),
        library("open", "<built-in>"),
    ],
)
def test_input_and_output_that_no_sampling_profiler_sees_is_told_by_the_counts(callee: Frame) -> None:
    counts = CountPair(
        before=Counts(calls={frame("look"): 500}),
        after=Counts(calls={frame("look"): 500, callee: 500}, edges={(frame("look"), callee): 500}),
    )
    told = only(SLOWER, counts)
    assert told is not None
    assert (told.kind, told.subject, told.callee, told.cost) == (
        FindingKind.INPUT_OUTPUT,
        frame("look"),
        callee,
        None,
    )


@pytest.mark.parametrize("name", ["<built-in method builtins.len>", "<method 'read' of '_io.StringIO' objects>"])
def test_what_is_written_in_c_and_does_no_input_or_output(name: str) -> None:
    callee = library(name, "<built-in>")
    after = Counts(calls={frame("look"): 500, callee: 500}, edges={(frame("look"), callee): 500})
    assert only(SLOWER, CountPair(before=Counts(calls={frame("look"): 500}), after=after)) is None


def test_input_and_output_of_what_got_no_dearer_is_not_told() -> None:
    after = Counts(calls={frame("item"): 500, OPEN: 500}, edges={(frame("item"), OPEN): 500})
    assert only(SLOWER, CountPair(before=Counts(calls={frame("item"): 500}), after=after)) is None


def test_calls_in_a_comprehension_are_those_of_its_function() -> None:
    part = frame("item.<locals>.<listcomp>")
    after = Counts(
        calls={frame("item"): 100, part: 100, frame("look"): 900},
        edges={(frame("item"), part): 100, (part, frame("look")): 900},
    )
    told = only(SLOWER, CountPair(before=counted(main=1, item=100, item_look=100), after=after))
    assert told is not None
    assert (told.subject, told.callee) == (frame("item"), frame("look"))


def test_what_a_library_calls_of_itself_is_no_finding() -> None:
    one, other = library("_compile", "re/__init__.py"), library("and_", "enum.py")
    before = Counts(calls={one: 100, other: 100}, edges={(one, other): 100})
    after = Counts(calls={one: 100, other: 900}, edges={(one, other): 900})
    found = changed([((frame("main"), one, other), 1.0)], [((frame("main"), one, other), 4.0)])
    assert FindingKind.REPEATED not in {each.kind for each in findings_of(found, CountPair(before=before, after=after))}


def test_a_module_that_the_counts_saw_before_is_not_newly_imported() -> None:
    start, quick = (Frame(name="<module>", module=f"{name}.py") for name in ("app", "quick"))
    found = changed([((start,), 2.0)], [((start,), 2.0), ((start, quick), 1.0)])
    assert [each.kind for each in findings_of(found)] == [FindingKind.IMPORT]
    both = Counts(calls={start: 1, quick: 1})
    assert findings_of(found, CountPair(before=both, after=both)) == ()


def test_what_a_new_import_compiles_is_a_part_of_it() -> None:
    start, heavy = Frame(name="<module>", module="app.py"), library("<module>", "heavy.py")
    compiling = library("compile", "re/__init__.py")
    found = changed([((start,), 2.0)], [((start,), 2.0), ((start, heavy, compiling), 1.0)])
    assert [each.kind for each in findings_of(found)] == [FindingKind.IMPORT]
