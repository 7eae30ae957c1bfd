"""Series in the database of the jobs."""

from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from bisector.adapters.store.database import Database
from bisector.adapters.store.tables import series_entries
from bisector.core.watch.log import Record
from bisector.engine.ports import Clock
from bisector.formats.series import kind_of, record_from_text, record_to_text


class SqlSeries:
    """Implements `bisector.engine.series.SeriesLog`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database` is shared with the jobs."""
        self._database = database
        self._clock = clock

    def records(self, series: str) -> Sequence[Record]:
        """The records of a series, oldest first."""
        table = series_entries
        wanted = select(table.c.kind, table.c.payload).where(table.c.series == series).order_by(table.c.seq)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [record_from_text(row.kind, row.payload) for row in rows]

    def append(self, series: str, after: int, record: Record) -> bool:
        """Add a record to a series that has `after` of them; False where it has more."""
        table = series_entries
        values = {
            "series": series,
            "seq": after + 1,
            "recorded_at": self._clock.now().timestamp(),
            "kind": kind_of(record),
            "payload": record_to_text(record),
        }
        try:
            with self._database.writing() as connection:
                known = select(func.count()).select_from(table).where(table.c.series == series)
                if connection.execute(known).scalar_one() != after:
                    return False
                connection.execute(insert(table).values(values))
        except IntegrityError:
            # Two at the same moment: the other's is there.
            return False
        return True

    def names(self) -> Sequence[str]:
        """The series there are."""
        with self._database.reading() as connection:
            return sorted(connection.execute(select(series_entries.c.series).distinct()).scalars())
