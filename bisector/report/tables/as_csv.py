"""Rows as CSV (RFC 4180): a line of names, then a line a row; nothing is kept of what went by."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from bisector.report.tables.columns import Cell, Kind, Table


class _Line:
    """What `csv` writes one line to."""

    text = ""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def csv_lines(table: Table, rows: Iterable[tuple[Cell, ...]]) -> Iterator[str]:
    """The lines of a file, each with its end. Numbers read back as the very same ones, moments are ISO 8601 in UTC."""
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    kinds = [column.kind for column in table.columns]
    writer.writerow([column.name for column in table.columns])
    yield line.text
    for row in rows:
        writer.writerow([_text(cell, kind) for cell, kind in zip(row, kinds, strict=True)])
        yield line.text


def _text(cell: Cell, kind: Kind) -> str:
    if cell is None:
        return ""
    if kind is Kind.BOOLEAN:
        return "true" if cell else "false"
    if kind is Kind.MOMENT:
        return moment_text(float(cell))
    return repr(float(cell)) if kind is Kind.REAL else str(cell)


def moment_text(epoch: float) -> str:
    """A moment to the microsecond; nothing for one that no calendar has."""
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (OverflowError, ValueError, OSError):
        return ""
