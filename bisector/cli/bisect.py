"""`bisector bisect`: from two commits to the merge that made the difference."""

from typing import Any

import click

from bisector.cli.options import (
    MeasureOptions,
    OutputOptions,
    SearchOptions,
    duet_option,
    jobs_option,
    measure_options,
    output_options,
    parallel_option,
    queue_options,
    search_options,
)


@click.command(name="bisect", context_settings={"ignore_unknown_options": False})
@click.argument("good")
@click.argument("bad")
@measure_options
@duet_option
@parallel_option
@jobs_option
@search_options
@output_options
@queue_options
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
def command(good: str, bad: str, command_line: tuple[str, ...], **options: Any) -> int:
    """Find the merge between GOOD and BAD that made a scenario slower (or faster), and the commit inside it.

    GOOD and BAD are any refs. Without --scenario the COMMAND after -- is run in each checkout and its wall time is
    compared, or what it prints when that is a number or a JSON object.

    Exit codes: 0 found, 1 not reproduced, 2 usage, 3 inconclusive, 4 failed, 5 the machine is at fault, 130 stopped.
    """
    # Imported here: help and mistyped options are answered without what only a search needs.
    from bisector.cli.intake import take_in, tell_runner
    from bisector.cli.plan import show_plan
    from bisector.cli.session import start, wired
    from bisector.core.model.request import JobKind

    measure = MeasureOptions(command=command_line, **_those(options, MeasureOptions))
    search = SearchOptions(every_commit=not options["first_parent"], **_those(options, SearchOptions))
    output = OutputOptions.of(options)
    with wired() as wiring:
        intake = take_in(wiring, (good, bad), measure, search, JobKind.BISECT)
        tell_runner(intake)
        if search.dry_run:
            return show_plan(intake)
        return start(intake.request, wiring, (intake.repository, intake.runner), output)


def _those(options: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    """The options that `kind` has a field for."""
    return {name: options[name] for name in kind.__dataclass_fields__ if name in options}
