"""`bisector verify`: a commit taken out of bad, or put on top of good: how much of the change does it give back?"""

from dataclasses import replace
from typing import Any

import click

from bisector.cli.options import (
    MeasureOptions,
    OutputOptions,
    SearchOptions,
    measure_options,
    output_options,
    queue_options,
)


@click.command(name="verify")
@click.argument("commit")
@click.option("--bad", metavar="REF", default="HEAD", show_default=True, help="Where the change is seen.")
@click.option("--good", metavar="REF", help="Where it is not.  [default: the commit's first parent]")
@click.option(
    "--apply", "apply", is_flag=True, help="Put the commit on top of good instead: does it bring bad's level?"
)
@measure_options
@output_options
@queue_options
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
def command(commit: str, bad: str, good: str | None, command_line: tuple[str, ...], **options: Any) -> int:
    """Revert COMMIT (of a merge all that it brought in) on top of bad, and measure that in turns with bad and good.

    Your repository is not touched: the revert is made in a mirror of our own. One that conflicts is said to, with the
    files.

    Exit codes: 0 the change is given back, 1 it is not, 3 cannot tell; 2, 4, 5 and 130 as for bisect.
    """
    # Imported here: help and mistyped options are answered without what only a measurement needs.
    from bisector.cli.intake import take_in, tell_runner
    from bisector.cli.session import start, wired
    from bisector.core.model.request import JobKind
    from bisector.core.model.trial import Trial, TrialKind

    measure = MeasureOptions(
        command=command_line, **{name: options[name] for name in MeasureOptions.__dataclass_fields__ if name in options}
    )
    output = OutputOptions.of(options)
    with wired() as wiring:
        ends = (good or f"{commit}^", bad)
        intake = take_in(wiring, ends, measure, SearchOptions(), JobKind.VERIFY)
        kind = TrialKind.APPLY if options["apply"] else TrialKind.REVERT
        sha = intake.repository.resolve(commit).sha
        if kind is TrialKind.REVERT:
            _check_contained(intake.repository, sha, intake.request.bad)
        trial = Trial(kind=kind, commit=sha, text=commit)
        request = replace(intake.request, trial=trial, profile=bool(measure.profile))
        tell_runner(intake)
        return start(request, wiring, (intake.repository, intake.runner), output)


def _check_contained(repository: Any, commit: str, bad: str) -> None:
    """What bad does not contain cannot be taken out of it."""
    from bisector.errors import RefError, UsageError

    if commit == bad:
        return
    try:
        listed = repository.list_history(commit, bad, every_commit=False, paths=())
    except RefError:
        listed = None
    if listed is None or not listed.bad_contains_good:
        what = f"{commit[:12]} is not in bad, {bad[:12]}: there is nothing to take out"
        raise UsageError(what, then="Name a commit of bad's history, or put it on top of good with --apply")
