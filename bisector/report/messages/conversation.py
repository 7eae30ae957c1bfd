"""The answer to a command in a comment: one comment of ours that says how it stands, and in the end what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bisector.core.model.request import JobKind, Request
from bisector.core.model.scenario import Better
from bisector.core.model.verdict import VerdictKind
from bisector.report import numbers
from bisector.report.document import EndsPart, MetricPart, Report
from bisector.report.markdown import code, code_in_cell, in_cell, phrase_text, render_markdown
from bisector.report.messages.github import LONGEST_COMMENT, marker
from bisector.report.messages.news import HEADLINES
from bisector.report.phrase import Phrase, told
from bisector.report.text import SHORT, one_line

CHANGED = frozenset({VerdictKind.CULPRIT, VerdictKind.CULPRIT_SET, VerdictKind.SEVERAL})
STANDING = {
    "queued": "It waits for its turn",
    "running": "It is being measured",
    "paused": "It stands still for a fault of the machine, which a person has to look after",
    "cancelled": "It was cancelled",
}
"""What is said of a job that has no answer yet, by its state."""
FURTHER_LINES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What may be asked for here: told to whoever asked for something else."""

    name: str
    branches: tuple[str, ...]
    scenarios: tuple[str, ...]


def mark_of(comment: int) -> str:
    """The line, not shown, that the answer to a comment is found again by."""
    return marker(f"comment-{comment}")


def refusal_text(mark: str, reason: str, offer: Offer) -> str:
    """Why nothing is done, and what would be. `reason` may hold words of strangers."""
    branches = " or ".join(code(name) for name in offer.branches)
    scenarios = ", ".join(code(name) for name in offer.scenarios[:50]) or "none is configured"
    compare, bisect = f"@{offer.name} compare [SCENARIO]", f"@{offer.name} bisect GOOD..BAD SCENARIO"
    lines = [
        mark,
        f"Nothing was started: {phrase_text(Phrase(told(reason)))}.",
        "",
        f"- {code(compare)} measures a pull request to {branches} against the commit where it began",
        f"- {code(bisect)} searches between commits of {branches} or of the pull request, whose last is {code('HEAD')}",
        f"- scenarios: {scenarios}",
    ]
    return "\n".join(lines) + "\n"


def standing_text(mark: str, request: Request, job: str, state: str, page: str) -> str:
    """How a job without an answer stands."""
    return f"{mark}\n{_asked(request)}\n\n{STANDING.get(state, state)} ({_linked(f'job {job}', page)}).\n"


def answer_text(mark: str, request: Request, report: Report, page: str, whole: str) -> str:
    """What came of it: a table, the links, and the whole report folded away. `page` and `whole` are addresses."""
    links = [_linked(f"job {report.job}", page)]
    if whole:
        links.append(f"[report]({whole})")
        links += [
            f"[profiles{f' {number}' if number > 1 else ''}]({whole}#{section.identifier})"
            for number, section in enumerate(report.sections, start=1)
        ]
    sentence = f"**{phrase_text(report.sentence)}**"
    head = "\n".join([mark, _asked(request), "", sentence, "", *_table(report), "", " · ".join(links), ""])
    folded = f"\n<details><summary>The whole report</summary>\n\n{render_markdown(report)}\n</details>\n"
    room = LONGEST_COMMENT - len(head.encode()) - FURTHER_LINES
    return head + (folded if len(folded.encode()) <= room else "\nThe whole report is too long for a comment.\n")


def _asked(request: Request) -> str:
    good, bad = _named(request.good_text, request.good), _named(request.bad_text, request.bad)
    scenario = code(one_line(request.scenario_text or request.scenario.name))
    if request.kind is JobKind.COMPARE:
        return f"Comparing {bad} with {good}, where it began, by {scenario}."
    return f"Searching between {good} and {bad} by {scenario}."


def _named(text: str, sha: str) -> str:
    short = code(sha[:SHORT])
    return short if not text or sha.startswith(text) else f"{code(one_line(text, 80))} ({short})"


def _table(report: Report) -> Sequence[str]:
    rows = [_row(report.metric, report.ends, report.verdict)]
    rows += [_row(other.metric, other.ends, other.verdict) for other in report.others]
    return ["| metric | before | after | change | verdict |", "|:--|--:|--:|:--|:--|", *rows]


def _row(metric: MetricPart, ends: EndsPart | None, verdict: VerdictKind | None) -> str:
    medians = [end.median for end in (ends.good, ends.bad)] if ends is not None else [None, None]
    values = [in_cell(metric.gauge.text(value)) if value is not None else "" for value in medians]
    change = in_cell(numbers.change(ends.change)) if ends is not None and ends.change is not None else ""
    name = code_in_cell(one_line(metric.name, 80))
    return f"| {name} | {values[0]} | {values[1]} | {change} | {_verdict(metric, ends, verdict)} |"


def _verdict(metric: MetricPart, ends: EndsPart | None, verdict: VerdictKind | None) -> str:
    if verdict is None:
        return "not measured"
    change = ends.change if ends is not None else None
    if verdict in CHANGED and change is not None:
        return "worse" if (change.relative > 0) == (metric.better is Better.LOWER) else "better"
    if verdict is VerdictKind.NOT_REPRODUCED:
        return f"no change of {numbers.setting(metric.min_effect)} or more seen"
    return HEADLINES[verdict]


def _linked(text: str, page: str) -> str:
    return f"[{text}]({page})" if page else text
