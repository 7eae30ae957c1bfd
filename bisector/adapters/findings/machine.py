"""What of this machine matters for measuring."""

import ctypes
import os
import shutil
from pathlib import Path

from bisector.adapters.findings import Finding, fine, problem, warning
from bisector.core.model.units import Bytes

LEAST_FREE: Bytes = 5 << 30
LEAST_GIT = (2, 38)
BUSY = 0.5
"""A load, in processors, from which on a run would have company. Twice that of `bisector doctor` itself."""
CLOCK_ERROR = 5
"""What adjtimex(2) returns of a clock that nothing keeps to the time."""
ROOT = Path("/")


def machine_findings(root: Path = ROOT) -> list[Finding]:
    """Processors, frequency, turbo, simultaneous threads, address layout, load, memory; `root` is where /sys lies."""
    looks = (_cores, _isolated, _governor, _turbo, _threads, _layout, _load, _swap)
    return [found for look in looks if (found := look(root)) is not None]


def storage_findings(directories: dict[str, Path]) -> list[Finding]:
    """Whether the directories, by what they are for, can be written and have room."""
    return [_directory(name, path) for name, path in directories.items()]


def room_finding(subject: str, path: Path) -> Finding | None:
    """The room in a directory of somebody else's; None where it is not on this machine."""
    return _room(subject, path, path) if path.exists() else None


def git_finding(version: tuple[int, ...]) -> Finding:
    """Whether git is new enough: merges are put together without a work tree since 2.38."""
    seen = ".".join(str(part) for part in version)
    if version >= LEAST_GIT:
        return fine("git", seen)
    least = ".".join(str(part) for part in LEAST_GIT)
    return problem("git", seen, f"git {least} or newer is needed to look inside merges")


def clock_finding(state: int | None = None) -> Finding:
    """Whether the kernel's clock is kept to the time; `state` is what adjtimex(2) says of it, asked by default."""
    state = _clock_state() if state is None else state
    if state < 0:
        return fine("clock", "whether it is kept to the time cannot be told here (a container)")
    if state == CLOCK_ERROR:
        advice = "start chrony or systemd-timesyncd: rests after faults and times in reports go by it, leases do not"
        return warning("clock", "nothing keeps it to the time", advice)
    return fine("clock", "kept to the time")


def _clock_state() -> int:
    """What adjtimex(2) returns when it is asked for nothing; -1 where it may not be asked."""
    try:
        return int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return -1


def _cores(root: Path) -> Finding:
    del root
    usable = len(os.sched_getaffinity(0))
    if usable > 1:
        return fine("processors", f"{usable}: one measures, the others build")
    return warning(
        "processors", "1", "builds and everything else disturb the runs; a machine with two or more is better"
    )


def _isolated(root: Path) -> Finding | None:
    seen = _read(root, "sys/devices/system/cpu/isolated")
    if not seen:
        return None
    return fine("isolated", f"processors {seen}: Docker measures on the last ones, the local runner on none of these")


def _governor(root: Path) -> Finding:
    places = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))
    seen = sorted({place.read_text().strip() for place in places})
    if not seen:
        return fine("frequency", "not controlled here (a virtual machine, or fixed)")
    if seen == ["performance"]:
        return fine("frequency", "governor performance")
    return warning("frequency", f"governor {', '.join(seen)}", "cpupower frequency-set -g performance")


def _turbo(root: Path) -> Finding:
    intel = _read(root, "sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = _read(root, "sys/devices/system/cpu/cpufreq/boost")
    if intel is None and boost is None:
        return fine("turbo", "not controlled here")
    if intel == "1" or boost == "0":
        return fine("turbo", "off")
    command = (
        "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
        if intel
        else "echo 0 > /sys/devices/system/cpu/cpufreq/boost"
    )
    return warning("turbo", "on: speed depends on heat and on what else runs", command)


def _threads(root: Path) -> Finding:
    seen = _read(root, "sys/devices/system/cpu/smt/active")
    if seen == "1":
        return warning("threads", "cores share two threads each", "echo off > /sys/devices/system/cpu/smt/control")
    return fine("threads", "one a core" if seen == "0" else "not controlled here")


def _layout(root: Path) -> Finding:
    seen = _read(root, "proc/sys/kernel/randomize_va_space")
    if seen == "2":
        return fine("address layout", "drawn anew for every run, so that its luck averages out")
    advice = "sysctl kernel.randomize_va_space=2 (a fixed layout makes its luck part of every run)"
    return warning("address layout", f"randomize_va_space is {seen}", advice)


def _load(root: Path) -> Finding | None:
    seen = _read(root, "proc/loadavg")
    if seen is None:
        return None
    load = float(seen.split()[0])
    if load < BUSY:
        return fine("load", f"{load:.2f} in the last minute")
    advice = "see with top what runs: it would be noise in every run (a worker of ours that measures counts too)"
    return warning("load", f"{load:.2f} in the last minute", advice)


def _swap(root: Path) -> Finding | None:
    seen = _read(root, "proc/swaps")
    if seen is None or len(seen.splitlines()) < 2:
        return None
    devices = ", ".join(line.split()[0] for line in seen.splitlines()[1:])
    return warning("swap", devices, "swapoff -a on a bench host: a page that comes from a disk is no measurement")


def _directory(name: str, path: Path) -> Finding:
    existing = path
    while not existing.exists():
        existing = existing.parent
    if os.access(existing, os.W_OK):
        return _room(f"{name} directory", path, existing)
    advice = f"set BISECTOR_{name.upper()}_DIR to a directory that can be written"
    return problem(f"{name} directory", f"{path} cannot be written", advice)


def _room(subject: str, path: Path, existing: Path) -> Finding:
    free = shutil.disk_usage(existing).free
    seen = f"{path}, {free / (1 << 30):.1f} GiB free"
    return fine(subject, seen) if free >= LEAST_FREE else warning(subject, seen, "free some, or `bisector gc`")


def _read(root: Path, path: str) -> str | None:
    try:
        return (root / path).read_text().strip()
    except OSError:
        return None
