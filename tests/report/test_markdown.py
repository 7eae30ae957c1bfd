"""Markdown for an issue: what it says, and that strangers' text is only ever in code."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bisector.report.attached import Section
from bisector.report.markdown import code, code_in_cell, fenced, render_markdown
from bisector.report.text import one_line
from tests.report import worlds
from tests.report.checks import markdown_problems
from tests.report.worlds import report

KINDS = worlds.by_verdict()
MARKUP = st.text(alphabet="`|\\*_[]()<>@#!~ ab1:/.&;", max_size=40).map(one_line).filter(bool)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job(kind: str) -> None:
    text = render_markdown(report(KINDS[kind]))
    assert markdown_problems(text, "Change ") == []
    assert text.startswith("**")
    assert "Reproduce:" in text


@given(MARKUP)
def test_a_code_span_is_one_code_span(text: str) -> None:
    (inline,) = [token for token in MarkdownIt().parse(f"a {code(text)} b") if token.type == "inline"]
    spans = [child for child in inline.children or () if child.type == "code_inline"]
    assert [span.content for span in spans] == [text]
    assert [child.content for child in inline.children or () if child.type == "text"] == ["a ", " b"]


@given(MARKUP)
def test_a_code_span_in_a_table_stays_in_its_cell(text: str) -> None:
    table = f"| | |\n|---|---|\n| {code_in_cell(text)} | end |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    cells = [token.children or [] for token in tokens if token.type == "inline"][2:]
    assert len(cells) == 2
    assert [child.type for child in cells[0]] == ["code_inline"]
    shown = cells[0][0].content
    assert shown.replace("\\x7c", "|") == text.replace("\\x7c", "|")
    assert [child.content for child in cells[1]] == ["end"]


def test_a_backslash_does_not_let_a_bar_out_of_its_cell() -> None:
    """Some sites take the two as an escaped backslash and a bar."""
    assert code_in_cell("a\\|b|c") == "`a\\\\x7cb\\x7cc`"
    assert code_in_cell("a|b") == "`a\\|b`"


@given(MARKUP)
@example("```")
@example("````sh")
def test_a_fenced_block_holds_its_text(text: str) -> None:
    (block,) = MarkdownIt().parse("\n".join(fenced(text)))
    assert (block.type, block.content) == ("fence", f"{text}\n")


def test_sections_of_other_layers_have_a_place() -> None:
    plain = report(KINDS["culprit"])
    section = Section(identifier="profiles", title="Profiles_*x*", markdown=("- `f` grew",))
    text = render_markdown(replace(plain, sections=(section,)))
    assert "### Profiles\\_\\*x\\*\n\n- `f` grew" in text
    assert "Profiles" not in render_markdown(plain)


def test_the_check_sees_what_it_is_for() -> None:
    text = render_markdown(report(KINDS["culprit"]))
    for planted in ("@jane", "see #12", "<b>x</b>", "![x](y)", "[x](y)", "PROBE", "\u202e", "a ` b"):
        assert markdown_problems(f"{text}\n\n{planted}\n", "PROBE") != []
