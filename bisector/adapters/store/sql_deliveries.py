"""Deliveries in the database of the jobs."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.tables import deliveries
from bisector.core.model.units import Seconds
from bisector.engine.deliveries import Delivered
from bisector.engine.ports import Clock

UNFINISHED: Seconds = 60.0
"""After which a delivery without an outcome was lost with its server."""


class SqlDeliveries:
    """Implements `bisector.engine.deliveries.Deliveries`."""

    def __init__(self, database: Database, clock: Clock, keep: Seconds) -> None:
        """`database` is shared with the jobs; deliveries that are older than `keep` are forgotten."""
        self._database = database
        self._keep = keep
        self._clock = clock

    def begin(self, hook: str, delivery: str) -> Delivered | None:
        """Note a delivery that is new (None), or what is known of it."""
        now = self._clock.now().timestamp()
        this = (deliveries.c.hook == hook, deliveries.c.delivery == delivery)
        with self._database.reading() as connection:
            known = connection.execute(select(deliveries.c.outcome).where(*this)).scalar()
        if known:
            return Delivered(outcome=known)
        try:
            with self._database.writing() as connection:
                row = connection.execute(select(deliveries).where(*this).with_for_update()).one_or_none()
                if row is not None and (row.outcome or abs(now - row.received_at) < UNFINISHED):
                    return Delivered(outcome=row.outcome)
                if row is not None:
                    connection.execute(update(deliveries).where(*this).values(received_at=now))
                    return None
                connection.execute(delete(deliveries).where(deliveries.c.received_at < now - self._keep))
                values = {"hook": hook, "delivery": delivery, "received_at": now, "outcome": ""}
                connection.execute(insert(deliveries).values(values))
                return None
        except IntegrityError:
            # Two servers at the same moment: the other has it.
            return Delivered(outcome="")

    def finish(self, hook: str, delivery: str, outcome: str) -> None:
        """Keep what a delivery was answered."""
        with self._database.writing() as connection:
            this = (deliveries.c.hook == hook, deliveries.c.delivery == delivery)
            connection.execute(update(deliveries).where(*this).values(outcome=outcome))

    def forget(self, hook: str, delivery: str) -> None:
        """A delivery that could not be done: the same may be sent again."""
        with self._database.writing() as connection:
            this = (deliveries.c.hook == hook, deliveries.c.delivery == delivery)
            connection.execute(delete(deliveries).where(*this))
