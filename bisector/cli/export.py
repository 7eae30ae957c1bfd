"""`bisector export`: what is stored as tables for other programs."""

from typing import Any

import click

NAMES = ("jobs", "culprits", "samples", "builds", "series", "all")


@click.command(name="export")
@click.argument("table", type=click.Choice(NAMES), metavar="[jobs|culprits|samples|builds|series|all]")
@click.option("--format", "form", type=click.Choice(("csv", "parquet")), help="By default what FILE's name says: csv.")
@click.option("--output", default="-", metavar="FILE", help="Of `all` a directory.  [default: standard output]")
@click.option("--since", metavar="WHEN", help="Only jobs made since then: a date, or a time before now like 30d.")
@click.option("--repo", "repositories", multiple=True, metavar="REPO", help="Of this one: name, path or address.")
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Only of this scenario.")
@click.option("--job", "jobs", multiple=True, metavar="JOB", help="Only this job.")
def command(table: str, form: str | None, output: str, **filters: Any) -> int:
    """Write a table of what is stored as CSV or Parquet. --repo, --scenario and --job may be given several times.

    \b
    bisector export samples --since 30d > samples.csv
    bisector export all --format parquet --output tables/
    """
    # Imported here: help and mistyped options are answered without what only the work needs.
    from bisector.cli.exporting import Filters, Wanted, export

    return export(Wanted(table=table, form=form, output=output), Filters(**filters))
