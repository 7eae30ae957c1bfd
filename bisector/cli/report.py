"""`bisector report`: write a job's report again."""

import json
from typing import Any

import click

from bisector.cli.answer import show
from bisector.cli.options import OutputOptions, output_options
from bisector.cli.session import as_it_stands, wired
from bisector.errors import UsageError


@click.command(name="report")
@click.argument("job", required=False)
@output_options
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the result instead.")
def command(job: str | None, schema: bool, **output: Any) -> int:
    """Write the report of a job: HTML, Markdown and JSON, and say where it is."""
    if schema:
        from bisector.report.json_export import result_schema

        click.echo(json.dumps(result_schema(), indent=2))
        return 0
    if job is None:
        raise UsageError("no job is named", then="`bisector jobs list` shows those there are")
    with wired() as wiring:
        return show(as_it_stands(job, wiring), wiring, OutputOptions(**output))
