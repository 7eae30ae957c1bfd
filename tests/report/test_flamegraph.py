"""What a flame graph draws: every cost once, nobody's text as anything but text, and small enough to attach."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bisector.core.explain.difference import Basis, Difference, difference
from bisector.core.explain.stacks import Frame
from bisector.report import flamegraph
from bisector.report.flamegraph.drawn import data_of, drawn, encoded
from tests.core.explain.trees import STACKS, Weighted, capture, folded, profile, sampled
from tests.report.checks import hidden_characters, page_problems, svg_problems
from tests.report.strangers import MARK, SNIPPETS, TEXTS

FONTS_AND_LINES = {f"attribute {name}" for name in ("font-family", "font-size", "stroke")}
"""Attributes of the still picture that plots leave to their style sheet."""


def picture_problems(text: str) -> set[str]:
    return set(svg_problems(text)) - FONTS_AND_LINES


def compared(before: Weighted, after: Weighted) -> Difference:
    return difference(profile(capture(before), label="good"), profile(capture(after), label="bad"))


SLOWER = compared(
    [folded("main;parse;step", 3.0), folded("main;emit", 2.0), folded("main;old", 1.0)],
    [folded("main;parse;step", 3.0), folded("main;parse;normalise", 4.0), folded("main;emit", 1.0)],
)


@given(STACKS, STACKS, st.integers(min_value=1, max_value=40))
def test_what_is_left_out_is_counted_to_its_callers(before: Weighted, after: Weighted, most: int) -> None:
    found = compared(before, after)
    graph = drawn(found, most)
    assert graph.place.size <= most
    assert (graph.parent < np.arange(graph.place.size)).all()
    roots = graph.parent < 0
    assert (found.tree.parent[graph.place[roots]] < 0).all()
    kept = found.nodes.before[graph.place[roots]].sum()
    assert graph.before.sum() == pytest.approx(kept)
    size = np.maximum(found.nodes.before, found.nodes.after)
    assert graph.left_out + graph.place.size == int((size > 0).sum())
    if graph.left_out:
        assert size[graph.place].min() >= np.delete(size, graph.place).max()
    else:
        assert graph.after.sum() == pytest.approx(found.total.after)


def test_costs_are_written_finely_enough() -> None:
    data = data_of(SLOWER, None)
    assert sum(data["after_costs"]) * data["scale"] == pytest.approx(SLOWER.total.after, rel=1e-6)
    assert sum(data["before_costs"]) * data["scale"] == pytest.approx(SLOWER.total.before, rel=1e-6)


def test_equal_sides_are_not_coloured() -> None:
    side = profile(sampled(capture([folded("main;a", 3.0), folded("main;b", 1.0)]), 400))
    data = data_of(difference(side, side), difference(side, side, Basis.SHARE))
    assert [data[key] for key in ("signal", "own_signal", "signal_share", "own_signal_share")] == [[], [], [], []]
    assert data["total_signal"] is False
    picture = flamegraph.still(difference(side, side))
    assert picture.count("#b2182b") == picture.count("#2166ac") == 1, "only the legend has colours"


def test_noise_is_not_coloured() -> None:
    one, other = (profile(sampled(capture([folded("main;a", a), folded("main;b", 4.0 - a)]), 400)) for a in (2.0, 2.04))
    picture = flamegraph.still(difference(one, other))
    assert "within noise" in picture
    assert picture.count('"#dee0e4"') == 4, "three calls and the legend"


def test_what_changed_is_coloured() -> None:
    names = [SLOWER.frames[i].name for i in np.flatnonzero(~SLOWER.own.noise)]
    assert sorted(names) == ["emit", "normalise", "old"]
    picture = flamegraph.still(SLOWER)
    assert picture.count("#b2182b") == 2
    assert "normalise (project.py): 0 s before, 4.00 s after" in picture


def test_code_and_markup_are_small() -> None:
    nothing = compared([], [])
    assert len(flamegraph.page(nothing, title="x").encode()) < 60_000


@pytest.mark.long
def test_a_hundred_thousand_calls_make_a_page_to_attach() -> None:
    random = np.random.default_rng(1)
    weighted: Weighted = [
        ((f"a{i % 7}", f"b{i % 310}", f"c{i % 3100}", f"d{i}"), float(random.integers(1, 100))) for i in range(120_000)
    ]
    found = compared(weighted, weighted)
    data = encoded(data_of(found, None))
    assert len(json.loads(data)["parent"]) == 100_000
    assert len(data) < 12_000_000


@settings(max_examples=40, deadline=None)
@given(TEXTS)
@example(MARK + "".join(SNIPPETS))
@example(MARK + "A" * 100_000)
def test_strangers_names_are_only_names(text: str) -> None:
    frame = Frame(name=text, module=text, file=text)
    found = difference(
        profile(capture([((frame,), 1.0)]), label=text), profile(capture([((frame, frame), 2.0)]), label=text)
    )
    page = flamegraph.page(found, found, title=text[:200], summary=text[:200])
    assert len(page) < 60_000
    data = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert MARK in json.loads(data[1])["names"][0]
    assert data[1].isascii()
    assert not set("<>&") & set(data[1])
    assert picture_problems(flamegraph.still(found)) == set()
    told = json.dumps(json.loads(data[1]), ensure_ascii=False)
    assert hidden_characters(told) == set()


def test_the_policy_names_our_script_and_no_other() -> None:
    page = flamegraph.page(SLOWER, title="x")
    assert page.count("<script>") == 1
    assert flamegraph.script() in page
    assert "script-src 'sha256-" in flamegraph.policy()
    assert "unsafe-inline" not in flamegraph.policy().split("script-src")[1].split(";")[0]
    assert not re.search(r"https?://(?!www\.w3\.org)", page)


def test_the_page_is_well_formed() -> None:
    page = flamegraph.page(SLOWER, title="x")
    bare = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert set(page_problems(bare)) - FONTS_AND_LINES == set()


def test_a_picture_of_nothing() -> None:
    assert picture_problems(flamegraph.still(compared([], []))) == set()
    assert picture_problems(flamegraph.still(compared([folded("a", 1.0)], []))) == set()


def test_shares_need_no_switch() -> None:
    shared = replace(SLOWER, basis=Basis.SHARE)
    assert data_of(shared, None)["signal_share"] == data_of(shared, None)["signal"]
