"""How the database is: figures for whoever looks after it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Connection, func, inspect, select, text

from bisector.adapters.store.database import Database, revision_of
from bisector.adapters.store.migrate import differences
from bisector.core.model.units import Seconds
from bisector.engine.ports import Clock

TRIPS = 5


@dataclass(frozen=True, kw_only=True)
class Health:
    """What was seen."""

    version: str
    number: int
    """PostgreSQL's number for it; 0 of SQLite."""
    latency: Seconds
    """Of the middle one of a few round trips."""
    skew: Seconds | None
    """By how much this host's clock is ahead of the database's; None where both are the same."""
    revision: str
    differences: tuple[str, ...]
    """From the schema that this version wants."""
    journal: str
    """SQLite's way of keeping what it changes; "" of PostgreSQL."""
    messages: Mapping[str, int] | None
    """Procrastinate's messages by their state; None where it has no tables."""


def health_of(database: Database, clock: Clock) -> Health:
    """Look at the database; StoreError where it cannot be used."""
    with database.reading() as connection:
        trips = []
        for _ in range(TRIPS):
            before = time.perf_counter()
            connection.execute(text("SELECT 1")).one()
            trips.append(time.perf_counter() - before)
        skew = None
        if not database.is_sqlite:
            there = float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
            skew = clock.now().timestamp() - there
        asked = "SELECT sqlite_version()" if database.is_sqlite else "SHOW server_version"
        return Health(
            version=str(connection.execute(text(asked)).scalar_one()),
            number=0 if database.is_sqlite else int(connection.execute(text("SHOW server_version_num")).scalar_one()),
            latency=median(trips),
            skew=skew,
            revision=revision_of(connection) or "none",
            differences=tuple(differences(connection)),
            journal=str(connection.execute(text("PRAGMA journal_mode")).scalar_one()) if database.is_sqlite else "",
            messages=_messages(connection),
        )


def _messages(connection: Connection) -> Mapping[str, int] | None:
    if not inspect(connection).has_table("procrastinate_jobs"):
        return None
    rows = connection.execute(text("SELECT status, count(*) FROM procrastinate_jobs GROUP BY status"))
    return {str(state): int(count) for state, count in rows}
