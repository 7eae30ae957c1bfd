"""Locks between the processes of one host: files locked by the kernel, so that a dead owner lets go at once."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal
from bisector.errors import JobError

POLL: Seconds = 0.2


class FileLocks:
    """Implements `bisector.engine.ports.Locks` with files under one directory."""

    def __init__(self, root: Path) -> None:
        """`root` is made when the first lock is taken."""
        self._root = root

    @contextmanager
    def job(self, job: str) -> Iterator[None]:
        """Hold `job` for this process; JobError when another process works on it."""
        with self._open(f"job-{job}") as descriptor:
            if not _try_lock(descriptor):
                advice = f"Watch it with `bisector jobs watch {job}`, or stop it with `bisector jobs cancel {job}`"
                raise JobError(f"job {job} is being worked on by process {_owner(descriptor)}", then=advice)
            yield

    def working_on(self, job: str) -> int | None:
        """The id of the process that works on `job`, or None."""
        path = self._root / f"job-{job}.lock"
        if not path.exists():
            return None
        with self._open(f"job-{job}") as descriptor:
            if _try_lock(descriptor, note=False):
                return None
            return _owner(descriptor)

    @contextmanager
    def measuring(self, stop: StopSignal, waiting: Callable[[int | None], None]) -> Iterator[None]:
        """Hold the host's measuring slot; `waiting` is told once which process has it when that takes a while.

        Whoever waits holds the turn to be next. Without it a worker that ends one job and begins another would have
        the slot again before this process has looked.
        """
        told = False
        with self._open("measuring") as descriptor:
            with self._open("measuring-next") as turn:
                for lock in (turn, descriptor):
                    while not _try_lock(lock):
                        if not told:
                            waiting(_owner(descriptor))
                            told = True
                        stop.wait(POLL)
            yield

    @contextmanager
    def measuring_if_free(self) -> Iterator[bool]:
        """Hold the host's measuring slot, or say False at once where another process has it or waits for it."""
        with self._open("measuring") as descriptor:
            with self._open("measuring-next") as turn:
                free = _try_lock(turn, note=False) and _try_lock(descriptor)
            yield free

    @contextmanager
    def building(self, key: str, stop: StopSignal) -> Iterator[None]:
        """Hold the build with this key while it is made, taken or removed; wait for whoever holds it.

        The file goes with the lock: there are as many keys as there are builds, ever.
        """
        name = f"build-{key}"
        path = self._root / f"{name}.lock"
        while True:
            with self._open(name) as descriptor:
                if _try_lock(descriptor) and _is_at(descriptor, path):
                    try:
                        yield
                    finally:
                        path.unlink(missing_ok=True)
                    return
            stop.wait(POLL)

    @contextmanager
    def _open(self, name: str) -> Iterator[int]:
        self._root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._root / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int, *, note: bool = True) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    if note:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file is still the one at `path`: its last holder may have removed it while we waited."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _owner(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0)
    return int(text) if text.isdigit() else None
