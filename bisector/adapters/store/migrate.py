"""Bringing a database's schema up to date, in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from bisector.adapters.store.database import Database
from bisector.adapters.store.tables import REVISION, metadata

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate to `revision`. The write lock is held throughout: of two processes one migrates and the other waits."""
    with database.unchecked() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def differences(connection: Connection) -> list[str]:
    """How the schema in the database differs from the one this version wants; empty when it does not."""
    from alembic.autogenerate import compare_metadata

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def newest() -> str:
    """The newest revision among the migrations; the same as `REVISION`."""
    return REVISION


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
