"""`bisector doctor`: look at this machine and say what to do about each finding."""

import click

from bisector.cli.session import wired
from bisector.report.text import one_line

SIGNS = {"fine": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command(name="doctor")
@click.option("--image", default="python:3.11-slim", show_default=True, help="Base image for trying Docker out.")
def command(image: str) -> int:
    """Check engine, git, database, disk, processors and clock speed. Exit code 1 when something is broken."""
    from bisector.wiring import look_around

    broken = False
    with wired() as wiring:
        for finding in look_around(wiring, image):
            sign, colour = SIGNS[finding.judgement]
            broken = broken or finding.judgement == "problem"
            click.echo(f"{click.style(sign, fg=colour)} {finding.subject:<18} {one_line(finding.seen, 200)}")
            if finding.advice:
                click.echo(f"  {'':<18} → {one_line(finding.advice, 300)}")
    return 1 if broken else 0
