"""Series that are forgotten with their process. Records go through their text form, as they do for real."""

import threading
from collections.abc import Sequence

from bisector.core.watch.log import Record
from bisector.formats.series import kind_of, record_from_text, record_to_text


class InMemorySeries:
    """Implements `bisector.engine.series.SeriesLog`."""

    def __init__(self) -> None:
        """No series."""
        self._series: dict[str, list[tuple[str, str]]] = {}
        self._lock = threading.Lock()

    def records(self, series: str) -> Sequence[Record]:
        """The records of a series, oldest first."""
        return [record_from_text(kind, text) for kind, text in self._series.get(series, [])]

    def append(self, series: str, after: int, record: Record) -> bool:
        """Add a record to a series that has `after` of them; False where it has more."""
        with self._lock:
            known = self._series.setdefault(series, [])
            if len(known) != after:
                return False
            known.append((kind_of(record), record_to_text(record)))
            return True

    def names(self) -> Sequence[str]:
        """The series there are."""
        return sorted(name for name, records in self._series.items() if records)
