"""Bringing a database's schema up to date, in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select

from bisector.adapters.store.database import Database, revision_of
from bisector.adapters.store.tables import REVISION, metadata

SCRIPTS = Path(__file__).parent / "migrations"
MIGRATING = 0x6D696772
"""The advisory lock of PostgreSQL under which one process migrates at a time."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate to `revision`. The write lock is held throughout: of two processes one migrates and the other waits."""
    with database.unchecked() as connection:
        if not database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        database.refuse_newer(revision_of(connection))  # under the lock: another version may just have migrated it
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if database.prepare is not None:
            database.prepare(connection.connection.driver_connection)


def differences(connection: Connection) -> list[str]:
    """How the schema in the database differs from the one this version wants; empty when it does not."""
    from alembic.autogenerate import compare_metadata

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _is_ours})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def _is_ours(_object: object, name: str | None, *_rest: object) -> bool:
    """Whether a table is ours; the dispatcher's stand beside it."""
    return name is None or not name.startswith("procrastinate_")


def newest() -> str:
    """The newest revision among the migrations; the same as `REVISION`."""
    return REVISION


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config
