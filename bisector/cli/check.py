"""`bisector check`: pass or fail for a pipeline, within a time that is known before."""

from typing import Any

import click

from bisector.cli.options import Duration, measure_options, output_options
from bisector.core.model.units import Seconds


@click.command(name="check")
@click.argument("ref", default="HEAD")
@click.option("--against", metavar="REF|accepted", help="What it is compared with; accepted: the level of the sweeps.")
@click.option("--max", "most", metavar="LIMIT", multiple=True, help="METRIC=NUMBER, p95:METRIC=NUMBER. Repeatable.")
@click.option("--min", "least", metavar="LIMIT", multiple=True, help="The same for what may not be less. Repeatable.")
@click.option("--target", metavar="URL", help="Only the load of the scenario, on what runs there: limits, no commits.")
@click.option(
    "--runs", type=click.IntRange(1, 1000), default=5, show_default=True, help="Runs of the load at --target."
)
@click.option("--within", type=Duration(), default="10m", show_default=True, help="Answer in so long at the latest.")
@click.option("--bypass", metavar="NAME", help="Pass whatever is measured, in the name of a person; needs --reason.")
@click.option("--reason", metavar="TEXT", help="Why it is to pass; kept with the job.")
@measure_options
@output_options
def command(ref: str, against: str | None, within: Seconds, **options: Any) -> int:
    """Pass or fail for a pipeline: is REF worse than another commit, and does it keep its limits?

    With --target URL nothing is built: the scenario's load runs against what is deployed there.

    Exit codes: 0 no worse and every limit kept, 1 worse or a limit broken, 3 cannot tell within the time; 2, 4, 5 and
    130 as for bisect.
    """
    # Imported here: help and mistyped options are answered without what only a measurement needs.
    from bisector.cli.checking import check

    return check(ref, against, within, options)
