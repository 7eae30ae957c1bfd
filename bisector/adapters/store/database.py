"""Connections: SQLite set up so that nothing is lost or claimed twice, any other database by its URL."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)

from bisector.adapters import durable
from bisector.adapters.store.tables import REVISION, REVISIONS
from bisector.errors import EnvironmentFault, NewerDatabase, StoreError, UsageError

BUSY_SECONDS = 10.0
ENCODED = {"client_encoding": "utf8"}
"""A cluster that was made where no locale is set has no encoding, and the driver would then give bytes for text."""
SERVER = {
    "options": "-c idle_in_transaction_session_timeout=15s -c lock_timeout=10s",
    "connect_timeout": 10,
    "tcp_user_timeout": 15_000,
    **ENCODED,
}
"""A process that is stopped in the middle of a transaction must not keep its rows locked for longer than a lease; and a
server that vanished without a word is not waited for longer than one that says it is away (milliseconds, the last)."""
READ_ONLY = "25006"
STANDBY = "Is this a standby? `target_session_attrs=read-write` in its URL finds the one that is written to"
WAL_FIXED_IN = (3, 51, 3)
WAL_BACKPORTS = frozenset({(3, 44, 6), (3, 50, 7)})
"""SQLite before these can corrupt a write-ahead log that several connections write and checkpoint at once."""


def journal_mode(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """The journal mode that is safe with this SQLite library."""
    return "wal" if version >= WAL_FIXED_IN or version in WAL_BACKPORTS else "truncate"


class Database:
    """An engine whose writing transactions begin at once, so that none fails half way for a lock."""

    def __init__(self, url: str, prepare: Callable[[Any], None] | None = None) -> None:
        """`url` as SQLAlchemy writes it; nothing is opened before the first transaction.

        `prepare` makes what else is to be in the database when its schema is brought up to date, in that transaction;
        it is given the driver's own connection.
        """
        self.prepare = prepare
        try:
            self.url: URL = make_url(url)
            own = {} if url.startswith("sqlite") else {"pool_pre_ping": True, "connect_args": SERVER}
            self._engine = create_engine(self.url, **own)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise UsageError(f"not a usable database URL: {error}", where="BISECTOR_DATABASE_URL") from None
        if self.is_sqlite:
            _prepare_sqlite(self._engine)
        self._checked = False
        self._alone = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is one file on this machine."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def parameters(self) -> Mapping[str, str]:
        """libpq's parameters, password included, to connect to it or, where there are several, to each of its hosts."""
        _, wanted = self._engine.dialect.create_connect_args(self.url)
        # `context` is how SQLAlchemy adapts types.
        return {**{name: str(value) for name, value in wanted.items() if name != "context"}, **ENCODED}

    @property
    def where(self) -> str:
        """The database as messages name it, without a password."""
        return str(self.url.database) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        self._check_once()
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on leaving, what it wrote is durable, or nothing of it happened."""
        self._check_once()
        # SQLite's waiting is a lottery: of many threads that write, some lose for longer than any time-out.
        with self._alone if self.is_sqlite else nullcontext(), self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def unchecked(self) -> Iterator[Connection]:
        """A writing transaction on a schema that may be older than ours: for migrations."""
        with self._transaction(writes=True) as connection:
            yield connection

    def revision(self) -> str | None:
        """The schema's revision; None for an empty database."""
        with self._transaction(writes=False) as connection:
            return revision_of(connection)

    def refuse_newer(self, revision: str | None) -> None:
        """NewerDatabase where the schema is one that this version does not know."""
        if revision is not None and revision not in REVISIONS:
            raise NewerDatabase(
                f"the database is from a newer version of bisector (schema {revision}, this one knows {REVISION})",
                where=self.where,
                then="Upgrade bisector, or point BISECTOR_STATE_DIR or BISECTOR_DATABASE_URL elsewhere",
            )

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(writes=writes) as connection:
                with connection.begin():
                    yield connection
                    if writes:
                        durable.passing("before commit")
                if writes:
                    durable.passing("after commit")
        except IntegrityError:
            # The database is well: two wanted what only one may have, and who asked knows what that means.
            raise
        except (OperationalError, InterfaceError) as error:
            raise _explained(error, self.where) from error
        except DatabaseError as error:
            if getattr(error.orig, "sqlstate", None) == READ_ONLY:
                raise StoreError("the database can only be read", where=self.where, then=STANDBY) from error
            advice = "Restore it from a backup, or move it away and start afresh"
            raise StoreError(f"the database cannot be used: {error.orig}", where=self.where, then=advice) from error

    def _check_once(self) -> None:
        """Bring a fresh or, on SQLite, an older schema up to date; refuse a newer one."""
        if self._checked:
            return
        revision = self.revision()
        self.refuse_newer(revision)
        if revision != REVISION:
            if revision is not None and not self.is_sqlite:
                advice = "Run `bisector db upgrade` while no worker runs"
                raise StoreError(f"the database has the older schema {revision}", where=self.where, then=advice)
            from bisector.adapters.store.migrate import upgrade

            upgrade(self)
        self._checked = True


def revision_of(connection: Connection) -> str | None:
    """The revision noted in the database of `connection`; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None


def sqlite_url(path: Path) -> str:
    """The URL of the SQLite database in `path`; its directory is made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        advice = "Set BISECTOR_STATE_DIR to a directory that can be written"
        raise EnvironmentFault(
            f"the state directory cannot be made: {error.strerror}", where=str(path.parent), then=advice
        ) from None
    return URL.create("sqlite", database=str(path)).render_as_string()


def _prepare_sqlite(engine: Engine) -> None:
    """Own the transactions: the driver's implicit ones take the write lock late, and two readers can then both win."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        cursor.execute(f"PRAGMA journal_mode = {journal_mode()}")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Begin with the write lock, looking for it every few milliseconds.

    SQLite's own waiting soon looks only ten times a second, and among several busy writers one can miss every gap.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"not a connection of SQLite: {driver!r}")
    limit = time.monotonic() + BUSY_SECONDS
    pause = 0.002 + 0.001 * (os.getpid() % 5)
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < limit:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(pause)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def _explained(error: DBAPIError, where: str) -> StoreError:
    told = str(error.orig).strip()
    if "locked" in told or "busy" in told:
        return StoreError(
            f"the database stayed locked for {BUSY_SECONDS:.0f} s", where=where, then="Is another job stuck?"
        )
    if "full" in told or "No space" in told:
        return StoreError("there is no space left for the database", where=where, then="Free some, then resume the job")
    if "unable to open" in told or "readonly" in told:
        return StoreError("the database cannot be opened for writing", where=where, then="Check who owns it")
    return StoreError(f"the database does not answer: {told}", where=where, then="Is it running and reachable?")
