"""`bisector demo`: a made-up regression, from nothing to a report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bisector.cli.demo_history import PLANTED, demo_stream
from bisector.cli.options import MeasureOptions, OutputOptions, SearchOptions
from bisector.cli.session import as_it_stands, wired, work_on
from bisector.core.model.request import JobKind
from bisector.errors import UsageError

if TYPE_CHECKING:
    from bisector.core.model.investigation import Investigation


@click.command(name="demo")
@click.option("--in", "directory", type=click.Path(path_type=Path), help="Make the repository there, and keep it.")
@click.option("--runner", type=click.Choice(["auto", "docker", "local"]), default="auto", show_default=True)
@click.option("--scenario", type=click.Choice(sorted(PLANTED)), default="demo", show_default=True)
@click.option("--only-repository", is_flag=True, help="Make the repository and stop there.")
@click.option("--report", metavar="DIR", help="Write the report there.  [default: the state directory]")
def command(directory: Path | None, runner: str, scenario: str, only_repository: bool, report: str | None) -> int:
    """Make a repository of forty merges and commits with a planted slowdown, and bisect it.

    The slowdown sits in a commit inside a merge; three commits do not build; the noise is this machine's own.
    """
    from bisector.cli.intake import take_in, tell_runner
    from bisector.wiring import make_repository

    with wired() as wiring:
        where = directory or wiring.settings.cache_dir / "demo" / "repository"
        if not (where / ".git").exists():
            if where.exists() and any(where.iterdir()):
                raise UsageError("the directory is not empty", where=str(where), then="Name another with --in")
            make_repository(where, demo_stream(), wiring.stop)
        click.echo(f"repository: {where}", err=True)
        if only_repository:
            return 0
        measure = MeasureOptions(repo=str(where), scenario=scenario, runner=runner, reuse=False)
        intake = take_in(wiring, ("v1.0", "main"), measure, SearchOptions(), JobKind.BISECT)
        tell_runner(intake)
        job = wiring.store.create(intake.request)
        output = OutputOptions(json=None, events=None, report=report)
        code = work_on(job, wiring, (intake.repository, intake.runner), output)
        click.echo(_compared_with_truth(as_it_stands(job, wiring), PLANTED[scenario]))
        return code


def _compared_with_truth(investigation: "Investigation", planted: str) -> str:
    """What was planted, and whether that is what was found."""
    from bisector.core.model.history import LineName, Place
    from bisector.core.model.verdict import VerdictKind

    verdict = investigation.verdict
    if verdict is None or verdict.kind is not VerdictKind.CULPRIT:
        return f"Planted was: {planted!r}."
    culprit = verdict.culprits[0]
    named = {investigation.commit(culprit.place).subject}
    if culprit.inner is not None:
        named |= {investigation.commit(Place(line=LineName.INNER, index=i)).subject for i in culprit.inner.members}
    return f"Planted was: {planted!r}. {'That is what was found.' if planted in named else 'That was not found.'}"
