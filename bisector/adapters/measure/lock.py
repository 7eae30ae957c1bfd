"""Files that are locked by whoever works on something, and let go of by the kernel when that process dies."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal

POLL_SECONDS: Seconds = 0.1


@contextmanager
def locked(path: Path, stop: StopSignal, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock `path`, waiting for it for as long as nobody asks to stop."""
    while (fd := _take(path, shared=shared)) is None:
        stop.wait(POLL_SECONDS)
    try:
        yield
    finally:
        os.close(fd)


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock `path` and yield True, or yield False at once when somebody else holds it."""
    fd = _take(path, shared=False)
    try:
        yield fd is not None
    finally:
        if fd is not None:
            os.close(fd)


def _take(path: Path, *, shared: bool) -> int | None:
    """The locked file's descriptor, or None while another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), path.stat()):
            return fd
    except (BlockingIOError, FileNotFoundError):  # held, or removed between our opening and our locking it
        pass
    os.close(fd)
    return None


class Owner:
    """This process, for as long as it lives, as a name that others can ask about.

    A process id would be told from a later one of the same number only by its start time, and says nothing to a
    worker in another container; the lock on a file says "alive" to everyone who sees the file.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = uuid.uuid4().hex
        while _take(directory / self.name, shared=False) is None:
            self.name = uuid.uuid4().hex

    def is_alive(self, name: str) -> bool:
        """Whether the process that goes by `name` is still there."""
        if name == self.name:
            return True
        path = self.directory / name
        if not path.exists():
            return False
        with locked_if_free(path) as free:
            return not free

    def forget_dead(self) -> None:
        """Remove the files of processes that are gone."""
        for path in self.directory.iterdir():
            if path.name == self.name:
                continue
            with locked_if_free(path) as free:
                if free:
                    path.unlink(missing_ok=True)
