"""What of this machine matters for measuring: looked at, judged, and what to do about it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bisector.core.model.units import Bytes
from bisector.errors import BisectorError

LEAST_FREE: Bytes = 5 << 30
LEAST_GIT = (2, 38)


class Judgement(StrEnum):
    """How a finding bears on measuring."""

    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at: what was seen, and what to do about it ("" when nothing is)."""

    subject: str
    judgement: Judgement
    seen: str
    advice: str = ""


def machine_findings() -> list[Finding]:
    """Processors, frequency, turbo, simultaneous threads, address layout."""
    return [_cores(), _governor(), _turbo(), _threads(), _layout()]


def storage_findings(state: Path, cache: Path) -> list[Finding]:
    """Whether both directories can be written and have room, and whether SQLite is sound."""
    return [_directory("state", state), _directory("cache", cache), _sqlite()]


def git_finding(version: tuple[int, ...]) -> Finding:
    """Whether git is new enough: merges are put together without a work tree since 2.38."""
    seen = ".".join(str(part) for part in version)
    if version >= LEAST_GIT:
        return _fine("git", seen)
    advice = f"git {'.'.join(str(part) for part in LEAST_GIT)} or newer is needed to look inside merges"
    return Finding(subject="git", judgement=Judgement.PROBLEM, seen=seen, advice=advice)


def attempt(subject: str, what: Callable[[], str], *, optional: bool = False) -> Finding:
    """Whether `what` works, and what it says; without an `optional` thing one can do."""
    try:
        return _fine(subject, what())
    except BisectorError as error:
        judgement = Judgement.WARNING if optional else Judgement.PROBLEM
        return Finding(subject=subject, judgement=judgement, seen=error.what, advice=error.then)


def _fine(subject: str, seen: str) -> Finding:
    return Finding(subject=subject, judgement=Judgement.FINE, seen=seen)


def _warning(subject: str, seen: str, advice: str) -> Finding:
    return Finding(subject=subject, judgement=Judgement.WARNING, seen=seen, advice=advice)


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0))
    if usable > 1:
        return _fine("processors", f"{usable}: one measures, the others build")
    return _warning(
        "processors", "1", "builds and everything else disturb the runs; a machine with two or more is better"
    )


def _governor() -> Finding:
    seen = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if seen is None:
        return _fine("frequency", "not controlled here (a virtual machine, or fixed)")
    if seen == "performance":
        return _fine("frequency", "governor performance")
    return _warning("frequency", f"governor {seen}", "cpupower frequency-set -g performance")


def _turbo() -> Finding:
    intel = _read("/sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = _read("/sys/devices/system/cpu/cpufreq/boost")
    if intel is None and boost is None:
        return _fine("turbo", "not controlled here")
    if intel == "1" or boost == "0":
        return _fine("turbo", "off")
    command = (
        "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
        if intel
        else "echo 0 > /sys/devices/system/cpu/cpufreq/boost"
    )
    return _warning("turbo", "on: speed depends on heat and on what else runs", command)


def _threads() -> Finding:
    seen = _read("/sys/devices/system/cpu/smt/active")
    if seen == "1":
        return _warning("threads", "cores share two threads each", "echo off > /sys/devices/system/cpu/smt/control")
    return _fine("threads", "one a core" if seen == "0" else "not controlled here")


def _layout() -> Finding:
    seen = _read("/proc/sys/kernel/randomize_va_space")
    if seen == "2":
        return _fine("address layout", "drawn anew for every run, so that its luck averages out")
    advice = "sysctl kernel.randomize_va_space=2 (a fixed layout makes its luck part of every run)"
    return _warning("address layout", f"randomize_va_space is {seen}", advice)


def _directory(name: str, path: Path) -> Finding:
    subject, existing = f"{name} directory", path
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK):
        advice = f"set BISECTOR_{name.upper()}_DIR to a directory that can be written"
        return Finding(subject=subject, judgement=Judgement.PROBLEM, seen=f"{path} cannot be written", advice=advice)
    free = shutil.disk_usage(existing).free
    seen = f"{path}, {free / (1 << 30):.1f} GiB free"
    return _fine(subject, seen) if free >= LEAST_FREE else _warning(subject, seen, "free some, or `bisector gc`")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= (3, 51, 3):
        return _fine("SQLite", version)
    advice = "nothing to do: the slower rollback journal is used, because this version's write-ahead log can be damaged"
    return Finding(subject="SQLite", judgement=Judgement.FINE, seen=f"{version}, rollback journal", advice=advice)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
