"""The page in a real browser: nothing runs, nothing overflows, everything is there when printed."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.report.attached import Section
from bisector.report.html import render_html
from tests.report import worlds
from tests.report.strangers import SNIPPETS
from tests.report.worlds import hostile_report, report

pytestmark = pytest.mark.browser
Dump = Callable[[Path], str]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
KINDS = worlds.by_verdict()


def title_of(page: str) -> str:
    """The title of a page as the browser gives it back."""
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_no_script_of_a_stranger_runs(dump: Dump, tmp_path: Path) -> None:
    """With the policy and, to see that escaping alone is enough, without it."""
    page = render_html(hostile_report(KINDS["culprit"], "".join(SNIPPETS)))
    for name, text in (("with", page), ("without", POLICY.sub("", page))):
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        assert title_of(dump(path)).startswith("Culprit found: ")


def test_the_policy_alone_stops_a_script(dump: Dump, tmp_path: Path) -> None:
    """A section that lets a script through does not make it run; without the policy it would."""
    script = "<script>document.title = 'pwned'</script><img src=x onerror=\"document.title = 'pwned'\">"
    section = Section(identifier="x", title="x", html=script)
    page = render_html(replace(report(KINDS["culprit"]), sections=(section,)))
    guarded, bare = tmp_path / "guarded.html", tmp_path / "bare.html"
    guarded.write_text(page, encoding="utf-8")
    bare.write_text(POLICY.sub("", page), encoding="utf-8")
    assert title_of(dump(guarded)).startswith("Culprit found: ")
    assert title_of(dump(bare)) == "pwned"


@pytest.mark.parametrize("width", [360, 1200, *(pytest.param(width, marks=pytest.mark.long) for width in (390, 768))])
@pytest.mark.parametrize("kind", ["culprit", "culprit_set untestable", "worse", "hostile"])
def test_nothing_is_wider_than_the_screen(dump: Dump, tmp_path: Path, width: int, kind: str) -> None:
    told = hostile_report(KINDS["culprit"], "W" * 300) if kind == "hostile" else report(KINDS[kind])
    measure = "<script>parent.document.title = document.documentElement.scrollWidth + ' ' + innerWidth</script></body>"
    page = POLICY.sub("", render_html(told)).replace("</body>", measure)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(f'<title>x</title><iframe src="page.html" width={width} height=800 style="border:0"></iframe>')
    needed, there = (int(part) for part in title_of(dump(frame)).split())
    assert there == width
    assert needed <= there


def test_the_browser_keeps_the_page_as_it_is(dump: Dump, tmp_path: Path) -> None:
    """What the parser had to mend would differ in its elements."""
    page = render_html(report(KINDS["culprit"]))
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    shown = dump(path)
    for tag in ("section", "table", "tr", "td", "svg", "path", "details", "li", "article"):
        assert len(re.findall(rf"<{tag}[ >]", shown)) == len(re.findall(rf"<{tag}[ >/]", page)), tag
