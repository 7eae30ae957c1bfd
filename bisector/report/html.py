"""The report as one HTML file that opens from a disk, offline, and runs nothing but our own flame graphs.

Every text goes through the template's escaping. What is let through as it is, is marked `safe` in the templates: the
plots, which escape for themselves, the style sheets, and the sections that another layer has rendered.
"""

import re
from collections.abc import Iterator
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from bisector.report import flamegraph, numbers
from bisector.report.document import Report
from bisector.report.headline import badge, key_figures, tone, untestable_summary
from bisector.report.phrase import pieces, plain
from bisector.report.plots import figures, stylesheet
from bisector.report.text import SHORT, displayed
from bisector.report.words import ARTIFACTS, DETAILS, KINDS, OUTCOMES

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it. No script (but that of flame graphs, by digest), request or form."""
MOST_OPEN_ROWS = 60
"""A longer table of candidates is folded in the beginning."""
MOST_LOG_ENTRIES = 400
_UNIT = re.compile(r"(?<=\d) (?=%|×|[nµm]?s\b|(?:[KMGT]i)?B\b)")
"""The blank between a number and its unit, where no line ends."""


def render_html(report: Report) -> str:
    """The whole page."""
    plots = figures(report)
    draws = any(section.flamegraph for section in report.sections)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            badge=badge(report),
            tone=tone(report),
            key_figures=key_figures(report),
            figures=plots,
            parts=list(_parts(report, plots=bool(plots))),
            plot_style=stylesheet() + (flamegraph.stylesheet() if draws else ""),
            script=flamegraph.script() if draws else "",
            policy=f"{POLICY}; script-src {flamegraph.script_source()}" if draws else POLICY,
            most_open_rows=MOST_OPEN_ROWS,
            untestable=untestable_summary(report),
            log=report.log[-MOST_LOG_ENTRIES:],
        )
    )


def _parts(report: Report, *, plots: bool) -> Iterator[tuple[str, str]]:
    """The parts of the page that somebody may look for, by their identifiers."""
    yield "evidence", "How sure"
    if report.culprits:
        yield "culprits", "Culprit" if len(report.culprits) == 1 else "Culprits"
    yield from ((section.identifier, section.title) for section in report.sections)
    if plots:
        yield "plots", "Measured"
    if report.lines:
        yield "candidates", "Commits"
    yield "environment", "Environment"
    yield "reproduce", "Reproduce"


@cache
def environment() -> Environment:
    """The templates, with what they write numbers and strangers' text by."""
    made = Environment(
        loader=PackageLoader("bisector.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        pieces=lambda phrase: list(pieces(phrase)),
        plain=plain,
        short=lambda sha: sha[:SHORT],
        shown=lambda text: displayed(text, 400),
        minute=lambda moment: moment[:16].replace("T", " "),
        unbroken=lambda text: _UNIT.sub("\u00a0", text),
        percent=lambda share: numbers.percent(share, signed=True),
        setting=numbers.setting,
        interval=numbers.interval,
        probability=numbers.probability,
        seconds=numbers.seconds,
        count=numbers.count,
        thousands=numbers.whole,
        outcome=lambda outcome: OUTCOMES[outcome],
        kind=lambda kind: KINDS[kind],
        artifact=lambda kind: ARTIFACTS.get(kind, kind),
        detail=lambda name: DETAILS.get(name, name),
        day=lambda moment: moment[:10],
    )
    return made
