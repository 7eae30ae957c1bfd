"""`bisector jobs rerun`: the same question again, or one that differs a little, on what is known already."""

from typing import TYPE_CHECKING, Any

import click

from bisector.cli.options import Duration, Moment, OutputOptions, output_options, queue_options
from bisector.cli.session import start, wired
from bisector.core.model.again import Changes, again
from bisector.core.model.request import JobKind, Request
from bisector.errors import UsageError

if TYPE_CHECKING:
    from bisector.engine.ports import Repository


@click.command(name="rerun")
@click.argument("job")
@click.option("--narrow", nargs=2, metavar="A B", help="Search between A and B only.")
@click.option("--add-runs", type=click.IntRange(1), help="Make so many runs more before answering.")
@click.option("--skip", metavar="REF", multiple=True, help="Do not test this commit, nor use its samples. Repeatable.")
@click.option("--retract", metavar="COMMIT", multiple=True, help="Drop the samples of this commit. Repeatable.")
@click.option("--metric", metavar="NAME", multiple=True, help="Answer for this metric instead. Repeatable.")
@click.option("--as-of", type=Moment(), help="Build everything anew with packages as of this day, 00:00 UTC.")
@click.option("--max-runs", type=click.IntRange(1), help="Most measured runs of the new job.")
@click.option("--max-builds", type=click.IntRange(1), help="Most builds of the new job.")
@click.option("--max-time", type=Duration(), help="Longest time of the new job, like 30m.")
@click.option(
    "--reuse/--no-reuse",
    default=None,
    help="Take over the earlier samples.  [default: where an option above changes the question]",
)
@output_options
@queue_options
def command(job: str, **options: Any) -> int:
    """Ask the same question again, as a new job; builds are reused.

    Without an option every sample is taken afresh. With one that changes the question the earlier samples are taken
    over and only what is missing is run.
    """
    from bisector.cli.intake import with_noise

    with wired() as wiring:
        before = wiring.store.job(job).request
        repository, runner = wiring.for_request(before)
        changes = _changes(before, repository, options)
        request = again(before, changes)
        if changes.metrics:
            request = with_noise(wiring, request, runner)
        return start(
            request,
            wiring,
            (repository, runner),
            OutputOptions.of(options),
            lambda made: click.echo(f"job {made}, like job {job}{_told(changes)}", err=True),
        )


def _changes(before: Request, repository: "Repository", options: dict[str, Any]) -> Changes:
    """What the options change, every name resolved; UsageError where it cannot be."""
    from bisector.cli.intake import check_as_of, check_metrics

    narrow = options["narrow"] or None
    if before.kind is not JobKind.BISECT and (narrow or options["skip"]):
        advice = "Make a new comparison instead"
        raise UsageError("a comparison has no range: --narrow and --skip are for bisects", then=advice)
    check_metrics(before.scenario, options["metric"])
    if options["as_of"] is not None:
        check_as_of(before.scenario.build)
    ends = None
    if narrow is not None:
        good, bad = (repository.resolve(ref).sha for ref in narrow)
        search = before.search
        repository.list_history(
            good, bad, every_commit=search.every_commit, paths=search.paths, suspects=search.suspects
        )
        ends = (good, bad)
    return Changes(
        reuse=options["reuse"],
        narrow=ends,
        narrow_text=narrow or ("", ""),
        skip=tuple(repository.resolve(ref).sha for ref in options["skip"]),
        retract=tuple(repository.resolve(ref).sha for ref in options["retract"]),
        metrics=options["metric"],
        add_runs=options["add_runs"] or 0,
        runs=options["max_runs"],
        builds=options["max_builds"],
        seconds=options["max_time"],
        as_of=options["as_of"],
    )


def _told(changes: Changes) -> str:
    """What differs, in a few words."""
    from bisector.report.numbers import count
    from bisector.report.text import SHORT

    parts = []
    if changes.narrow is not None:
        parts.append(f"between {changes.narrow_text[0]} and {changes.narrow_text[1]} only")
    if changes.skip:
        parts.append(f"without {', '.join(sha[:SHORT] for sha in changes.skip)}")
    if changes.retract:
        parts.append(f"the samples of {', '.join(sha[:SHORT] for sha in changes.retract)} retracted")
    if changes.metrics:
        parts.append(f"for {', '.join(changes.metrics)}")
    if changes.add_runs:
        parts.append(f"with {count(changes.add_runs, 'run')} more")
    if changes.as_of is not None:
        parts.append(f"with packages as of {changes.as_of}")
    parts.append("earlier samples are taken over" if changes.takes_over else "with fresh samples")
    return ": " + "; ".join(parts)
