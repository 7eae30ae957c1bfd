"""`bisector weekly`: what a week brought, for whoever reads it on Monday."""

import click


@click.command(name="weekly")
@click.option("--until", metavar="DATE", help="The last day of the week, in UTC.  [default: now]")
@click.option("--report", metavar="DIR", help="Write weekly.html and weekly.md there instead of printing Markdown.")
def command(until: str | None, report: str | None) -> int:
    """The last seven days, or those up to a date: how the series of the sweeps moved, which regressions are open, what
    was found and how long that took.
    """
    # Imported here: help and mistyped options are answered without what only the work needs.
    from bisector.cli.week import tell_week

    return tell_week(until, report)
