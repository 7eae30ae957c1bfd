"""Plots: well-formed, within their frame, legible without colour, for any size of history and any values."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.request import Budget
from bisector.report.document import Side
from bisector.report.numbers import Gauge
from bisector.report.plots import Figure, figures, standalone
from bisector.report.plots.marks import MOST_MARKS, shape, thinned
from bisector.report.plots.scales import NARROW, WIDE, LineScale, ValueScale
from bisector.report.plots.svg import element, words
from tests.report import worlds
from tests.report.checks import svg_problems
from tests.report.test_rows import ODD_VALUES
from tests.report.worlds import HUGE, finished, report

KINDS = worlds.by_verdict()
SVG = "{http://www.w3.org/2000/svg}"
COORDINATE = re.compile(r"M(-?[\d.]+) (-?[\d.]+)")


def frame_problems(svg: str) -> list[str]:
    """What of a plot lies outside its frame."""
    tree = ElementTree.fromstring(svg)
    width, height = (float(part) for part in tree.attrib["viewBox"].split()[2:])
    problems = []
    groups = {child for group in tree.iter(f"{SVG}g") for child in group.iter()}
    for node in tree.iter():
        if node in groups or node.tag == f"{SVG}defs":
            continue
        x, y = (float(node.attrib.get(name, 0)) for name in ("x", "y"))
        right, bottom = x + float(node.attrib.get("width", 0)), y + float(node.attrib.get("height", 0))
        if node.tag in {f"{SVG}rect", f"{SVG}text"} and not (x >= -0.5 and y >= -0.5 and right <= width + 0.5):
            problems.append(f"{node.tag} at {x}, {y} to {right}")
        if node.tag == f"{SVG}rect" and bottom > height + 0.5:
            problems.append(f"{node.tag} down to {bottom}")
        if node.tag == f"{SVG}path":
            starts = [(float(a), float(b)) for a, b in COORDINATE.findall(node.attrib["d"])]
            problems += [
                f"path at {p}" for p in starts if not (-0.5 <= p[0] <= width + 0.5 and -0.5 <= p[1] <= height + 0.5)
            ]
    return problems


def all_problems(plots: tuple[Figure, ...]) -> list[str]:
    """Everything that is wrong with any variant of any plot."""
    found = []
    for plot in plots:
        for text in (plot.wide, plot.narrow, standalone(plot)):
            found += [f"{plot.identifier}: {problem}" for problem in (*svg_problems(text), *frame_problems(text))]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job(kind: str) -> None:
    assert all_problems(figures(report(KINDS[kind]))) == []


def test_what_is_drawn() -> None:
    names = {kind: [plot.identifier for plot in figures(report(KINDS[kind]))] for kind in KINDS}
    assert names["culprit"] == ["runs-main", "chances-main", "runs-inner", "chances-inner", "order", "ends"]
    assert names["worse"] == ["order", "ends"]
    assert names["failed"] == []


def test_every_stage_of_a_job() -> None:
    for state, investigation in worlds.stages():
        assert all_problems(figures(report(investigation, state))) == []


@pytest.mark.parametrize("case", ODD_VALUES)
def test_odd_values(case: str) -> None:
    plots = figures(report(worlds.with_values(ODD_VALUES[case]), "running"))
    assert len(plots) == 4
    assert all_problems(plots) == []


@pytest.mark.parametrize("candidates", [1, 2, 160, 161, 100_000])
def test_any_size_of_history(candidates: int) -> None:
    world = HUGE if candidates == HUGE.candidates else World(candidates=candidates, culprit=max(candidates // 2, 1))
    investigation = finished(world)
    plots = figures(report(investigation))
    assert all_problems(plots) == []
    assert sum(len(plot.wide) + len(plot.narrow) for plot in plots) < 120_000


def test_a_long_line_is_not_drawn_to_scale_and_says_so() -> None:
    (along, *_) = figures(report(finished(HUGE)))
    assert "Not to scale" in along.caption
    assert "commits, not tested" in along.wide


def test_every_run_is_drawn_and_named() -> None:
    told = report(KINDS["culprit"])
    along, order = (plot for plot in figures(told) if plot.identifier in {"runs-main", "order"})
    assert along.wide.count('class="run ') - len({point.side for point in told.lines[0].points}) == len(
        told.lines[0].points
    )
    assert order.wide.count('class="run ') == len(told.lines[0].points)
    assert "main 40: 1.0" in along.wide


def test_many_runs_are_thinned_and_say_so() -> None:
    done = finished(worlds.STEADY)
    many = replace(done, samples=done.samples * 400)
    (along, *_) = figures(report(many))
    assert along.wide.count("m-3.4 0a") + along.wide.count("m0-") <= MOST_MARKS + 3
    assert "runs are drawn, evenly chosen" in along.caption
    assert len(along.wide) < 100_000


def test_sides_differ_in_shape_and_levels_in_dash() -> None:
    assert len({shape(side, 3) for side in Side}) == 3
    assert all(shape(side, 3).startswith("m") for side in Side)
    assert "stroke-dasharray" in standalone(figures(report(KINDS["culprit"]))[0])


def test_untestable_commits_and_the_culprit_are_marked() -> None:
    (along, *_) = figures(report(KINDS["culprit"]))
    assert along.wide.count("url(#hatch-main-wide)") == 2 + 1
    assert "culprit 40" in along.wide
    (along, *_) = figures(report(KINDS["culprit_set untestable"]))
    assert 'class="band"' in along.wide


def test_plots_have_words_for_those_who_listen() -> None:
    for plot in figures(report(KINDS["culprit"])):
        tree = ElementTree.fromstring(plot.wide)
        names = tree.attrib["aria-labelledby"].split()
        found = {node.attrib.get("id"): node.text for node in tree.iter()}
        assert tree.attrib["role"] == "img"
        assert [found[name] for name in names] == [plot.title, plot.caption]


def test_text_and_attributes_are_escaped() -> None:
    drawn = element("text", words("<b>&\x1b"), class_="\"'><x", stroke_width=1.25, x=None)
    assert drawn == '<text class="&quot;&#x27;&gt;&lt;x" stroke-width="1.2">&lt;b&gt;&amp;\\x1b</text>'


def test_thinning_keeps_the_first_and_spreads() -> None:
    assert thinned(range(10), 3) == [0, 3, 6]
    assert thinned(range(3), 3) == range(3)


@settings(max_examples=200)
@example([1e-300, 1e300])
@example([-1e300, 1e300])
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=8))
def test_every_value_lies_on_its_scale(values: list[float]) -> None:
    scale = ValueScale.of(values, 300, 20)
    places = [scale.at(value) for value in values]
    assert all(19.9 <= place <= 300.1 for place in places)
    assert [place for _, place in sorted(zip(values, places, strict=True))] == sorted(places, reverse=True)
    ticks = scale.ticks(Gauge.of(values, "s"))
    assert 1 <= len(ticks) <= 14


def test_a_scale_is_logarithmic_where_values_lie_far_apart() -> None:
    assert ValueScale.of([1.0, 1000.0], 0, 1).logarithmic
    assert not ValueScale.of([1.0, 1.1], 0, 1).logarithmic
    assert not ValueScale.of([-1.0, 1000.0], 0, 1).logarithmic


@settings(max_examples=20, deadline=None)
@given(candidates=st.integers(1, 500), runs=st.integers(8, 60), wide=st.booleans())
def test_slots_keep_the_order_of_history(candidates: int, runs: int, wide: bool) -> None:
    world = World(candidates=candidates, culprit=candidates // 2, seed=candidates)
    line = report(finished(world, Budget(runs=runs))).lines[0]
    scale = LineScale.of(line, WIDE if wide else NARROW)
    places = [scale.at(row.first) for row in line.rows]
    assert places == sorted(places)
    ticks = scale.ticks((line.low, line.high))
    assert len(set(ticks)) == len(ticks)
    assert ticks == sorted(ticks)


def test_the_frame_check_sees_what_leaves_the_frame() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect x="5" y="5" width="9" height="1"/></svg>'
    assert frame_problems(svg) != []
