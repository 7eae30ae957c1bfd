"""`bisector try`: does a patch on top of bad restore good's level?"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bisector.cli.options import Duration, OutputOptions, output_options, queue_options
from bisector.cli.session import start, wired
from bisector.core.model.request import Budget, JobKind, Request
from bisector.core.model.scenario import Direction
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.units import Bytes
from bisector.errors import UsageError

if TYPE_CHECKING:
    from bisector.core.model.trials import Transplant
    from bisector.engine.ports import Repository

LARGEST: Bytes = 64 << 20
STANDARD_INPUT, WORK_TREE = "-", "."
MOST_NAMED = 8


@click.command(name="try")
@click.argument("patch")
@click.argument("job")
@click.option("--max-runs", type=click.IntRange(1), help="Most measured runs.")
@click.option("--max-builds", type=click.IntRange(1), help="Most builds.")
@click.option("--max-time", type=Duration(), help="Longest time, like 30m.")
@click.option("--reuse/--no-reuse", default=True, help="Take over the job's samples.  [default: reuse]")
@output_options
@queue_options
def command(patch: str, job: str, reuse: bool, **options: Any) -> int:
    """Put PATCH on top of the bad commit of JOB, and measure that in turns with bad and good.

    PATCH is a file as `git diff` makes it, - for standard input, or . for the uncommitted changes of the work tree.
    Scenario, ends, builds and samples are those of the job.

    Exit codes: 0 good's level is restored, 1 it is not, 3 cannot tell; 2, 4, 5 and 130 as for bisect.
    """
    with wired() as wiring:
        asked = wiring.store.job(job).request
        if asked.worktree is not None:
            raise UsageError(
                f"job {job} compares with uncommitted changes", then="Try the patch on a job of two commits"
            )
        repository, runner = wiring.for_request(asked)
        content = _read(patch, repository)
        _check(repository.patched(content, asked.bad), asked)
        text = patch if patch in {STANDARD_INPUT, WORK_TREE} else str(Path(patch).resolve())
        trial = Trial(kind=TrialKind.PATCH, patch=wiring.artifacts.keep(content), text=text, job=job)
        request = replace(
            asked,
            kind=JobKind.TRY,
            trial=trial,
            search=replace(asked.search, direction=Direction.EITHER, skip=()),
            budget=Budget(runs=options["max_runs"], builds=options["max_builds"], seconds=options["max_time"]),
            profile=False,
            profile_ends=False,
            verify_revert=False,
            head=None,
            reuse_samples=reuse,
        )
        return start(
            request,
            wiring,
            (repository, runner),
            OutputOptions.of(options),
            lambda made: click.echo(f"job {made}, on what job {job} has built and measured", err=True),
        )


def _read(patch: str, repository: "Repository") -> bytes:
    """The patch; UsageError when there is none."""
    if patch == WORK_TREE:
        content = repository.uncommitted()
        if not content:
            raise UsageError("the work tree has no uncommitted changes", where=repository.location)
        return content
    if patch == STANDARD_INPUT:
        content = sys.stdin.buffer.read(LARGEST + 1)
    else:
        try:
            with Path(patch).open("rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise UsageError(f"the patch cannot be read: {error.strerror}", where=patch) from None
    if not content.strip():
        raise UsageError("the patch is empty", where="" if patch == STANDARD_INPUT else patch)
    return content


def _check(made: "Transplant", asked: Request) -> None:
    """A patch that does not fit makes no job."""
    if made.conflicts:
        files = ", ".join(made.conflicts[:MOST_NAMED])
        what = f"the patch does not apply to bad, {asked.bad[:12]}: {files}"
        raise UsageError(what, then="Make it on top of that commit")
