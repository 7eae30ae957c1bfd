"""A week's page and its Markdown."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.core.model.scenario import Metric
from bisector.core.watch.week import DAY, Watched, week_of
from bisector.report.weekly.document import WeekPart, week_part
from bisector.report.weekly.render import render_week_html, render_week_markdown
from tests.report.checks import markdown_problems, page_problems
from tests.report.strangers import MARK, SNIPPETS
from tests.report.weeks import SECONDS, UNTIL, answer, blamed, full_week, series, watched

Golden = Callable[[str, str], None]
Dump = Callable[[Path], str]


def link(job: str) -> str:
    return f"https://bisector.example/jobs/{job}"


def nowhere(_job: str) -> str:
    return ""


def hostile_week(text: str) -> WeekPart:
    """The full week with `text` wherever a stranger may write."""
    found = blamed(60, UNTIL - 3 * DAY, text, relative=0.1)
    found = replace(found, commit=replace(found.commit, author=text), inner=replace(found.commit, subject=text))
    made = answer(158, 58.2, blamed=(found,), asked_by=text, scenario=text, metric=Metric(name=text, unit=text))
    named = Watched(
        name=text, scenario=text, metric=Metric(name=text, unit=text), history=[*series(SECONDS, {20: 0.1, 54: 0.1})]
    )
    return week_part(week_of([named], [made], UNTIL), nowhere, problem=text)


def test_documents(golden: Golden) -> None:
    week = week_part(full_week(), link)
    golden("weekly.html", render_week_html(week))
    golden("weekly.md", render_week_markdown(week))


def test_a_week_without_anything_says_so() -> None:
    week = week_part(week_of([], [], UNTIL), link)
    page, markdown = render_week_html(week), render_week_markdown(week)
    assert page_problems(page) == []
    for text in (page, markdown):
        assert "Nothing is watched, and no search ended." in text
        assert "No search ended." in text
    assert "No sweep is configured." in page
    quiet = week_part(week_of([watched("parse", SECONDS, series(SECONDS, {}))], [], UNTIL), link)
    assert quiet.sentence == "Nothing new was found; no regression is open; of 1 series none moved."


def test_nobody_is_named_who_was_not_verified() -> None:
    for text in (render_week_html(week_part(full_week(), link)), render_week_markdown(week_part(full_week(), link))):
        assert "Keep tokens" in text
        assert "Grace H." in text
        assert "Pool of workers" not in text
        assert "one of 3 commits" in text


def test_jobs_are_links_where_somebody_can_reach_them() -> None:
    markdown = render_week_markdown(week_part(full_week(), link))
    assert "[job `158`](https://bisector.example/jobs/158)" in markdown
    assert 'href="https://bisector.example/jobs/158"' in render_week_html(week_part(full_week(), link))
    assert "](" not in render_week_markdown(week_part(full_week(), nowhere))
    assert "<a href=" not in render_week_html(week_part(full_week(), nowhere)).partition("<main>")[2]


@pytest.mark.parametrize("snippet", [*SNIPPETS, "".join(SNIPPETS), "W" * 5000])
def test_strangers_write_nothing_but_text(snippet: str) -> None:
    week = hostile_week(MARK + snippet)
    assert page_problems(render_week_html(week)) == []
    assert markdown_problems(render_week_markdown(week), MARK) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("kind", ["full", "hostile"])
def test_nothing_is_wider_than_the_screen(dump: Dump, tmp_path: Path, width: int, kind: str) -> None:
    week = hostile_week("W" * 300) if kind == "hostile" else week_part(full_week(), link)
    measure = "<script>parent.document.title = document.documentElement.scrollWidth + ' ' + innerWidth</script></body>"
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    page = render_week_html(week)
    assert "default-src &#39;none&#39;" in page
    (tmp_path / "page.html").write_text(policy.sub("", page).replace("</body>", measure), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(f'<title>x</title><iframe src="page.html" width={width} height=800 style="border:0"></iframe>')
    found = re.search(r"<title>(\d+) (\d+)</title>", dump(frame))
    assert found is not None
    needed, there = (int(part) for part in found.groups())
    assert there == width
    assert needed <= there
