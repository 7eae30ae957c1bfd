"""The seam that everything durable passes: a place before and one after each step, and files that appear whole.

`passing` does nothing here. `tests/faults` puts in its place what counts the places, and ends the process at one.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bisector.core.model.units import Seconds

LEFT_AFTER: Seconds = 3600.0
"""Nothing of ours is in the making for so long: its maker is gone."""


def _go_on(_place: str) -> None:
    """Whoever passes goes on."""


passing: Callable[[str], None] = _go_on


@contextmanager
def step(name: str) -> Iterator[None]:
    """Do something that outlives this process; `name` is what tests call it."""
    passing(f"before {name}")
    yield
    passing(f"after {name}")


def write_whole(path: Path, content: bytes, pending: Path | None = None) -> None:
    """Write a file of which nobody sees half, not after a loss of power either; its directory is made if need be.

    It is written under the name `pending` first, on the same file system: beside it unless that is given. A process
    that is killed meanwhile leaves that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    first = pending or path.with_name(f".{path.name}.new")
    with step(f"write {path.suffix or 'file'}"):
        with first.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        passing("between a file's contents and its name")
        first.replace(path)
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Have the names in a directory outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_left_over(room: Path, pattern: str = "*") -> int:
    """Remove files and directories in `room` that killed processes left half made; how many."""
    removed = 0
    for path in room.glob(pattern):
        try:
            old = time.time() - path.lstat().st_mtime >= LEFT_AFTER
        except FileNotFoundError:
            continue
        if old:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
    return removed
