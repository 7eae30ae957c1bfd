"""`bisector doctor`: look at this machine and say what to do about each finding."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from bisector.cli.session import wired
from bisector.errors import UsageError
from bisector.report.text import one_line

SIGNS = {"fine": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command(name="doctor")
@click.option("--image", default="python:3.11-slim", show_default=True, help="Base image for trying Docker out.")
@click.option("--profilers", is_flag=True, help="Profile a short program with every profiler instead; some minutes.")
@click.option("--into", metavar="FILE", help="Put the table of profilers into this Markdown file, between its marks.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON, for programs.")
@click.option("--tune", is_flag=True, help="Say which settings of the kernel would be changed to measure more evenly.")
@click.option("--yes", is_flag=True, help="With --tune: change them, and write down what stood there.")
@click.option("--hold", is_flag=True, help="With --tune --yes: until Ctrl-C, then take it back.")
@click.option("--untune", is_flag=True, help="Take back what --tune --yes changed, also after a crash.")
def command(image: str, into: str | None, **flags: bool) -> int:
    """Check this machine, its engine, the database and the queue, and say what to do about each finding.

    Exit code 1 when something is broken (✗); what could be better (!) breaks nothing.

    With --profilers a short program is profiled in every way there is, here and in Docker, and a table says what worked
    and what keeps the rest from it.

    With --tune it says which settings of the kernel (frequency, turbo, threads a core, address layout, what profilers
    may see) would be changed for measuring; --yes changes those that this user may, --untune takes it back.
    """
    profilers, as_json = flags["profilers"], flags["as_json"]
    if flags["tune"] or flags["untune"]:
        from bisector.cli.tuning import tune, untune

        if flags["tune"] and flags["untune"]:
            raise UsageError("--tune and --untune are opposites", then="Take one of them away")
        return untune() if flags["untune"] else tune(really=flags["yes"], hold=flags["hold"])
    if flags["yes"] or flags["hold"]:
        raise UsageError("--yes and --hold are for --tune", then="Add --tune")
    if into is not None and not profilers:
        raise UsageError("--into is for the table of --profilers", then="Add --profilers")
    if profilers and as_json:
        raise UsageError("--json is for the findings, and --profilers prints a table", then="Take one of them away")
    return _profilers(image, into) if profilers else _look_around(image, as_json=as_json)


def _profilers(image: str, into: str | None) -> int:
    from bisector.cli.profilers import put_into, surroundings, table, tried
    from bisector.wiring.machine import engine_version

    with wired() as wiring:
        lines = [surroundings(engine_version(wiring)), "", *table(tried(wiring, image))]
    click.echo("\n".join(lines))
    if into is not None:
        put_into(Path(into), lines)
    return 0


def _look_around(image: str, *, as_json: bool) -> int:
    from bisector.wiring.machine import look_around

    found = []
    with wired() as wiring:
        for finding in look_around(wiring, image):
            found.append(finding)
            if as_json:
                continue
            sign, colour = SIGNS[finding.judgement]
            click.echo(f"{click.style(sign, fg=colour)} {finding.subject:<18} {one_line(finding.seen, 200)}")
            if finding.advice:
                click.echo(f"  {'':<18} → {one_line(finding.advice, 300)}")
    if as_json:
        click.echo(json.dumps({"schema": 1, "findings": [asdict(finding) for finding in found]}, indent=2))
    return 1 if any(finding.judgement == "problem" for finding in found) else 0
