"""What reads in bulk: exports, weeks, figures."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from bisector.engine.records import Records, Tally
from bisector.errors import BisectorError
from bisector.report.tables.columns import Cell, Table
from bisector.wiring import Wiring


def make_records(wiring: Wiring) -> Records:
    """Everything that is stored."""
    from bisector.adapters.store.sql_records import SqlRecords

    return SqlRecords(wiring.database)


def make_tally(wiring: Wiring) -> Tally:
    """Figures over everything that is stored."""
    from bisector.adapters.store.sql_tally import SqlTally

    return SqlTally(wiring.database)


def parquet_writer() -> Callable[[Path, Table, Iterable[tuple[Cell, ...]]], None]:
    """What writes Parquet files; UsageError where what it needs is not installed."""
    from bisector.adapters.parquet import need_pyarrow, write_parquet

    need_pyarrow()
    return write_parquet


def locations_of(wiring: Wiring, texts: Iterable[str]) -> Iterator[str]:
    """Where repositories are that are named as people name them: a configured name, a path, an address."""
    configured = {table.name: table.location for table in wiring.settings.repositories}
    for text in texts:
        place = configured.get(text, text)
        yield place
        # One that is gone may have jobs all the same, under the very words they bear.
        with suppress(BisectorError):
            yield wiring.repository(place).location
