"""Settings to the database and the queue on it."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from bisector.engine.dispatch import Inbox
from bisector.engine.ports import Clock
from bisector.engine.queue import Limits, Queue
from bisector.errors import UsageError
from bisector.settings import Settings

if TYPE_CHECKING:
    from bisector.adapters.processes import StoppedWorkers
    from bisector.adapters.store.database import Database


def make_database(settings: Settings) -> "Database":
    """The database of the settings; nothing is opened yet."""
    from bisector.adapters.store.database import Database, sqlite_url

    url = settings.database_url
    if url.startswith("postgresql"):
        return Database(url, _distributed().prepare)
    return Database(url or sqlite_url(settings.state_dir / "bisector.sqlite3"))


def make_queue(database: "Database", clock: Clock, settings: Settings) -> Queue:
    """The queue in `database`; on PostgreSQL with a dispatcher that carries word of it to other hosts."""
    from bisector.adapters.store.sql_queue import SqlQueue

    limits = Limits(lease=settings.lease_seconds, waiting=settings.queue_limit, per_repository=settings.per_repository)
    dispatcher = None if database.is_sqlite else _distributed().ProcrastinateDispatcher()
    return SqlQueue(database, clock, limits, dispatcher)


def stopped_workers(database: "Database", settings: Settings) -> "StoppedWorkers":
    """The workers of this machine that could keep others from `database`; on a server's nobody can."""
    from bisector.adapters.processes import StoppedWorkers

    if not database.is_sqlite:
        return StoppedWorkers(Path("/nonexistent"), settings.state_dir / "locks" / "workers")
    file = Path(str(database.url.database))
    # Beside the database: who shares it by its URL may have a state directory of their own.
    return StoppedWorkers(file, file.parent / "locks" / "workers")


def inbox_of(database: "Database", host: str, host_classes: tuple[str, ...]) -> Inbox | None:
    """The other end of the dispatcher, for a worker of `host`; None where there is none."""
    if database.is_sqlite:
        return None
    made: Inbox = _distributed().ProcrastinateInbox(database.parameters, host, host_classes)
    return made


def _distributed() -> ModuleType:
    """What PostgreSQL needs; UsageError where that is not installed."""
    try:
        from bisector.adapters.queue import dispatch
    except ImportError as error:
        advice = "Install it with: pip install 'bisector[distributed]'"
        raise UsageError(f"PostgreSQL needs {error.name}, which is not installed", then=advice) from None
    return dispatch
