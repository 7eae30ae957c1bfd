"""Rows as a Parquet file, by pyarrow, which is installed only where somebody wants it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from bisector.errors import UsageError
from bisector.report.tables.columns import Cell, Kind, Table

ROWS_AT_ONCE = 10_000
"""Rows of one group of the file: no more are held."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def need_pyarrow() -> None:
    """UsageError where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError as error:
        then = "Install it with: pip install 'bisector[parquet]', or take CSV"
        raise UsageError(f"Parquet needs the package {error.name}", then=then) from None


def write_parquet(path: Path, table: Table, rows: Iterable[tuple[Cell, ...]]) -> None:
    """Write rows to a file. What a column holds is said in its metadata as `about`."""
    import pyarrow
    from pyarrow import parquet

    schema = _schema(table)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        rest = iter(rows)
        while some := list(islice(rest, ROWS_AT_ONCE)):
            columns = zip(*some, strict=True)
            arrays = [
                pyarrow.array(_values(column, field.type), field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _schema(table: Table) -> Any:
    import pyarrow

    types = {
        Kind.TEXT: pyarrow.string(),
        Kind.INTEGER: pyarrow.int64(),
        Kind.REAL: pyarrow.float64(),
        Kind.BOOLEAN: pyarrow.bool_(),
        Kind.MOMENT: pyarrow.timestamp("us", tz="UTC"),
    }
    return pyarrow.schema(
        [pyarrow.field(column.name, types[column.kind], metadata={"about": column.about}) for column in table.columns],
        metadata={"bisector": table.name, "about": table.about},
    )


def _values(column: tuple[Cell, ...], kind: Any) -> list[Any]:
    import pyarrow

    if not pyarrow.types.is_timestamp(kind):
        return list(column)
    return [_moment(cell) for cell in column]


def _moment(cell: Cell) -> datetime | None:
    """A moment that no calendar has is left out, as in CSV."""
    if not isinstance(cell, float | int):
        return None
    try:
        return _EPOCH + timedelta(seconds=cell)
    except OverflowError:
        return None
