"""What of this machine makes measurements on it comparable."""

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from bisector.core.model.units import digest

_UNKNOWN = "unknown"


def host_facts() -> dict[str, str]:
    """This machine's name, processor, memory, kernel and the settings of both that matter."""
    cpu = Path("/sys/devices/system/cpu")
    return {
        "machine": machine_id() or _UNKNOWN,
        "hostname": platform.node(),
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count() or 1),
        "memory_gib": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f}",
        "kernel": platform.release(),
        "governor": _read(cpu / "cpu0/cpufreq/scaling_governor") or _UNKNOWN,
        "turbo": _turbo(cpu),
        "smt": _read(cpu / "smt/control") or _UNKNOWN,
    }


def machine_id() -> str:
    """This installation of an operating system, for good."""
    return _read("/etc/machine-id") or _read("/var/lib/dbus/machine-id")


def fingerprint(facts: Mapping[str, str]) -> str:
    """A short name for a host with these facts."""
    return digest(*(f"{name}={value}" for name, value in sorted(facts.items())))[:16]


def boot_id() -> str:
    """Which start of this machine this is."""
    return _read("/proc/sys/kernel/random/boot_id")


def _turbo(cpu: Path) -> str:
    no_turbo = _read(cpu / "intel_pstate/no_turbo")
    boost = _read(cpu / "cpufreq/boost")
    if no_turbo or boost:
        return "on" if no_turbo == "0" or boost == "1" else "off"
    return _UNKNOWN


def _cpu_model() -> str:
    found = re.search(r"^(?:model name|Hardware|cpu)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _read(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
