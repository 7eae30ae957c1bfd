"""Processes of this machine by names that no later process ever bears."""

import os
import signal
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


def about_this_process(kind: WorkerKind, host_classes: tuple[str, ...], version: str) -> WorkerInfo:
    """What this process says of itself and its machine. Clones of one installation are told apart by their names."""
    facts = host_facts()
    return WorkerInfo(
        kind=kind,
        host=digest("machine", facts["machine"], facts["hostname"])[:16],
        name=facts["hostname"],
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
