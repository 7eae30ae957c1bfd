"""Where things lie inside a container, how it is fenced in, and the labels that say it is ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docker.types import LogConfig, Mount, Ulimit

from bisector.adapters.measure.places import Places
from bisector.core.model.scenario import RunRecipe
from bisector.core.model.units import Bytes

ROOT = "/bisector"
SOURCE, SCENARIO, TOOLS = f"{ROOT}/source", f"{ROOT}/scenario", f"{ROOT}/tools"
OUT, HOME, STREAMS, MARKER = f"{ROOT}/out", f"{ROOT}/home", f"{ROOT}/streams", f"{ROOT}/.made"
STATE, DATA = f"{ROOT}/state", f"{ROOT}/data"
TMP, SHM = "/tmp", "/dev/shm"  # noqa: S108  inside the container, a file system of its own
PLACES = Places(source=SOURCE, scenario=SCENARIO, out=OUT, tools=TOOLS)

LABEL = "io.bisector"
INSTANCE, OWNER, OWNERS = f"{LABEL}.instance", f"{LABEL}.owner", f"{LABEL}.owners"
ROLE, KEY, CONTENT, BASE, LEFTOVERS = (f"{LABEL}.{name}" for name in ("role", "key", "content", "base", "leftovers"))

TAKEN = f"{LABEL}.taken"
PACKAGES = f"{LABEL}.packages"

BUILD_USER, RUN_USER = "0:0", "10001:10001"
_RUN_UID = RUN_USER.partition(":")[0]

# What package managers need to install as root, and no more (no NET_RAW, MKNOD, SYS_CHROOT, SETFCAP …).
BUILD_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID"]
_BUILD_MEMORY: Bytes = 8 << 30
BUILD_PROCESSES, RUN_PROCESSES = 4096, 256
LOW_SHARES = 512
"""Of processor time where others want it too; 1024 is usual."""
STREAMS_ROOM: Bytes = 64 << 20
NO_HEALTHCHECK = {"test": ["NONE"]}  # the image's own would run in the middle of a measurement


def mounts(volumes: Mapping[str, str]) -> list[Mount]:
    """Volumes by the directory they are seen at, read-only."""
    return [Mount(at, name, type="volume", read_only=True, no_copy=True) for at, name in sorted(volumes.items())]


def build_memory(info: Mapping[str, Any]) -> Bytes:
    """How much a build may use: not all of its machine."""
    return min(_BUILD_MEMORY, int(info["MemTotal"]) * 3 // 4)


def build_host_config(
    network: str, memory: Bytes, volumes: Mapping[str, str], cpus: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The fence around a build: it writes to its own layer, and has a network only where the recipe says so.

    Home, temporary files and {out} lie on unnamed volumes: on disk, and not part of what is committed.
    """
    scratch = [Mount(at, None, type="volume") for at in (HOME, OUT, TMP)]
    return {
        **_common(memory, BUILD_PROCESSES),
        **(cpus or {}),
        "cap_add": BUILD_CAPABILITIES,
        "network_mode": "bridge" if network == "default" else "none",
        "mounts": [*mounts(volumes), *scratch],
    }


def run_host_config(recipe: RunRecipe, cpus: Mapping[str, Any], volumes: Mapping[str, str]) -> dict[str, Any]:
    """The fence around a run: nothing to write to but file systems in memory, which count against its limit.

    /tmp and home may hold programs (JIT caches, unpacked native libraries): what the commit brings runs anyway.
    """
    own = f"rw,nosuid,nodev,mode=0700,uid={_RUN_UID},gid={_RUN_UID}"
    memory = recipe.memory_bytes
    return {
        **_common(memory, RUN_PROCESSES),
        **cpus,
        "network_mode": "bridge" if recipe.network == "default" else "none",
        "read_only": True,
        "mounts": mounts(volumes),
        "shm_size": memory // 4,
        "tmpfs": {
            TMP: f"rw,nosuid,nodev,exec,mode=1777,size={memory // 2}",
            HOME: f"{own},exec,size={memory // 4}",
            OUT: f"{own},noexec,size={memory // 4}",
            STREAMS: f"{own},noexec,size={min(STREAMS_ROOM, memory // 4)}",
            **({STATE: f"{own},exec,size={memory // 2}"} if recipe.keeps_state else {}),
        },
    }


def base_env(image: Mapping[str, Any]) -> dict[str, str]:
    """What steps and runs see besides what image and recipe set."""
    env = {"HOME": HOME, "TMPDIR": TMP, "USER": "bisector", "LOGNAME": "bisector"}
    if not {"LANG", "LC_ALL"} & env_of(image).keys():
        env["LANG"] = "C.UTF-8"
    return env


def env_of(image: Mapping[str, Any]) -> dict[str, str]:
    """What an image sets itself."""
    settings = (image.get("Config") or {}).get("Env") or []
    return {name: value for name, _, value in (setting.partition("=") for setting in settings)}


def data_files(data: Mapping[str, Path]) -> dict[str, str]:
    """Where the data sets are seen, by name: each alone in a directory of its own."""
    return {name: f"{DATA}/{name}/{path.name}" for name, path in data.items()}


def cpu_settings(cores: int, wanted: int, *, cpuset: bool) -> dict[str, Any]:
    """The last `wanted` of the host's processors; a quota, which throttles and so adds noise, only without cpusets."""
    count = min(wanted, cores)
    if cpuset:
        return {"cpuset_cpus": ",".join(str(cpu) for cpu in range(cores - count, cores))}
    return {"nano_cpus": count * 1_000_000_000}


def other_cpus(info: Mapping[str, Any], measured_on: int) -> dict[str, Any]:
    """The engine's processors but the last `measured_on`, at low priority, for a build beside runs; {} for all."""
    others = int(info["NCPU"]) - measured_on
    if not measured_on or others < 1 or not info.get("CPUSet", True):
        return {}
    return {"cpuset_cpus": ",".join(map(str, range(others))), "cpu_shares": LOW_SHARES}


def _common(memory: Bytes, processes: int) -> dict[str, Any]:
    return {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "mem_limit": memory,
        "memswap_limit": memory,
        "pids_limit": processes,
        "ulimits": [Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=4096, hard=4096)],
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m"}),
        "auto_remove": False,
    }
