"""A build's log: what its steps print, as it comes, with its middle left out when it is long."""

from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from bisector.core.model.units import Bytes

LOG_LIMIT: Bytes = 10 << 20
_KEPT_FOR_REASONS = 1 << 14


class BuildLog:
    """Writes the first half of `limit` at once and the last half at the end; what lies between is counted."""

    def __init__(self, path: Path, limit: Bytes = LOG_LIMIT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._room = limit // 2
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._tail_limit = limit // 2
        self._left_out = 0
        self._last = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._left_out:
            self._file.write(f"\n[... {self._left_out} bytes left out ...]\n".encode())
        self._file.write(b"".join(self._tail))
        self._file.close()

    @property
    def last(self) -> bytes:
        """The last few kilobytes written by a step, for a failure's reason."""
        return self._last

    def say(self, line: str) -> None:
        """A line of our own."""
        self._put(f"{line}\n".encode())

    def write(self, chunk: bytes) -> None:
        """Output of a step."""
        self._last = (self._last + chunk)[-_KEPT_FOR_REASONS:]
        self._put(chunk)

    def forget_last(self) -> None:
        """A new step begins: what an earlier one said is no reason for its failure."""
        self._last = b""

    def _put(self, chunk: bytes) -> None:
        head, rest = chunk[: self._room], chunk[self._room :]
        if head:
            self._file.write(head)
            self._room -= len(head)
        if not rest:
            return
        self._tail.append(rest)
        self._tail_size += len(rest)
        while self._tail_size - len(self._tail[0]) >= self._tail_limit:
            dropped = self._tail.popleft()
            self._tail_size -= len(dropped)
            self._left_out += len(dropped)
