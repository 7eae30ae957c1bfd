"""`bisector reproduce`: parent against culprit of an evidence bundle, measured again on this host."""

from pathlib import Path
from typing import Any

import click

from bisector.cli.options import OutputOptions, output_options


@click.command(name="reproduce")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--runner", type=click.Choice(["docker", "local"]), default="docker", show_default=True, help="Where.")
@output_options
def command(bundle: Path, runner: str, **options: Any) -> int:
    """Build and measure parent and culprit of BUNDLE again: does this host agree with the one it comes from?

    A bundle brings code that is built and run here. In Docker it is fenced in; --runner local isolates nothing.

    Exit codes: 0 agree, 1 disagree or specific to a host, 3 cannot tell; 2, 4, 5 and 130 as for bisect.
    """
    # Imported here: help and mistyped options are answered without what only a measurement needs.
    from bisector.cli.reproducing import reproduce

    return reproduce(bundle, runner, OutputOptions.of(options))
