"""`bisector report`: write a job's report again."""

import json
from pathlib import Path
from typing import Any

import click

from bisector.cli.options import OutputOptions, output_options
from bisector.cli.session import as_it_stands, wired
from bisector.errors import UsageError


@click.command(name="report")
@click.argument("job", required=False)
@output_options
@click.option("--bundle", metavar="FILE", help="Write the evidence to FILE.tar.gz too, for `bisector reproduce`.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the result instead.")
def command(job: str | None, schema: bool, bundle: str | None, **output: Any) -> int:
    """Write the report of a job: HTML, Markdown and JSON, and say where it is."""
    if schema:
        from bisector.report.json_export import result_schema

        click.echo(json.dumps(result_schema(), indent=2))
        return 0
    if job is None:
        raise UsageError("no job is named", then="`bisector jobs list` shows those there are")
    from bisector.cli.answer import report_directory, show

    with wired() as wiring:
        investigation, options = as_it_stands(job, wiring), OutputOptions(**output)
        code = show(investigation, wiring, options)
        if bundle is not None:
            from bisector.cli.evidence import bundle as write

            write(investigation, wiring, report_directory(wiring, job, options), Path(bundle))
            click.echo(f"Bundle: {Path(bundle).resolve()}", err="-" in (options.json, options.events))
        return code
