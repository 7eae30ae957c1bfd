"""The machine an engine runs on, which need not be this one."""

import platform
from collections.abc import Mapping
from typing import Any

from bisector.adapters.measure.host import host_facts

_GIB = 1 << 30


def is_here(info: Mapping[str, Any]) -> bool:
    """Whether an engine that says this of itself runs on this machine."""
    return bool(info["Name"] == platform.node() and info["KernelVersion"] == platform.release())


def engine_facts(info: Mapping[str, Any]) -> dict[str, str]:
    """What makes measurements on the engine's machine comparable: the machine, the engine, what starts containers."""
    local = host_facts() if is_here(info) else {}
    return {
        **local,
        "hostname": str(info["Name"]),
        "cores": str(info["NCPU"]),
        "memory_gib": f"{int(info['MemTotal']) / _GIB:.0f}",
        "kernel": str(info["KernelVersion"]),
        "engine": str(info["ServerVersion"]),
        "runc": str((info.get("RuncCommit") or {}).get("ID", "unknown")),
        "storage": str(info["Driver"]),
        "engine_id": str(info.get("ID", "unknown")),
    }
