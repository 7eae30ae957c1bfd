"""Which profilers this machine has, and what keeps it from having the others."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bisector.adapters.measure.tools import Tools
from bisector.core.model.profiles import ProfilerName
from bisector.core.model.units import Seconds

_TRIAL_LIMIT: Seconds = 20.0


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
