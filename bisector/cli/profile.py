"""`bisector profile`: where one commit spends its time, or what another spends more."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bisector.cli.options import MeasureOptions, SearchOptions, measure_options
from bisector.cli.session import wired
from bisector.core.model.request import JobKind
from bisector.errors import MeasurementFailed


@click.command(name="profile")
@click.argument("ref")
@click.argument("other", required=False, metavar="[REF]")
@measure_options
@click.option("--report", metavar="DIR", help="Write the profiles there.  [default: the state directory]")
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
def command(ref: str, other: str | None, command_line: tuple[str, ...], report: str | None, **options: Any) -> int:
    """Profile the scenario at one commit, or at two and compare them. The second may be `.`: the work tree as it is.

    Writes each side for speedscope and as folded stacks, and the flame graphs; nothing is measured.
    """
    from bisector.cli.answer import write_profiles
    from bisector.cli.dearest import tell
    from bisector.cli.intake import take_in, tell_runner
    from bisector.cli.progress import watching
    from bisector.engine.profiling import profile_commits
    from bisector.report.explanation import explanations_of, wanted_files

    measure = MeasureOptions(
        command=command_line, **{name: options[name] for name in MeasureOptions.__dataclass_fields__ if name in options}
    )
    with wired() as wiring:
        intake = take_in(wiring, (ref, other or ref), measure, SearchOptions(), JobKind.COMPARE)
        tell_runner(intake)
        with watching("profile", quiet=False) as observer:
            ports = wiring.passing_ports(intake.repository, intake.runner, (observer,))
            done = profile_commits(intake.request, ports, wiring.stop, _waiting)
        files = {name: content for name in wanted_files(done) if (content := wiring.kept(name)) is not None}
        explanations = explanations_of(done, files)
        if not explanations or explanations[0].after is None:
            raise MeasurementFailed("; ".join(explanations[0].problems if explanations else ["nothing was captured"]))
        name = "-".join(dict.fromkeys((intake.request.good[:10], intake.request.bad[:10])))
        directory = Path(report) if report else wiring.artifacts.report(f"profile-{name}")
        single = explanations[0].old == explanations[0].new
        written = write_profiles([replace(each, before=None) if single else each for each in explanations], directory)
        tell(explanations[0], single=single)
        click.echo("\n".join(artifact.path for artifact in written))
    return 0


def _waiting(owner: int | None) -> None:
    click.echo(f"bisector: waiting for process {owner}, which is measuring on this host", err=True)
