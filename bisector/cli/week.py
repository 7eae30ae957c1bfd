"""The work of `bisector weekly`."""

from datetime import datetime
from pathlib import Path

import click

from bisector.cli.answer import write_whole
from bisector.cli.session import wired
from bisector.core.model.units import Seconds
from bisector.core.watch.week import DAY
from bisector.engine.week import week_before
from bisector.formats.quantities import parse_moment
from bisector.report.weekly.document import week_part
from bisector.report.weekly.render import render_week_html, render_week_markdown
from bisector.wiring.records import make_records
from bisector.wiring.service import sweeper


def tell_week(until: str | None, report: str | None) -> int:
    """Print the week as Markdown, or write it into a directory; the exit code."""
    with wired() as wiring:
        end = wiring.clock.now().timestamp() if until is None else end_of(until)
        url = wiring.settings.server.public_url.rstrip("/")
        known = sweeper(wiring, lambda _: None).known()
        found = week_before(end, known.states, make_records(wiring))
        week = week_part(found, lambda job: f"{url}/jobs/{job}" if url else "", "; ".join(known.problems))
    if report is None:
        click.echo(render_week_markdown(week), nl=False)
        return 0
    page = Path(report) / "weekly.html"
    write_whole(page, render_week_html(week))
    write_whole(page.with_suffix(".md"), render_week_markdown(week))
    click.echo(f"Week: {page.resolve()}")
    return 0


def end_of(text: str) -> Seconds:
    """The end of a day, or the moment itself where a time is given."""
    moment = datetime.fromisoformat(parse_moment(text)).timestamp()
    return moment if len(text.strip()) > len("2026-01-31") else moment + DAY
