"""Terminal text: fits, says the same as the page, harmless, styled only on request."""

from dataclasses import replace

import pytest

from bisector.report.attached import Paragraph, Section
from bisector.report.phrase import plain
from bisector.report.terminal import ANSI, render_terminal
from bisector.report.text import columns
from bisector.report.wrapping import wrapped
from tests.report import worlds
from tests.report.checks import hidden_characters
from tests.report.worlds import report

KINDS = worlds.by_verdict()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_kind_of_job(kind: str, width: int) -> None:
    told = report(KINDS[kind])
    text = render_terminal(told, width=width, path="/state/report.html")
    assert not hidden_characters(text)
    assert " ".join(text.split()).startswith(plain(told.sentence))
    assert "Report: /state/report.html" in text
    long = [line for line in text.splitlines() if columns(line) > max(width, 70) and not line.startswith("  ")]
    assert long == []


def test_style_is_added_only_on_request_and_changes_no_word() -> None:
    told = report(KINDS["culprit"])
    styled, plain_text = render_terminal(told, style=ANSI), render_terminal(told)
    assert "\x1b[1m" in styled
    for start, end in (ANSI.strong, ANSI.soft, ANSI.old, ANSI.new):
        styled = styled.replace(start, "").replace(end, "")
    assert styled == plain_text


def test_sections_of_other_layers_have_a_place() -> None:
    text = (Paragraph(text="parse " + "costs more " * 12, first=" 61 %  ", rest="       "),)
    section = Section(identifier="suspects", title="Suspects", text=text)
    shown = render_terminal(replace(report(KINDS["culprit"]), sections=(section,)), width=40)
    assert "\n\nSuspects\n 61 %  parse costs more costs more costs\n       more costs more" in shown


def test_what_could_not_be_tested_says_why_and_each_reason_once() -> None:
    told = report(KINDS["culprit"])
    one = told.untestable[0]

    def shown(*reasons: str) -> str:
        parts = tuple(replace(one, reason=reason) for reason in reasons)
        return " ".join(render_terminal(replace(told, untestable=parts), width=200).split())

    assert "2 commits could not be tested: does not build. No module named 'x' Note" in shown(
        *["No module named 'x'"] * 2
    )
    text = shown("rare", "common", "common", "", "third", "fourth", "fifth")
    assert "2 commits: common 1 commit: rare 1 commit: third and 2 more reasons" in text
    assert "fourth" not in text


def test_a_path_is_harmless() -> None:
    assert "\x1b" not in render_terminal(report(KINDS["culprit"]), path="/a\x1b[2J")


def test_wrapping() -> None:
    assert wrapped("worse by 8.3 % (+7.1 %)", 15) == ["worse by 8.3 %", "(+7.1 %)"]
    assert wrapped("a 12 %", 4) == ["a", "12 %"]
    assert wrapped("測試測試", 8, rest="") == ["測試測試"]
    assert wrapped("x" * 20, 8) == ["x" * 8, "x" * 8, "x" * 4]
    assert wrapped("", 8) == []
    assert wrapped("note text", 30, first="Note: ", rest="      ") == ["Note: note text"]
