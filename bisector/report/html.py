"""The report as one HTML file that opens from a disk, offline, and runs nothing but our own flame graphs.

Every text goes through the template's escaping. What is let through as it is, is marked `safe` in the templates: the
plots, which escape for themselves, the style sheets, and the sections that another layer has rendered.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from bisector.report import flamegraph, numbers
from bisector.report.document import Report
from bisector.report.headline import badge, key_figures, tone, untestable_summary
from bisector.report.phrase import pieces, plain
from bisector.report.plots import figures, stylesheet
from bisector.report.text import SHORT
from bisector.report.words import OUTCOMES

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it. No script (but that of flame graphs, by digest), request or form."""
MOST_OPEN_ROWS = 60
"""A longer table of candidates is folded in the beginning."""
MOST_LOG_ENTRIES = 400


def render_html(report: Report) -> str:
    """The whole page."""
    draws = any(section.flamegraph for section in report.sections)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            badge=badge(report),
            tone=tone(report),
            key_figures=key_figures(report),
            figures=figures(report),
            plot_style=stylesheet() + (flamegraph.stylesheet() if draws else ""),
            script=flamegraph.script() if draws else "",
            policy=f"{POLICY}; script-src {flamegraph.script_source()}" if draws else POLICY,
            most_open_rows=MOST_OPEN_ROWS,
            untestable=untestable_summary(report),
            log=report.log[-MOST_LOG_ENTRIES:],
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bisector.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        pieces=lambda phrase: list(pieces(phrase)),
        plain=plain,
        short=lambda sha: sha[:SHORT],
        unbroken=lambda text: text.replace(" %", "\u00a0%"),
        percent=lambda share: numbers.percent(share, signed=True),
        setting=numbers.setting,
        interval=numbers.interval,
        probability=numbers.probability,
        seconds=numbers.seconds,
        count=numbers.count,
        thousands=numbers.whole,
        outcome=lambda outcome: OUTCOMES[outcome],
        day=lambda moment: moment[:10],
    )
    return environment
