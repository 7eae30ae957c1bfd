"""Which profilers this machine has, and what keeps it from having the others."""

import ctypes
import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bisector.adapters.measure.tools import Tools
from bisector.core.model.profiles import ProfilerName
from bisector.core.model.units import Seconds

_TRIAL_LIMIT: Seconds = 20.0
_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")


def without_tools(tools: Tools) -> dict[ProfilerName, str]:
    """The profilers that are brought along and are not there to be brought."""
    missing = {ProfilerName.PY_SPY: not tools.has_py_spy, ProfilerName.PYINSTRUMENT: not tools.has_pyinstrument}
    return {name: f"{name} is not installed beside bisector" for name, absent in missing.items() if absent}


def perf_problem(path: str | None) -> dict[ProfilerName, str]:
    """Why perf cannot record a program of this user here, found out by recording one; nothing where it can."""
    program = shutil.which("perf", path=path)
    if program is None:
        return {ProfilerName.PERF: "perf is not installed (Debian: linux-perf)"}
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "perf.data")
        command = [program, "record", "-q", "-e", "cpu-clock:u", "-g", "-o", data, "--", "true"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_TRIAL_LIMIT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return {ProfilerName.PERF: f"perf cannot be tried: {error}"}
    if done.returncode == 0:
        return {}
    level = Path("/proc/sys/kernel/perf_event_paranoid")
    setting = f" (kernel.perf_event_paranoid is {level.read_text().strip()})" if level.exists() else ""
    return {ProfilerName.PERF: f"the kernel does not let this user record{setting}"}


def ptrace_problem(scope: Path = _SCOPE) -> dict[ProfilerName, str]:
    """Why py-spy cannot look into a program that it starts, found out by reading a byte of a child; nothing where it
    can. By itself py-spy would say that there are no Python processes."""
    if not _is_child_closed():
        return {}
    refused = "the kernel does not let a process look into its own child (ptrace)"
    level = scope.read_text().strip() if scope.exists() else "0"
    if level in {"2", "3"}:
        return {
            ProfilerName.PY_SPY: f"{refused}: kernel.yama.ptrace_scope is {level}; run bisector as root where it is 2, "
            "or set it to 1 (3 stays until the machine is started again)"
        }
    return {
        ProfilerName.PY_SPY: f"{refused}: a container or sandbox around bisector forbids it; start that with the "
        "capability SYS_PTRACE, or with a seccomp profile that allows process_vm_readv and ptrace"
    }


def _is_child_closed() -> bool:
    """Whether the kernel refuses to read a child's memory. What is asked for is at no valid address: where reading is
    allowed, that is what it complains of."""
    read = getattr(ctypes.CDLL(None, use_errno=True), "process_vm_readv", None)
    if read is None:
        return False
    place = ctypes.create_string_buffer(1)
    ours = (ctypes.c_size_t * 2)(ctypes.addressof(place), 1)
    theirs = (ctypes.c_size_t * 2)(0, 1)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        done = read(child.pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)
        return done < 0 and ctypes.get_errno() in {errno.EPERM, errno.EACCES, errno.ENOSYS}
