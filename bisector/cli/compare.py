"""`bisector compare`: two commits measured against each other, without a search."""

from typing import Any

import click

from bisector.cli.options import (
    MeasureOptions,
    OutputOptions,
    SearchOptions,
    dry_run_option,
    duet_option,
    jobs_option,
    measure_options,
    output_options,
    parallel_option,
    queue_options,
)


@click.command(name="compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@measure_options
@duet_option
@parallel_option
@jobs_option
@dry_run_option
@output_options
@queue_options
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
def command(first: str, second: str, command_line: tuple[str, ...], **options: Any) -> int:
    """Measure commit A against commit B, in turns, until the difference is clear. B may be `.`: the work tree as it is.

    Exit codes: 0 no worse, 1 worse, 3 cannot tell; 2, 4, 5 and 130 as for bisect.
    """
    # Imported here: help and mistyped options are answered without what only a measurement needs.
    from bisector.cli.intake import take_in, tell_runner
    from bisector.cli.plan import show_comparison
    from bisector.cli.session import start, wired
    from bisector.core.model.request import JobKind

    measure = MeasureOptions(
        command=command_line, **{name: options[name] for name in MeasureOptions.__dataclass_fields__ if name in options}
    )
    output = OutputOptions.of(options)
    with wired() as wiring:
        intake = take_in(wiring, (first, second), measure, SearchOptions(), JobKind.COMPARE)
        tell_runner(intake)
        if options["dry_run"]:
            return show_comparison(intake)
        return start(intake.request, wiring, (intake.repository, intake.runner), output)
