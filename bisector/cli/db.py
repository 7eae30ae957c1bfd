"""`bisector db`: check or upgrade the database."""

import click

from bisector.cli.session import wired
from bisector.errors import StoreError


@click.group(name="db")
def command() -> None:
    """Check or upgrade the database."""


@command.command(name="check")
def check() -> int:
    """Say whether the database is there, sound and of this version's schema. Exit code 0 when it is."""
    from bisector.wiring import schema_differences

    with wired() as wiring:
        revision = wiring.database.revision()
        click.echo(f"database   {wiring.database.where}")
        click.echo(f"schema     {revision or 'none yet: made at the first job'}")
        if revision is None:
            return 0
        wiring.store.jobs()
        different = schema_differences(wiring.database)
        if different:
            raise StoreError(f"the schema differs: {different[0]}", where=wiring.database.where)
        click.echo("sound      yes")
        return 0


@command.command(name="upgrade")
def upgrade() -> int:
    """Bring the schema up to date, in one transaction."""
    from bisector.wiring import upgrade_schema

    with wired() as wiring:
        before = wiring.database.revision()
        after = upgrade_schema(wiring.database)
        click.echo(f"{wiring.database.where}: schema {before or 'none'} → {after}")
        return 0
