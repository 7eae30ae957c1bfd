"""The report as Markdown, for an issue or a pull request.

What strangers wrote stands in code spans and fenced blocks only, each fenced by more backticks than it holds: there
nothing is a mention, a reference, a link, an image or mark-up, on any site that renders Markdown.
"""

import re
from collections.abc import Iterator

from bisector.report import numbers
from bisector.report.document import CommitPart, CulpritPart, InnerPart, OtherPart, Report
from bisector.report.headline import untestable_summary
from bisector.report.phrase import Phrase, pieces
from bisector.report.text import SHORT
from bisector.report.words import KINDS, OUTCOMES

MOST_REASONS = 5
"""Untestable commits that are listed with what they said."""
LONGEST_REASON = 160
_SPECIAL = re.compile(r"[\\`*_\[\]~$|]|<(?=[A-Za-z!/?])|&(?=[A-Za-z#])")


def render_markdown(report: Report) -> str:
    """The whole document."""
    blocks = [
        [f"**{phrase_text(report.sentence)}**"],
        list(_evidence(report)),
        *(list(_culprit(culprit)) for culprit in report.culprits),
        *(list(_culprit(culprit, "The other way: ")) for culprit in report.opposite),
        list(_untestable(report)),
        list(_notes(report)),
        *([f"### {_text(section.title)}", "", *section.markdown] for section in report.sections if section.markdown),
        list(_others(report.others)),
        list(_next(report)),
        list(_surroundings(report)),
        ["Reproduce:", "", *fenced(report.reproduce)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def code(text: str) -> str:
    """`text`, harmless and on one line, as a code span."""
    fence = "`" * (_longest_run(text) + 1)
    space = " " if text[:1] in {"`", " "} or text[-1:] in {"`", " "} else ""
    return f"{fence}{space}{text}{space}{fence}" if text else ""


def code_in_cell(text: str) -> str:
    """The same inside a table, where a bar ends the cell even in a code span."""
    # A backslash before the bar would be taken as escaped itself: then the bar is written out.
    return code(text.replace("|", "\\x7c" if "\\|" in text else "\\|"))


def in_cell(text: str) -> str:
    """Plain words in a table; what Markdown would read as mark-up is escaped."""
    return _text(text)


def fenced(text: str) -> list[str]:
    """`text` as the lines of a fenced block."""
    fence = "`" * max(_longest_run(text) + 1, 3)
    return [f"{fence}sh", text, fence]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _text(text: str) -> str:
    """Words of ours: what Markdown would read as mark-up is escaped."""
    return _SPECIAL.sub(lambda found: f"\\{found.group()}", text)


def phrase_text(phrase: Phrase, *, in_cell: bool = False) -> str:
    """A phrase with its quotations as code spans."""
    span = code_in_cell if in_cell else code
    return "".join(span(piece.text) if piece.quoted else _text(piece.text) for piece in pieces(phrase))


def _evidence(report: Report) -> Iterator[str]:
    yield "| | | |"
    yield "|:--|--:|:--|"
    for row in report.evidence:
        value, grounds = (phrase_text(phrase, in_cell=True) for phrase in (row.value, row.grounds))
        yield f"| {_text(row.label)} | {value} | {grounds} |"


def _culprit(culprit: CulpritPart, before: str = "") -> Iterator[str]:
    if len(culprit.set) == 1:
        kind = "Merge" if culprit.commit.is_merge else "Commit"
        yield f"### {before}{kind} {code(culprit.commit.sha[:SHORT])}"
        yield ""
        yield f"- {_commit(culprit.commit)}"
        yield f"- after its parent {_commit(culprit.parent)}"
    else:
        yield f"### {before}One of {numbers.count(len(culprit.set), 'commit')}"
        yield ""
        yield from _members(culprit)
    if KINDS[culprit.kind]:
        yield f"- {KINDS[culprit.kind]}"
    if culprit.same_build:
        yield "- its build came out equal to its parent's"
    if culprit.still_at_bad is False:
        yield "- its change is no longer there at bad"
    if culprit.revert is not None:
        yield f"- bad without it {phrase_text(culprit.revert.phrase)}"
    if culprit.inner is not None:
        if culprit.inner.commit is not None:
            chance = numbers.probability(culprit.inner.probability or 0.0)
            yield f"- inside it: {_commit(culprit.inner.commit)}, {chance}"
        else:
            yield f"- {phrase_text(culprit.inner.phrase)}"


def _members(part: CulpritPart | InnerPart) -> Iterator[str]:
    yield from (f"- {_commit(member)}" for member in part.members)
    more = len(part.set) - len(part.members)
    if more:
        yield f"- and {numbers.count(more, 'more commit')}"


def _commit(commit: CommitPart) -> str:
    written = code(commit.author) if commit.author else ""
    by = ", ".join(filter(None, (written, commit.date[:10])))
    return " ".join(filter(None, (code(commit.sha), code(commit.subject), f"({by})" if by else "")))


def _untestable(report: Report) -> Iterator[str]:
    if not report.untestable:
        return
    yield untestable_summary(report)
    yield ""
    for each in report.untestable[:MOST_REASONS]:
        reason = each.reason if len(each.reason) <= LONGEST_REASON else each.reason[: LONGEST_REASON - 1] + "…"
        said = f": {code(reason)}" if reason else ""
        yield f"- {code(each.commit.sha[:SHORT])} {OUTCOMES[each.outcome]}{said}"
    if len(report.untestable) > MOST_REASONS:
        yield f"- and {numbers.count(len(report.untestable) - MOST_REASONS, 'more commit')}"


def _notes(report: Report) -> Iterator[str]:
    if report.notes:
        yield "To bear in mind:"
        yield ""
        yield from (f"- {phrase_text(note)}" for note in report.notes)


def _others(others: tuple[OtherPart, ...]) -> Iterator[str]:
    if others:
        yield "Further metrics, from the same runs:"
        yield ""
        yield from (f"- {code(other.metric.name)}: {phrase_text(other.phrase)}" for other in others)


def _next(report: Report) -> Iterator[str]:
    for number, item in enumerate(report.advice):
        if number:
            yield ""
        yield f"{phrase_text(item.text)}{':' if item.command else '.'}"
        if item.command:
            yield ""
            yield from fenced(item.command)


def _surroundings(report: Report) -> Iterator[str]:
    cost, place = report.cost, report.environment
    took = f", {numbers.seconds(cost.elapsed_seconds)} in all" if cost.elapsed_seconds is not None else ""
    reused = f" and {numbers.whole(cost.builds_reused)} taken over" if cost.builds_reused else ""
    yield (
        f"Cost: {numbers.count(cost.runs, 'run')} ({numbers.seconds(cost.run_seconds)}), "
        f"{numbers.count(cost.builds, 'build')}{reused} ({numbers.seconds(cost.build_seconds)}){took}."
    )
    host = f" on host {code(place.host[:SHORT])}" if place.host else ""
    image = f", base image {code(place.image)}" if place.image else ""
    yield (
        f"Scenario {code(report.scenario)}, runner {report.runner}{host}{image}; job {code(report.job)}, "
        f"bisector {_text(place.bisector)}."
    )
