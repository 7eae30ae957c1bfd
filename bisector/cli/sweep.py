"""`bisector sweep`: scenarios measured night after night, for those who run them by cron, and what became of them."""

import click

from bisector.errors import UsageError


@click.group(name="sweep")
def command() -> None:
    """Scenarios measured night after night: [[sweeps]] in bisector.toml says which, and when."""


@command.command(name="run")
@click.option("--once", is_flag=True, help="Do what is due now, measuring and searching in this process, and end.")
@click.option("--enqueue", is_flag=True, help="Only ask for what is due: workers do it.")
def run(once: bool, enqueue: bool) -> int:
    """See to what is due. `bisector serve` does that by itself, and leaves the work to workers.

    Exit codes: 0 done, whatever was found; 2, 4 or 5 where a sweep could not be seen to.
    """
    if once == enqueue:
        raise UsageError("either --once or --enqueue", then="--once does the work here, --enqueue leaves it to workers")
    # Imported here and below: help and mistyped options are answered without what only the work needs.
    from bisector.cli.sweeping import see_to_what_is_due

    return see_to_what_is_due(enqueue=enqueue)


@command.command(name="list")
def list_series() -> int:
    """The series there are: level, last night, open changes, next look.

    Exit codes: 0; 2 where a sweep's scenarios cannot be read, after the others were listed.
    """
    from bisector.cli.sweeping import print_series

    return print_series()


@command.command(name="accept")
@click.argument("series")
@click.option("--note", metavar="TEXT", default="", help="Why it is as it should be; kept with it.")
def accept(series: str, note: str) -> int:
    """Take the newest night of SERIES (or the only one whose name holds it) as the level to compare with.

    Changes that are open are known from then on.
    """
    from bisector.cli.sweeping import accept_newest

    accept_newest(series, note)
    return 0
