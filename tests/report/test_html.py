"""The page: well-formed, self-contained, in the order a reader needs, small."""

import re
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise

import pytest

from bisector.report import numbers
from bisector.report.attached import Artifact, Section
from bisector.report.html import POLICY, render_html
from tests.report import worlds
from tests.report.checks import Page, page_problems
from tests.report.worlds import HUGE, MERGE, finished, report

KINDS = worlds.by_verdict()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job_makes_a_sound_page(kind: str) -> None:
    assert page_problems(render_html(report(KINDS[kind]))) == []


def test_every_stage_of_a_job_makes_a_sound_page() -> None:
    for state, investigation in worlds.stages():
        assert page_problems(render_html(report(investigation, state))) == []


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = render_html(report(KINDS["culprit"]))
    assert f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'.replace("'", "&#39;") in page
    assert "default-src 'none'" in POLICY
    assert not re.findall(r"<script|\ssrc=|url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_order_is_that_of_a_reader() -> None:
    page = render_html(report(KINDS["culprit"]))
    places = [page.index(f'id="{name}"') for name in (
        "evidence", "culprits", "plots", "candidates", "next", "environment", "cost", "log", "reproduce",
    )]  # fmt: skip
    assert places == sorted(places)
    assert page.index("<h1>") < places[0]


def test_headings_nest() -> None:
    for kind in ("culprit", "worse", "several"):
        levels = [int(level) for level in re.findall(r"<h([1-6])", render_html(report(KINDS[kind])))]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_code_and_markup_without_data_are_small() -> None:
    folder = files("bisector.report").joinpath("templates")
    assert sum(len(each.read_bytes()) for each in folder.iterdir() if each.is_file()) < 40_000
    assert len(render_html(report(KINDS["failed"]))) < 150_000


def test_a_hundred_thousand_candidates_make_a_small_page() -> None:
    assert len(render_html(report(finished(HUGE)))) < 300_000


def test_many_runs_make_a_page_below_a_megabyte() -> None:
    done = finished(MERGE)
    page = render_html(report(replace(done, samples=done.samples * 300)))
    assert len(page) < 1_000_000


def test_only_known_expressions_are_let_through_as_they_are() -> None:
    folder = files("bisector.report").joinpath("templates")
    each_text = [
        each.read_text() for room in (folder, folder.joinpath("pages")) for each in room.iterdir() if each.is_file()
    ]
    safe = {found for text in each_text for found in re.findall(r"{{ ([^}]*?) \| safe }}", text)}
    assert sorted(safe) == ["line.plot", "plot.narrow", "plot.wide", "plot_style", "script", "section.html"]
    assert not any("autoescape" in text for text in each_text)


def test_sections_of_other_layers_have_a_place_and_leave_no_trace_when_there_are_none() -> None:
    plain = report(KINDS["culprit"])
    section = Section(identifier="profiles", title="Profiles & <suspects>", html="<p>rendered</p>")
    page = render_html(replace(plain, sections=(section,)))
    assert page_problems(page) == []
    assert page.index('id="culprits"') < page.index("<p>rendered</p>") < page.index('id="environment"')
    assert "Profiles &amp; &lt;suspects&gt;" in page
    assert "profiles" not in render_html(plain)


def test_what_is_shown() -> None:
    told = report(KINDS["culprit"])
    (culprit,) = told.culprits
    assert culprit.change is not None
    shown = "".join(Page(render_html(told)).text).replace("\u00a0", " ")
    for text in (
        "Culprit found",
        f"made seconds worse by {numbers.percent(culprit.change.relative)}".replace("\u00a0", " "),
        "Merge branch 'topic-40'",
        "Topic 40, part 1",
        "does not build",
        "planted: does not build",
        "31 commits, not tested",
        f"{told.cost.runs} runs on {told.cost.commits} commits",
        "bisector bisect 915864d3002a6ca2110e744edbc5e532320f157f",
        "5 min 22 s",
    ):
        assert text in shown


def test_files_are_named() -> None:
    artifact = Artifact(kind="build_log", path="/state/logs/1.log", side="bad")
    page = render_html(replace(report(KINDS["culprit"]), artifacts=(artifact,)))
    assert "log of a build, bad: <code>/state/logs/1.log</code>" in page


def test_a_page_without_an_outlook_shows_no_made_up_chance() -> None:
    shown = " ".join(Page(render_html(report(KINDS["failed"]))).text)
    assert "3 %" not in shown.split("Commits", 1)[1].split("What next")[0]


PLANTED = {
    "a script": "<script>alert(1)</script>",
    "a handler": '<p onclick="x()">a</p>',
    "a link": '<a href="https://example.org">x</a>',
    "an image": '<img src="x">',
    "an open element": "<p>",
    "a comment": "<!-- x -->",
    "a bidi override": "<p>\u202e</p>",
    "an id twice": '<p id="evidence"></p>',
}


@pytest.mark.parametrize("case", PLANTED)
def test_the_page_check_sees(case: str) -> None:
    page = render_html(report(KINDS["culprit"]))
    assert page_problems(page.replace("</main>", f"{PLANTED[case]}</main>")) != []
