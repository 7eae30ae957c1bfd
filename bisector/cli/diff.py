"""`bisector diff`: the difference of two profile files of any tool."""

from typing import Any

import click


@click.command(name="diff")
@click.argument("before", metavar="A", type=click.Path())
@click.argument("after", metavar="B", type=click.Path())
@click.option("--share", is_flag=True, help="Compare shares of each side's total, not costs.")
@click.option("--work", type=(float, float), default=(1.0, 1.0), metavar="A B", help="Units of work each side did.")
@click.option("--rate", type=float, metavar="HZ", help="Samples a second, where the files hold only counts.")
@click.option("--source", "sources", multiple=True, metavar="DIR", help="A directory the sources lay in; repeatable.")
@click.option("--html", metavar="FILE", help="Write a page with flame graphs.")
@click.option("--svg", metavar="FILE", help="Write the difference as a picture.")
@click.option("--markdown", metavar="FILE", help="Write a table for an issue.")
@click.option("--json", metavar="FILE", help="Write the result for a program.")
@click.option("--convert", metavar="DIR", help="Write both sides as folded stacks and for speedscope.")
def command(before: str, after: str, **options: Any) -> int:
    """What profile B costs more than profile A, and in which functions.

    A and B are profiles of any of these tools: py-spy (raw, speedscope), pyinstrument (pyisession, speedscope), `perf
    script`, pprof (Go, Pyroscope), folded stacks; each may be gzipped. A directory stands for several captures of one
    side, which is how noise can be told. FILE may be `-` for standard output.
    """
    # Imported here: help and mistyped options are answered without what only the work needs.
    from bisector.cli.differ import differ

    return differ(before, after, options)
