"""A week as a page of its own and as Markdown."""

from collections.abc import Iterator, Sequence

import bisector
from bisector.report.html import POLICY, environment
from bisector.report.markdown import code, code_in_cell, in_cell, phrase_text
from bisector.report.plots import stylesheet
from bisector.report.weekly.document import CAPTION, LEAD, FoundLine, JobLink, OpenLine, TrendLine, WeekPart


def render_week_html(week: WeekPart) -> str:
    """The whole page: one file that needs no network and runs nothing."""
    values: dict[str, object] = {"week": week, "policy": POLICY, "caption": CAPTION, "lead": LEAD}
    template = environment().get_template("weekly.html.j2")
    return template.render(plot_style=stylesheet(), bisector=bisector.__version__, **values)


def render_week_markdown(week: WeekPart) -> str:
    """The whole document."""
    blocks = [
        [f"## {in_cell(week.title)}"],
        [in_cell(week.sentence)],
        [f"- {in_cell(item.label)}: **{in_cell(item.value)}** ({in_cell(item.below)})" for item in week.figures],
        list(_open("### Open regressions", week.open)),
        list(_open("### Come back to the old level, not acknowledged", week.fixed)),
        list(_found(week)),
        list(_movers("### Worse", week.worse)),
        list(_movers("### Better", week.better)),
        list(_trends(week.trends)),
        [f"Not every series could be looked at: {code(week.problem)}"] if week.problem else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _open(heading: str, lines: Sequence[OpenLine]) -> Iterator[str]:
    if not lines:
        return
    yield from (heading, "")
    for line in lines:
        change = f": {in_cell(line.change)}" if line.change else ""
        since = f"since {line.since} ({line.age}), {_job(line.job)}"
        yield f"- {code(line.series)}{change}, {since}: {phrase_text(line.what)}"


def _found(week: WeekPart) -> Iterator[str]:
    yield from ("### Found this week", "", in_cell(week.answers))
    if not week.found:
        return
    yield from ("", "| job | found | change | commit | asked by | from first seen | from commit |")
    yield "|:--|:--|:--|:--|:--|--:|--:|"
    yield from (_row(line) for line in week.found)
    yield from ("", in_cell(LEAD))


def _row(line: FoundLine) -> str:
    what = f"{in_cell(line.verdict)}: {code_in_cell(line.scenario)}, {code_in_cell(line.metric)}"
    cells = [
        _job(line.job),
        what,
        in_cell(line.change),
        phrase_text(line.what, in_cell=True),
        code_in_cell(line.asked_by),
        in_cell(line.from_seen),
        in_cell(line.from_commit),
    ]
    return f"| {' | '.join(cells)} |"


def _movers(heading: str, lines: Sequence[TrendLine]) -> Iterator[str]:
    if not lines:
        return
    yield from (heading, "")
    for line in lines:
        jobs = f", confirmed: {', '.join(_job(job) for job in line.jobs)}" if line.jobs else ", not confirmed"
        yield f"- {code(line.series)}: {in_cell(line.moved)} to {code(line.now)}{jobs}"


def _trends(lines: Sequence[TrendLine]) -> Iterator[str]:
    if not lines:
        return
    yield from (
        "### Every series",
        "",
        "| series | last night | this week | nights in eight weeks |",
        "|:--|--:|--:|--:|",
    )
    for line in lines:
        yield f"| {code_in_cell(line.series)} | {code_in_cell(line.now)} | {in_cell(line.moved)} | {line.nights} |"
    yield from ("", in_cell(CAPTION))


def _job(job: JobLink) -> str:
    name = f"job {code(job.job)}"
    return f"[{name}]({job.address})" if job.address else name
