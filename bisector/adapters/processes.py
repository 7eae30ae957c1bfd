"""Processes of this machine by names that no later process ever bears."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bisector.adapters.measure.host import fingerprint, host_facts
from bisector.core.model.units import digest
from bisector.engine.queue import WorkerInfo, WorkerKind


class LinuxProcesses:
    """Implements `bisector.engine.queue.Processes` with /proc.

    A name is the boot of the machine, the process namespace (a container has its own numbers), the process's number and
    when it was started.
    """

    def here(self) -> str:
        """This process."""
        return f"{_boot()} {_namespace()} {os.getpid()} {_started(os.getpid())}"

    def lives(self, process: str) -> bool | None:
        """Whether a process of this machine is there; None when it is in a container that cannot be seen from here."""
        boot, namespace, pid, started = process.split(" ")
        if boot != _boot():
            return False
        if namespace != _namespace():
            return None
        return _started(int(pid)) == started

    def kill(self, process: str) -> bool:
        """End the process at once, stopped ones too; False when it is not there or not ours to see."""
        if not self.lives(process):
            return False
        try:
            os.kill(int(process.split(" ")[2]), signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class StoppedWorkers:
    """Workers of this machine that were stopped while they had the database file locked.

    Then nobody can read who is late. Who has the lock is known to the kernel, and who is a worker as well: each has a
    file of its own locked for as long as it lives. Processes that are anything else are never touched.
    """

    def __init__(self, database: Path, workers: Path) -> None:
        """`workers` is the directory of the workers' files."""
        self._files = [database, database.with_name(f"{database.name}-shm")]
        self._workers = workers

    @contextmanager
    def one_of_us(self) -> Iterator[None]:
        """Be known as a worker."""
        self._workers.mkdir(parents=True, exist_ok=True)
        path = self._workers / str(os.getpid())
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def end(self) -> tuple[int, ...]:
        """Kill stopped workers that have the database locked; their numbers."""
        held = _locks()
        ended = []
        for pid in sorted({pid for file in self._files for pid in held.get(_inode(file), ())}):
            if pid in held.get(_inode(self._workers / str(pid)), ()) and _is_stopped(pid):
                os.kill(pid, signal.SIGKILL)
                ended.append(pid)
        return tuple(ended)


def _locks() -> dict[int, set[int]]:
    """Which processes have which files locked, by the files' numbers."""
    found: dict[int, set[int]] = {}
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "->":  # waits for one
            continue
        found.setdefault(int(fields[5].rpartition(":")[2]), set()).add(int(fields[4]))
    return found


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def about_this_process(kind: WorkerKind, host_classes: tuple[str, ...], version: str, name: str = "") -> WorkerInfo:
    """What this process says of itself and its machine, which is called `name`, or what it calls itself.

    Clones of one installation are told apart by their names.
    """
    facts = host_facts()
    name = name or facts["hostname"]
    return WorkerInfo(
        kind=kind,
        host=digest("machine", facts["machine"], name)[:16],
        name=name,
        host_classes=host_classes,
        process=LinuxProcesses().here(),
        pid=os.getpid(),
        cores=int(facts["cores"]),
        fingerprint=fingerprint(facts),
        version=version,
    )


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "unknown"


def _started(pid: int) -> str:
    """When a process was started, in clock ticks since the boot; "" when there is none (a zombie is none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]
