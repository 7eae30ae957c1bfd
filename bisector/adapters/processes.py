"""Processes of this machine by names that no later process ever bears."""

import os
import signal
from pathlib import Path


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
