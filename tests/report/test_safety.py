"""Whatever strangers write shows as harmless text: in the page, the plots, Markdown, JSON and on the terminal."""

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import example, given, settings

from bisector.core.model.investigation import Investigation
from bisector.core.search.outlook import outlook
from bisector.report.document import Report
from bisector.report.html import render_html
from bisector.report.json_export import render_json, result_of, result_schema
from bisector.report.live import live_lines
from bisector.report.markdown import render_markdown
from bisector.report.plots import figures, standalone
from bisector.report.sentence import sentence_of
from bisector.report.terminal import render_terminal
from tests.report import worlds
from tests.report.checks import hidden_characters, markdown_problems, page_problems, svg_problems
from tests.report.strangers import MARK, SNIPPETS, TEXTS
from tests.report.worlds import hostile, hostile_report

LONG = MARK + "<b>@x|`" + "A" * 1_000_000
KINDS = worlds.by_verdict()


def problems(report: Report, investigation: Investigation) -> list[str]:
    """Everything that is wrong with any of the documents of a job in which strangers wrote `MARK` everywhere."""
    found = [f"html: {problem}" for problem in page_problems(render_html(report))]
    for plot in figures(report):
        for text in (plot.wide, plot.narrow, standalone(plot)):
            found += [f"svg: {problem}" for problem in svg_problems(text)]
    found += [f"markdown: {problem}" for problem in markdown_problems(render_markdown(report), MARK)]
    found += [f"terminal: {character!r}" for character in hidden_characters(render_terminal(report, path=MARK))]
    live = "".join(live_lines(investigation, outlook(investigation), 1.0))
    found += [f"live: {character!r}" for character in hidden_characters(live)]
    found += [f"sentence: {character!r}" for character in hidden_characters(sentence_of(investigation))]
    return found + [f"json: {problem}" for problem in _json_problems(report)]


def _json_problems(report: Report) -> list[str]:
    text = render_json(report)
    result = json.loads(text)
    problems = [] if text.isascii() else ["not ASCII"]
    schema = jsonschema.Draft202012Validator(result_schema())
    # The names of files are their owner's; the schema's list of kinds is checked elsewhere.
    problems += [error.message[:200] for error in schema.iter_errors(result)]
    problems += [f"hidden {c!r}" for c in hidden_characters(json.dumps(result, ensure_ascii=False))]
    assert result == json.loads(json.dumps(result_of(report)))
    return problems


@settings(max_examples=60, deadline=None)
@given(TEXTS)
@example(MARK + "".join(SNIPPETS))
@example(MARK + "`" * 100)
@example(MARK + "\\|" * 20)
@example(MARK + "<" * 50 + "&" * 50)
def test_strangers_do_no_harm_in_a_report_with_a_culprit(text: str) -> None:
    investigation = hostile(KINDS["culprit"], text)
    assert problems(hostile_report(KINDS["culprit"], text), investigation) == []


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_do_no_harm_in_any_kind_of_report(kind: str) -> None:
    if kind in {"two metrics", "every commit"}:
        return
    text = MARK + "".join(SNIPPETS)
    assert problems(hostile_report(KINDS[kind], text), hostile(KINDS[kind], text)) == []


def test_a_megabyte_in_every_place_makes_a_small_report() -> None:
    report = hostile_report(KINDS["culprit_set untestable"], LONG)
    assert len(render_html(report)) < 1_000_000
    assert problems(report, hostile(KINDS["culprit_set untestable"], LONG)) == []


def test_strangers_texts_are_shown_all_the_same() -> None:
    text = f"{MARK} <b>bold</b> & co"
    report = hostile_report(KINDS["culprit"], text)
    assert f"{MARK} &lt;b&gt;bold&lt;/b&gt; &amp; co" in render_html(report)
    assert f"`{MARK} <b>bold</b> & co`" in render_markdown(report)
    assert f"({MARK} <b>bold</b> & co)" in render_terminal(report, width=500)


def test_the_values_of_variables_are_not_shown() -> None:
    investigation = KINDS["culprit"]
    text = "s3cr3t-value"
    secret = hostile(investigation, "harmless")
    scenario = secret.request.scenario
    run = replace(scenario.run, env={"API_KEY": text})
    told = worlds.report(replace(secret, request=replace(secret.request, scenario=replace(scenario, run=run))))
    assert "API_KEY" in render_html(told)
    for document in (render_html(told), render_markdown(told), render_json(told), render_terminal(told)):
        assert text not in document


@pytest.mark.parametrize("kind", ["culprit", "failed"])
def test_credentials_in_what_a_build_printed_are_not_shown(kind: str) -> None:
    report = hostile_report(KINDS[kind], "fatal: https://jane:s3cr3t@host/ Bearer s3cr3ts3cr3ts3cr3t")
    told = [each.reason for each in report.untestable]
    told += [text for entry in report.log for text in (entry.reason, entry.result)]
    told += [*report.environment.details.values(), *report.environment.steps, report.environment.command]
    told += [report.repository, report.reproduce, *(item.command for item in report.advice)]
    told += [report.sentence] if kind == "failed" else []
    assert [text for text in told if "s3cr3t" in text] == []
    assert any("***" in text for text in told)
