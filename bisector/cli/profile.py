"""`bisector profile`: where one commit spends its time, or what another spends more."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from bisector.cli.answer import write_profiles
from bisector.cli.intake import take_in, tell_runner
from bisector.cli.options import MeasureOptions, SearchOptions, measure_options
from bisector.cli.progress import watching
from bisector.cli.session import wired
from bisector.core.explain.difference import Difference
from bisector.core.model.request import JobKind
from bisector.engine.profiling import profile_commits
from bisector.errors import MeasurementFailed
from bisector.report.explanation import Explanation, explanations_of, wanted_files
from bisector.report.numbers import percent, quantity
from bisector.report.suspects.section import sections_of
from bisector.report.text import one_line

MOST_FUNCTIONS = 15


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
        _tell(explanations[0], single=single)
        click.echo("\n".join(artifact.path for artifact in written))
    return 0


def _tell(explanation: Explanation, *, single: bool) -> None:
    """What was seen: the dearest functions of one side, or why the other is slower."""
    if single and explanation.difference is not None:
        click.echo(explanation.method)
        click.echo("\n".join(_dearest(explanation.difference)))
        return
    for section in sections_of([explanation]):
        click.echo("\n".join(section.text))


def _dearest(found: Difference) -> Iterator[str]:
    """The functions that cost most by themselves, a line each."""
    whole, unit = found.total.after, found.unit.value
    yield f"{'own':>8} {'with what it calls':>20}"
    for index in np.argsort(-found.own.after, kind="stable")[:MOST_FUNCTIONS].tolist():
        own, total = float(found.own.after[index]), float(found.inclusive.after[index])
        if own > 0:
            name = one_line(found.frames[index].label, 120)
            yield f"{percent(own / whole):>8} {percent(total / whole):>8} {quantity(total, unit):>11}  {name}"


def _waiting(owner: int | None) -> None:
    click.echo(f"bisector: waiting for process {owner}, which is measuring on this host", err=True)
