"""The work of `bisector export`: rows into files that nobody sees half of, or onto standard output."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from bisector.cli.session import wired
from bisector.core.model.units import Seconds
from bisector.engine.export import Export, Selection
from bisector.errors import Cancelled, EnvironmentFault, UsageError
from bisector.formats.quantities import parse_duration, parse_moment
from bisector.report.numbers import count
from bisector.report.tables.as_csv import csv_lines
from bisector.report.tables.columns import TABLES, Table
from bisector.report.tables.rows import Row
from bisector.wiring import Wiring
from bisector.wiring.records import locations_of, make_records, parquet_writer

Write = Callable[[Path, Table, Iterable[Row]], None]
SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
TELL_EVERY: Seconds = 1.0
STOP_EVERY = 100
"""Rows between two looks whether somebody asked to stop."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which table goes where, as it was asked for."""

    table: str
    form: str | None
    output: str

    @property
    def format(self) -> str:
        """csv or parquet: what was said, else what the file's name says."""
        return self.form or SUFFIXES.get(Path(self.output).suffix.lower(), "csv")

    def files(self) -> list[tuple[Table, Path | None]]:
        """Each table with its file, None for standard output; UsageError for what cannot be."""
        if self.table == "all":
            if self.output == "-":
                raise UsageError("several tables do not go to standard output", then="Name a directory with --output")
            return [(table, Path(self.output) / f"{name}.{self.format}") for name, table in TABLES.items()]
        if self.output != "-":
            return [(TABLES[self.table], Path(self.output))]
        if self.format == "parquet":
            raise UsageError("Parquet does not go to standard output", then="Name a file with --output")
        return [(TABLES[self.table], None)]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What rows are to be of, as it was asked for."""

    since: str | None
    repositories: tuple[str, ...]
    scenarios: tuple[str, ...]
    jobs: tuple[str, ...]


def export(wanted: Wanted, filters: Filters) -> int:
    """Write what is wanted; the exit code."""
    files = wanted.files()
    write = parquet_writer() if wanted.format == "parquet" else _write_csv
    with wired() as wiring:
        selection = Selection(
            since=0.0 if filters.since is None else _moment(filters.since, wiring.clock.now()),
            repositories=tuple(dict.fromkeys(locations_of(wiring, filters.repositories))),
            scenarios=filters.scenarios,
            jobs=filters.jobs,
        )
        source = Export(make_records(wiring), wiring.store, selection)
        for table, path in files:
            rows = _Counted(table, source.rows(table), wiring)
            if path is None:
                _to_standard_output(table, rows)
            else:
                _to_file(path, table, rows, write)
            rows.tell_end()
    return 0


class _Counted:
    """Rows on their way, with what is told of them on standard error."""

    def __init__(self, table: Table, rows: Iterator[Row], wiring: Wiring) -> None:
        self._table, self._rows, self._stop = table, rows, wiring.stop
        self._live = sys.stderr.isatty()
        self._told = time.monotonic()
        self._number = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            if self._number % STOP_EVERY == 0:
                self._stop.check()
                self._tell_now()
            self._number += 1
            yield row

    def _tell_now(self) -> None:
        if self._live and time.monotonic() - self._told > TELL_EVERY:
            self._told = time.monotonic()
            click.echo(f"\r{self._table.name}: {count(self._number, 'row')} so far", err=True, nl=False)

    def tell_end(self) -> None:
        """How many there were."""
        click.echo(f"{chr(13) * self._live}{self._table.name}: {count(self._number, 'row')}        ".rstrip(), err=True)


def _to_standard_output(table: Table, rows: Iterable[Row]) -> None:
    for line in csv_lines(table, rows):
        sys.stdout.buffer.write(line.encode())
    sys.stdout.buffer.flush()


def _to_file(path: Path, table: Table, rows: Iterable[Row], write: Write) -> None:
    """Whole, or not at all: what was there before stands until then."""
    made = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(made, table, rows)
        made.replace(path)
    except OSError as error:
        raise EnvironmentFault(f"the file cannot be written: {error.strerror}", where=str(path)) from None
    except Cancelled as stopped:
        raise Cancelled(f"stopped ({stopped.what})", where=str(path), then="That file is as it was before") from None
    finally:
        made.unlink(missing_ok=True)


def _write_csv(path: Path, table: Table, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(table, rows))


def _moment(text: str, now: datetime) -> Seconds:
    """A date, or a time before now."""
    if "-" not in text:
        return now.timestamp() - parse_duration(text)
    return datetime.fromisoformat(parse_moment(text)).timestamp()
