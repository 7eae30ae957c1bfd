"""The function that explains the growth comes first, whatever shape the growth has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.explain.answering import answerable
from bisector.core.explain.changes import Touched, TouchedFunction
from bisector.core.explain.counts import CallChange, CountPair, Counts, Manner
from bisector.core.explain.difference import Difference, difference
from bisector.core.explain.spread import Estimate
from bisector.core.explain.stacks import Frame, Origin
from bisector.core.explain.suspects import Relation, suspects_of
from tests.core.explain.trees import STACKS, Weighted, capture, folded, frame, profile

COMPILE = Frame(name="compile", module="re/__init__.py", origin=Origin.LIBRARY)
PARSE_RE = Frame(name="_parse", module="re/_parser.py", origin=Origin.LIBRARY)


def touched(*names: str) -> Touched:
    """The culprit touches these functions of the project."""
    return Touched(
        functions=tuple(TouchedFunction(path="src/project.py", name=name, line=7, last=9, lines=()) for name in names)
    )


def changed(before: Weighted, after: Weighted) -> Difference:
    return difference(profile(capture(before)), profile(capture(after)))


def names(found: Difference, *touching: str) -> list[str]:
    return [each.function.frame.name for each in suspects_of(found, touched(*touching) if touching else None)]


CASES: dict[str, tuple[list[str], list[str], str, str]] = {
    "a deeper call": (["main;parse 4"], ["main;parse;normalise 3", "main;parse 4"], "normalise", "normalise"),
    "a slower leaf": (["main;parse;f 4"], ["main;parse;f 6"], "f", "f"),
    "a new caller": (["main;a;g 4"], ["main;a;g 4", "main;h;g 3"], "h", "h"),
    "more calls of what is not touched": (["main;a;g 4"], ["main;a;g 8"], "a", "a"),
    "recursion": (["main;f;f;f 2"], ["main;f;f;f 3", "main;f;f;f;f 2"], "f", "f"),
    "main touched as well": (["main;a;g 4"], ["main;a;g 8"], "main a", "a"),
    "a callee touched as well": (["main;a;g 4"], ["main;a;g 8"], "a g", "g"),
}  # fmt: skip


def parsed(lines: list[str]) -> Weighted:
    return [folded(line.rpartition(" ")[0], float(line.rpartition(" ")[2])) for line in lines]


@pytest.mark.parametrize("case", CASES)
def test_the_deepest_touched_function_answers(case: str) -> None:
    before, after, touching, guilty = CASES[case]
    suspects = suspects_of(changed(parsed(before), parsed(after)), touched(*touching.split()))
    assert suspects[0].function.frame.name == guilty
    assert suspects[0].share == pytest.approx(1)
    assert suspects[0].relation is Relation.TOUCHED
    assert suspects[0].line == 7


def test_a_library_is_answered_for_by_its_caller() -> None:
    before = capture([folded("main;parse", 4.0)])
    after = capture([folded("main;parse", 4.0), ((frame("main"), frame("parse"), COMPILE, PARSE_RE), 3.0)])
    suspect = suspects_of(difference(profile(before), profile(after)))[0]
    assert suspect.function.frame == frame("parse")
    assert suspect.through == PARSE_RE
    assert suspect.relation is None


def test_a_library_answers_where_nobody_else_can() -> None:
    found = difference(profile(capture([((COMPILE,), 1.0)])), profile(capture([((COMPILE, PARSE_RE), 3.0)])))
    assert [each.function.frame for each in suspects_of(found)] == [PARSE_RE]


def test_shares_are_of_the_slowdown_and_callers_are_folded() -> None:
    found = changed(parsed(["main;a 1", "main;b 1"]), parsed(["main;a 7", "main;b 4", "main 1"]))
    suspects = suspects_of(found)
    assert [(each.function.frame.name, each.share) for each in suspects] == [("a", 0.6), ("b", 0.3), ("main", 0.1)]


def test_what_became_quicker_does_not_blow_shares_up() -> None:
    """Code that moved from one function to another: the new one is no six times of the slowdown."""
    suspects = suspects_of(changed(parsed(["main;old 5"]), parsed(["main;new 6"])))
    assert [(each.function.frame.name, each.share) for each in suspects] == [("new", 1.0)]


def test_what_the_culprit_has_to_do_with_a_suspect() -> None:
    before = parsed(["main;a 1", "main;b;t 1", "main;c 1"])
    after = parsed(["main;a 5", "main;b;t 1", "main;b 3", "main;c 1"])
    suspects = suspects_of(changed(before, after), touched("t"))
    relations = {each.function.frame.name: each.relation for each in suspects}
    assert relations == {"a": Relation.UNTOUCHED, "b": Relation.CALLS_TOUCHED}


def test_equal_sides_have_no_suspects() -> None:
    assert names(changed(parsed(["main;a 3"]), parsed(["main;a 3"]))) == []


def test_a_faster_side_has_no_suspects() -> None:
    assert names(changed(parsed(["main;a 3"]), parsed(["main;a 1"]))) == []


@given(STACKS, STACKS, st.sets(st.sampled_from("abcde")))
def test_all_growth_is_answered_for_once(before: Weighted, after: Weighted, touching: set[str]) -> None:
    found = changed(before, after)
    mask = np.array([each.name in touching for each in found.frames])
    groups = answerable(found, mask)
    assert float(found.grouped(groups, len(found.frames)).delta.sum()) == found.total.delta
    assert sum(each.share for each in suspects_of(found, touched(*touching))) <= 1 + 1e-9


@given(STACKS, st.sets(st.sampled_from("abcde")))
def test_who_answers_is_the_deepest_touched_of_the_stack(weighted: Weighted, touching: set[str]) -> None:
    found = changed(weighted, weighted)
    groups = answerable(found, np.array([each.name in touching for each in found.frames]))
    for node in range(found.tree.size):
        stack, at = [], node
        while at >= 0:
            stack.append(found.frames[found.tree.frame[at]].name)
            at = int(found.tree.parent[at])
        expected = next((name for name in stack if name in touching), stack[0])
        assert found.frames[groups[node]].name == expected


def counted(calls: dict[str, int], edges: dict[tuple[str, str], int], work: float = 1.0) -> Counts:
    return Counts(
        calls={frame(name): count for name, count in calls.items()},
        edges={(frame(a), frame(b)): count for (a, b), count in edges.items()},
        work=work,
    )


def test_counts_tell_called_more_often_from_slower_per_call() -> None:
    found = changed(parsed(["main;a 2", "main;b 2", "main;c 2"]), parsed(["main;a 6", "main;b 5", "main;c 6"]))
    counts = CountPair(
        before=counted({"a": 10, "b": 10, "c": 10}, {("main", "a"): 10}),
        after=counted({"a": 30, "b": 10, "c": 17}, {("main", "a"): 25, ("b", "a"): 5}),
    )
    suspects = {each.function.frame.name: each for each in suspects_of(found, None, counts)}
    assert suspects["a"].manner is Manner.MORE_CALLS
    assert suspects["a"].called_by == frame("main")
    assert suspects["b"].manner is Manner.SLOWER_CALLS
    assert suspects["b"].called_by is None
    assert suspects["c"].manner is Manner.BOTH
    assert suspects["a"].calls is not None
    assert suspects["a"].calls.ratio == 3


@given(*[st.floats(min_value=0.01, max_value=1e6)] * 4)
def test_the_two_parts_of_a_growth_add_up(calls1: float, calls2: float, each1: float, each2: float) -> None:
    cost = Estimate(before=calls1 * each1, after=calls2 * each2, low=None, high=None, noise=False)
    by_calls = CallChange(before=calls1, after=calls2).by_calls(cost)
    by_cost = (calls1 + calls2) / 2 * (each2 - each1)
    assert by_calls + by_cost == pytest.approx(cost.delta, rel=1e-6, abs=1e-6 * (cost.before + cost.after))


def test_a_function_that_calls_itself_is_not_who_calls_it_more() -> None:
    found = changed(parsed(["main;a 2"]), parsed(["main;a;a 6"]))
    counts = CountPair(
        before=counted({"a": 10}, {("main", "a"): 10}),
        after=counted({"a": 90}, {("main", "a"): 30, ("a", "a"): 60}),
    )
    assert suspects_of(found, None, counts)[0].called_by == frame("main")


def test_counts_are_per_unit_of_work() -> None:
    counts = counted({"a": 10}, {("main", "a"): 5}, work=5)
    assert (counts.calls_of(frame("a")), counts.from_to(frame("main"), frame("a"))) == (2, 1)


def test_a_counting_tool_may_know_only_bare_names() -> None:
    counts = counted({"work": 10, "other": 3}, {})
    assert counts.calls_of(frame("Box.work")) == 10
    assert counts.calls_of(Frame(name="Box.work", module="elsewhere.py")) == 0
    ambiguous = counted({"A.work": 1, "B.work": 2}, {})
    assert ambiguous.calls_of(frame("work")) == 0


def test_what_was_never_called_before_grew_by_its_calls() -> None:
    cost = Estimate(before=0, after=3, low=None, high=None, noise=False)
    assert CallChange(before=0, after=7).manner(cost) is Manner.MORE_CALLS
    assert CallChange(before=0, after=7).ratio is None


def more_calls(touching: str, *, callers: tuple[int, int] = (10, 10)) -> list[str]:
    """`leaf` is called 80 times instead of 10, all by `render`, and costs no more each time."""
    found = changed(parsed(["main;render;leaf 1", "main;other 3"]), parsed(["main;render;leaf 8", "main;other 3"]))
    before, after = callers
    edges = {("main", "render"): before, ("render", "leaf"): 10}
    counts = CountPair(
        before=counted({"main": 1, "render": before, "leaf": 10}, edges),
        after=counted(
            {"main": 1, "render": after, "leaf": 80}, {**edges, ("main", "render"): after, ("render", "leaf"): 80}
        ),
    )
    return [each.function.frame.name for each in suspects_of(found, touched(*touching.split()), counts)]


def test_what_is_only_called_more_often_by_what_is_touched_too_is_absolved() -> None:
    assert more_calls("render leaf") == ["render"]
    assert more_calls("main render leaf") == ["render"]
    assert more_calls("main render leaf", callers=(10, 80)) == ["main"]


def test_what_is_called_more_often_by_what_is_not_touched_stays_the_suspect() -> None:
    assert more_calls("leaf") == ["leaf"]
    assert more_calls("main leaf", callers=(10, 80)) == ["leaf"]


@pytest.mark.parametrize(
    ("others", "prime"), [(0, "render"), (5, "render"), (200, "leaf")], ids=["all", "most", "not most"]
)
def test_a_touched_caller_answers_even_where_stacks_were_cut_short(others: int, prime: str) -> None:
    found = changed(parsed(["leaf 1", "render 1", "other 3"]), parsed(["leaf 5", "render 1", "other 3"]))
    edges = {("render", "leaf"): 10, ("other", "leaf"): 10}
    more = {("render", "leaf"): 80, ("other", "leaf"): 10 + others}
    counts = CountPair(
        before=counted({"render": 1, "other": 1, "leaf": 20}, edges),
        after=counted({"render": 1, "other": 1, "leaf": 90 + others}, more),
    )
    suspect = suspects_of(found, touched("render"), counts)[0]
    assert suspect.function.frame == frame(prime)
    assert suspects_of(found, touched("render"))[0].function.frame == frame("leaf")


def test_a_new_function_is_not_only_called_more_often() -> None:
    found = changed(parsed(["main;save 4"]), parsed(["main;save 4", "main;save;audit;digest 5"]))
    counts = CountPair(
        before=counted({"main": 1, "save": 9}, {("main", "save"): 9}),
        after=counted(
            {"main": 1, "save": 9, "audit": 9, "digest": 90},
            {("main", "save"): 9, ("save", "audit"): 9, ("audit", "digest"): 90},
        ),
    )
    suspects = suspects_of(found, touched("main", "save", "audit"), counts)
    assert [each.function.frame.name for each in suspects] == ["audit"]
    assert suspects_of(found, touched("save", "digest"), counts)[0].function.frame == frame("digest")


def test_where_the_time_is_spent_stands_beside_the_caller_that_answers() -> None:
    found = changed(parsed(["main;render;leaf 1"]), parsed(["main;render;leaf 8"]))
    (suspect,) = suspects_of(found, touched("render"))
    assert (suspect.function.frame, suspect.through) == (frame("render"), frame("leaf"))


@pytest.mark.parametrize("part", ["f.<locals>.<genexpr>", "f.<locals>.<listcomp>", "f.<lambda>", "<genexpr>"])
def test_a_part_of_a_function_answers_with_it(part: str) -> None:
    before, after = [folded("main;f", 1.0)], [folded("main;f", 2.0), (("main", "f", part), 3.0)]
    for touching in (None, touched("f")):
        (suspect,) = suspects_of(changed(before, after), touching)
        assert (suspect.function.frame, suspect.share, suspect.through) == (frame("f"), 1.0, None)


def test_a_part_whose_function_was_never_seen_answers_for_itself() -> None:
    found = changed([folded("main", 1.0)], [folded("main", 1.0), (("main", "f.<locals>.<genexpr>"), 3.0)])
    assert names(found) == ["f.<locals>.<genexpr>"]


def test_the_top_level_that_everything_runs_under_answers_for_its_own_lines_only() -> None:
    """Every new import touches it."""
    before, after = parsed(["<module>;main;f 4", "<module> 1"]), parsed(["<module>;main;f 8", "<module> 3"])
    assert names(changed(before, after), "<module>") == ["f", "<module>"]
    assert names(changed(before, after), "<module>", "main") == ["main", "<module>"]
    imported = capture([*before, ((frame("<module>"), frame("main"), Frame(name="<module>", module="src/a.py")), 5.0)])
    table = Touched(functions=(TouchedFunction(path="src/a.py", name="<module>", line=0, last=0, lines=()),))
    found = difference(profile(capture(before)), profile(imported))
    assert suspects_of(found, table)[0].function.frame.module == "src/a.py"


def test_what_a_process_does_outside_of_any_function_is_no_prime_suspect() -> None:
    process = Frame(name='process "python3 run.py"', origin=Origin.LIBRARY)
    before = capture([((process,), 1.0), ((process, frame("f")), 1.0)])
    after = capture([((process,), 9.0), ((process, frame("f")), 3.0)])
    suspects = suspects_of(difference(profile(before), profile(after)))
    assert [each.function.frame.name for each in suspects] == ["f", process.name]
    assert suspects[0].share == pytest.approx(0.2)


def test_callers_are_followed_through_functions_that_no_sample_shows() -> None:
    unknown, free = Frame(name="[unknown]", module="libc.so"), Frame(name="free", module="libc.so")
    found = difference(
        profile(capture([((unknown,), 1.0), ((frame("execute"),), 1.0)])),
        profile(capture([((unknown,), 8.0), ((frame("execute"),), 1.0)])),
    )

    def counts(times: int) -> Counts:
        edges = {(frame("execute"), frame("release")): times, (frame("release"), free): times, (free, unknown): times}
        return Counts(calls={frame("execute"): 1, frame("release"): times, free: times, unknown: times}, edges=edges)

    suspects = suspects_of(found, touched("execute"), CountPair(before=counts(10), after=counts(80)))
    assert [each.function.frame for each in suspects] == [frame("execute")]
    assert suspects[0].through == unknown
