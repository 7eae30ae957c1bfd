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
