"""Suspects, findings and flame graph as a section of the report and as documents of their own."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings

from bisector.core.explain.changes import Touched, TouchedFunction
from bisector.core.explain.counts import CountPair, Counts
from bisector.core.explain.difference import Basis, difference
from bisector.core.explain.findings import findings_of
from bisector.core.explain.stacks import Capture, Frame, Origin, Unit
from bisector.core.explain.suspects import suspects_of
from bisector.core.model.history import main
from bisector.report import flamegraph
from bisector.report.explanation import Explanation
from bisector.report.flamegraph.drawn import data_of
from bisector.report.html import POLICY, render_html
from bisector.report.markdown import render_markdown
from bisector.report.phrase import Phrase, quote
from bisector.report.suspects import alone
from bisector.report.suspects.part import Why, finding_phrases, suspect_parts
from bisector.report.suspects.section import html_of, section_of, sections_of, why_of
from bisector.report.terminal import render_terminal
from tests.core.explain.trees import capture, folded, frame, profile, sampled
from tests.report import worlds
from tests.report.checks import hidden_characters, markdown_problems, page_problems
from tests.report.strangers import MARK, SNIPPETS, TEXTS
from tests.report.worlds import report

KINDS = worlds.by_verdict()
Golden = Callable[[str, str], None]
COMPILE = Frame(name="compile", module="re/__init__.py", origin=Origin.LIBRARY)
CHANGED = Touched(
    functions=(
        TouchedFunction(
            path="src/project.py",
            name="normalise",
            line=12,
            last=20,
            lines=((14, "-    x"), (14, "+    re.compile(x)")),
        ),
    )
)


def explained(before: list[Capture], after: list[Capture], **known: Touched | CountPair | None) -> Explanation:
    sides = profile(*before, label="before"), profile(*after, label="after")
    found = difference(*sides)
    touched, counts = known.get("touched"), known.get("counts")
    assert not isinstance(touched, CountPair)
    assert not isinstance(counts, Touched)
    return Explanation(
        old=main(1),
        new=main(2),
        method=Phrase("py-spy, 1 capture a side"),
        before=sides[0],
        after=sides[1],
        difference=found,
        suspects=suspects_of(found, touched, counts),
        findings=findings_of(found, counts),
        counts=counts,
        touched=touched,
    )


def slower() -> Explanation:
    """`normalise`, touched by the culprit, compiles a regular expression each time; `emit` is called twice as often."""
    before = capture([folded("main;parse;normalise", 1.0), folded("main;emit", 2.0)])
    inside = (frame("main"), frame("parse"), frame("normalise"), COMPILE)
    after = capture([folded("main;parse;normalise", 1.0), (inside, 3.0), folded("main;emit", 3.0)])
    counts = CountPair(
        before=Counts(calls={frame("emit"): 20, COMPILE: 1, frame("normalise"): 900}),
        after=Counts(calls={frame("emit"): 40_000, COMPILE: 900, frame("normalise"): 900}),
    )
    return explained([sampled(before, 300)], [sampled(after, 700)], touched=CHANGED, counts=counts)


def why(explanation: Explanation) -> Why:
    found = why_of(explanation)
    assert found is not None
    return found


def test_documents(golden: Golden) -> None:
    told = why(slower())
    golden("why.txt", alone.text_of(told))
    golden("why.md", alone.markdown_of(told))
    golden("why.json", alone.json_of(told))
    golden("why.html", html_of(told))
    golden("why.svg", flamegraph.still(told.found))


def test_suspects_hold_what_is_known() -> None:
    normalise, emit = suspect_parts(why(slower()))
    assert (normalise.function, normalise.place, normalise.touched) == ("normalise", "src/project.py:12", True)
    assert normalise.share == 0.75
    assert normalise.cost == "1.00 s → 4.00 s"
    assert normalise.lines == ((14, "- x"), (14, "+ re.compile(x)"))
    assert "changed here" in normalise.what
    assert (emit.touched, emit.line) == (False, None)
    assert "called 40,000 × instead of 20 ×" in emit.what


def test_findings_are_sentences() -> None:
    (finding,) = finding_phrases(why(slower()))
    assert "compiles regular expressions for 3.00 s instead of 0 s, called 900 × instead of 1 ×" in finding


def test_equal_sides_are_said_to_be_equal() -> None:
    side = [sampled(capture([folded("main;a", 3.0)]), 300)]
    told = why(explained(side, side))
    assert told.suspects == ()
    assert told.findings == ()
    drawn = data_of(told.found, told.shares)
    assert [drawn[name] for name in ("signal", "own_signal", "signal_share", "own_signal_share")] == [[]] * 4
    assert not drawn["total_signal"]
    assert "do not differ by more than noise" in alone.text_of(told)
    assert "|" not in alone.markdown_of(told)
    assert json.loads(alone.json_of(told))["differs"] is False


def test_what_the_profiler_could_not_see_is_said() -> None:
    unknown = Frame(name="[unknown]", module="libx.so", origin=Origin.UNKNOWN)
    seen = replace(capture([((frame("main"), unknown), 3.0), ((frame("main"),), 1.0)]), lost=7, cut=2)
    nothing = capture([])
    told = alone.text_of(why(replace(explained([nothing], [seen]), problems=("perf could not be used: no right",))))
    for text in (
        "7 samples could not be used",
        "2 stacks was too deep",
        "75.0 % of its cost",
        "took no samples",
        "no right",
    ):
        assert text in told.replace("\n  ", " ")


@pytest.mark.parametrize(("largest", "said"), [(1.9, False), (10.0, True)])
def test_captures_of_one_side_that_disagree_are_told(largest: float, said: bool) -> None:
    steady, uneven = ([capture([folded("main;a", cost)]) for cost in costs] for costs in ((1.0, 1.1), (1.0, largest)))
    told = alone.text_of(why(explained(steady, uneven))).replace("\n  ", " ")
    assert ("after: its 2 captures disagree, 1.00 s to 10.0 s a run" in told) is said
    assert "before: its" not in told


def test_a_report_with_profiles_runs_our_script_and_no_other() -> None:
    told = replace(report(KINDS["culprit"]), sections=sections_of([slower()]))
    page = render_html(told)
    assert f"{POLICY}; script-src {flamegraph.script_source()}".replace("'", "&#39;") in page
    assert page.count("<script>") == 1
    assert "runs nothing but its flame graphs" in page
    bare = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    allowed = {f"attribute {name}" for name in ("font-family", "font-size", "stroke")}
    assert set(page_problems(bare)) - allowed == set()
    assert "| 75.0 % | `normalise`" in render_markdown(told)
    assert "normalise (src/project.py:12): 1.00 s → 4.00 s" in render_terminal(told)


def test_a_report_without_profiles_runs_nothing() -> None:
    page = render_html(report(KINDS["culprit"]))
    assert "<script" not in page
    assert "script-src" not in page


def test_a_job_that_could_not_be_profiled_says_why() -> None:
    nothing = Explanation(old=main(1), new=main(2), method=Phrase(""), problems=("there is no profile: <b>x</b>",))
    (section,) = sections_of([nothing])
    assert "&lt;b&gt;" in section.html
    assert "there is no profile" in " ".join(each.text for each in section.text)
    assert section.flamegraph is False
    assert sections_of([replace(nothing, problems=())]) == ()


def test_each_pair_of_commits_has_a_section_of_its_own() -> None:
    told = sections_of([slower(), slower()], ["5d10d6961a", "ee47586ea0"])
    assert [each.identifier for each in told] == ["why-1", "why-2"]
    assert [each.title for each in told] == ["Why 5d10d6961a is slower", "Why ee47586ea0 is slower"]


def test_a_title_says_what_is_shown() -> None:
    """Faster is not called slower, and of equal sides nothing is explained."""
    little, much = ([sampled(capture([folded("main;a", cost)]), 300)] for cost in (3.0, 9.0))
    titles = [sections_of([explained(*sides)])[0].title for sides in ((little, much), (much, little), (much, much))]
    assert titles == ["Why it is slower", "Why it is faster", "Profiles"]


@settings(max_examples=40, deadline=None)
@given(TEXTS)
@example(MARK + "".join(SNIPPETS))
@example(MARK + "`|\\|" * 30)
def test_strangers_do_no_harm(text: str) -> None:
    hostile = Frame(name=text, module=text, file=text)
    function = TouchedFunction(path=text, name=text, line=1, last=2, lines=((1, f"+{text}"),))
    explanation = explained(
        [capture([((hostile,), 1.0)])], [capture([((hostile, hostile), 3.0)])], touched=Touched(functions=(function,))
    )
    told = replace(
        why(replace(explanation, method=Phrase(quote(text)), problems=(text,))), before=profile(capture([]), label=text)
    )
    assert markdown_problems(alone.markdown_of(told), MARK) == []
    assert hidden_characters(alone.text_of(told)) == set()
    section = section_of(told)
    bare = re.sub(r"<script.*?</script>", "", section.html, flags=re.DOTALL)
    allowed = {f"attribute {name}" for name in ("font-family", "font-size", "stroke")}
    assert set(page_problems(bare)) - allowed == set()
    assert hidden_characters(json.dumps(json.loads(alone.json_of(told)), ensure_ascii=False)) == set()


@pytest.mark.parametrize("basis", list(Basis))
def test_a_page_of_its_own(basis: Basis) -> None:
    told = why(slower())
    told = replace(told, found=difference(told.before, told.after, basis))
    page = alone.page_of(told)
    assert "before and after: what differs" in page
    assert ('"basis":"share"' in page) is (basis is Basis.SHARE)


def test_of_memory_nothing_is_said_to_cost_or_to_be_slow() -> None:
    told = slower()
    assert told.before is not None
    assert told.after is not None
    sides = [[replace(each, unit=Unit.BYTES) for each in side.captures] for side in (told.before, told.after)]
    held = why(explained(*sides, touched=CHANGED, counts=told.counts))
    written = [html_of(held), alone.markdown_of(held), alone.text_of(held), flamegraph.still(held.found)]
    for text in written:
        assert not re.search(r"\bcosts?\b|slower|spen[dt]", text, re.IGNORECASE)
    assert "holds more, or new" in written[-1]
