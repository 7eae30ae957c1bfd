"""Procrastinate as a messenger: it carries the number of a job; what is true stands in our own tables."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import psycopg_pool
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg.conninfo import make_conninfo

from bisector.core.model.units import Seconds
from bisector.engine.dispatch import Message
from bisector.errors import StoreError

TASK = "bisector.work"
EAR = "listener"
"""What the messenger calls its task that listens. It ends when the database is away for longer than a moment, and
nobody there sees: the watch over its tasks ends with the first that ends, and with no periodic jobs that is at once."""
ASK: Seconds = 0.25
"""How often it is asked whether the worker goes on."""
BY_ITSELF: Seconds = 15.0
"""How often a worker looks for a job of which no word arrived."""
TIDY: Seconds = 60.0
STALLED: Seconds = 120.0
"""How old the pulse of a messenger is whose messages are thrown away; jobs do not depend on it."""

# Without a handler of the operator's what it warns of would go to standard error in a form of its own.
logging.getLogger("procrastinate").addHandler(logging.NullHandler())


class ProcrastinateDispatcher:
    """Implements `bisector.engine.dispatch.Dispatcher`. It has no connection: a message goes with its transaction."""

    def __init__(self) -> None:
        """Nothing is opened."""
        self._app = App(connector=SyncPsycopgConnector())

    def announce(self, connection: object, message: Message) -> None:
        """Send word in the transaction of `connection`, the database driver's own: it is sent if that commits."""
        options: dict[str, Any] = {"queue": queue_of(message.host_class, message.host)}
        if message.rest:
            options["schedule_in"] = {"seconds": message.rest}
        task = self._app.configure_task(TASK, priority=int(message.priority), connection=connection, **options)
        task.defer(job=message.job, attempt=message.attempt)


class ProcrastinateInbox:
    """Implements `bisector.engine.dispatch.Inbox`."""

    def __init__(self, database: Mapping[str, str], host: str, host_classes: tuple[str, ...]) -> None:
        """Listens for the host's own queue, and those of its classes. `database` is libpq's parameters to connect."""
        self._conninfo = make_conninfo(**database)
        self._queues = [queue_of("", host), *(queue_of(each, "") for each in host_classes)]

    def run(self, take: Callable[[str | None], object], goes_on: Callable[[], bool]) -> None:
        """Call `take` with one job after the other for as long as `goes_on`; StoreError when the database is away."""
        try:
            asyncio.run(self._run(take, goes_on))
        except (ProcrastinateException, psycopg.Error, psycopg_pool.PoolTimeout, OSError) as error:
            raise StoreError(f"the database does not answer: {error.__cause__ or error}") from error

    async def _run(self, take: Callable[[str | None], object], goes_on: Callable[[], bool]) -> None:
        app = App(connector=PsycopgConnector(conninfo=self._conninfo, min_size=1, max_size=4, timeout=10))

        @app.task(name=TASK)
        def work(job: str, attempt: int) -> None:
            del attempt
            take(job)

        async with app.open_async():
            listening = asyncio.create_task(
                app.run_worker_async(
                    queues=self._queues, concurrency=1, install_signal_handlers=False, delete_jobs="always"
                )
            )
            try:
                await self._attend(app, listening, take, goes_on)
            finally:
                listening.cancel()
                await asyncio.wait([listening])
            if not listening.cancelled() and (error := listening.exception()) is not None:
                raise error

    async def _attend(
        self,
        app: App,
        listening: "asyncio.Task[None]",
        take: Callable[[str | None], object],
        goes_on: Callable[[], bool],
    ) -> None:
        looked = tidied = time.monotonic()
        ear = None
        while goes_on() and not listening.done() and (ear is None or not ear.done()):
            await asyncio.sleep(ASK)
            ear = ear or next((task for task in asyncio.all_tasks() if task.get_name() == EAR), None)
            now = time.monotonic()
            if now - looked >= BY_ITSELF:
                await asyncio.to_thread(take, None)
                looked = time.monotonic()
            if now - tidied >= TIDY:
                await _tidy(app)
                tidied = now


async def _tidy(app: App) -> None:
    """Throw away the messages that messengers had in hand when they died: our own reaper sent new ones long ago."""
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
        await manager.finish_job(job, status=Status.FAILED, delete_job=True)


def queue_of(host_class: str, host: str) -> str:
    """The name of the messenger's queue for a host, or for a class of hosts."""
    return f"bisect@{host}" if host else f"bisect:{host_class}"


def prepare(connection: Any) -> None:
    """Make the messenger's tables where they are missing, in the transaction of psycopg's `connection`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('procrastinate_jobs')")
        if cursor.fetchone()[0] is None:
            cursor.execute(SchemaManager.get_schema())
