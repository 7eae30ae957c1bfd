"""The programs that run beside a candidate: compiled on first use, or their Python versions where that fails."""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bisector.adapters import durable
from bisector.core.model.units import Seconds

PROGRAMS = Path(__file__).parent / "programs"
PARTS = {
    "measure": ("measure.c", "supervise.c", "surroundings.c", "report.c"),
    "attend": (
        *("attend.c", "hold.c", "looks.c", "ports.c", "probes.c", "processes.c", "services.c", "told.c"),
        "surroundings.c",
    ),
    "listing": ("listing.c",),
}
COMPILE = ("-std=gnu11", "-O3", "-static")
COMPILE_LIMIT: Seconds = 60.0
PACKAGE = Path("bisector/adapters/measure/programs")
HOOKS = {"hook.py": "sitecustomize.py", "hook_memory.py": "bisector_hook_memory.py"}
"""What a Python program is looked at with from within, and what it is called there."""
STAND_IN = """
from pyinstrument.low_level.stat_profile_python import get_frame_info, setstatprofile
def measure_timing_overhead(): return {"walltime": 1e-7}
def walltime_coarse_resolution(): return None
"""

VALGRIND_AT = (
    *("/usr/libexec/valgrind", "/usr/lib/valgrind", "/usr/lib64/valgrind"),
    *("/usr/local/libexec/valgrind", "/usr/local/lib/valgrind"),
)
"""Where valgrind keeps its own programs, which need nothing of the system that they run on."""
LAUNCH = """#!/bin/sh
# What valgrind starts itself by, and starts again for every program that the command starts.
here=${0%/*} tool=cachegrind
for word; do case $word in --tool=*) tool=${word#--tool=}; break;; --) break;; esac; done
export VALGRIND_LAUNCHER="$0" VALGRIND_LIB="$here"
exec "$here/$tool-PLATFORM" "$@"
"""

Program = Literal["measure", "attend", "listing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """A directory with the programs: the Python versions always, the compiled ones where `compiled` says so.

    The compiled ones are for processors like this `machine`'s. The profilers lie beside them as far as they are
    installed: py-spy, and in `hook` and `packages` what a Python program is looked at with from within; in `valgrind`
    what counts instructions.
    """

    directory: Path
    compiled: bool
    machine: str = platform.machine()

    @property
    def has_py_spy(self) -> bool:
        """Whether py-spy is among them."""
        return (self.directory / "py-spy").exists()

    @property
    def has_pyinstrument(self) -> bool:
        """Whether pyinstrument is among them."""
        return (self.directory / "packages" / "pyinstrument").exists()

    @property
    def has_valgrind(self) -> bool:
        """Whether what counts instructions is among them."""
        return (self.directory / "valgrind" / "launch").exists()

    @property
    def digest(self) -> str:
        """What tells these tools from others."""
        return self.directory.name

    def here(self, program: Program) -> tuple[str, ...]:
        """How to call `program` on this machine."""
        return self._call(program, str(self.directory), sys.executable, compiled=self.compiled)

    def inside(self, program: Program, directory: str, *, compiled: bool) -> tuple[str, ...]:
        """How to call `program` in a container that has the tools in `directory`."""
        return self._call(program, directory, "python3", compiled=compiled)

    def _call(self, program: Program, directory: str, python: str, *, compiled: bool) -> tuple[str, ...]:
        if compiled:
            return (f"{directory}/{program}",)
        return (python, "-I", "-S", "-E", f"{directory}/python", program)


def prepare(cache: Path, *, compiler: str = "cc") -> Tools:
    """The tools under `cache`, made when they are not there yet; the same sources on the same machine share them."""
    directory = cache / "tools" / _digest(compiler)
    if not directory.is_dir():
        _make(directory, compiler)
    return Tools(directory=directory, compiled=(directory / "measure").exists())


def _digest(compiler: str) -> str:
    state = hashlib.sha256(f"{platform.machine()} {compiler} {COMPILE}\n".encode())
    for path in sorted(PROGRAMS.iterdir()):
        if path.suffix in {".c", ".h", ".py"}:
            state.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    for name in HOOKS:
        state.update((PROGRAMS.parent / name).read_bytes())
    state.update(STAND_IN.encode())
    for path in (*_py_spy(), *_pyinstrument(), *_valgrind()):
        status = path.stat()
        state.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return state.hexdigest()[:16]


def _make(directory: Path, compiler: str) -> None:
    """Make the tools beside where they belong and move them there whole."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    durable.remove_left_over(directory.parent, "making-*")
    made = Path(tempfile.mkdtemp(prefix="making-", dir=directory.parent))
    made.chmod(0o755)
    _copy_python(made / "python")
    for path in _py_spy():
        shutil.copyfile(path, made / path.name)
        (made / path.name).chmod(0o755)
    (made / "hook").mkdir()
    for name, there in HOOKS.items():
        shutil.copyfile(PROGRAMS.parent / name, made / "hook" / there)
    for path in _pyinstrument():
        shutil.copytree(path, made / "packages" / path.name, ignore=shutil.ignore_patterns("__pycache__", "*.c", "*.h"))
        # Where the extension is not for the image's Python this stands in for it: modules come after extensions.
        (made / "packages" / path.name / "low_level" / "stat_profile.py").write_text(STAND_IN)
    _copy_valgrind(made / "valgrind")
    if not _compile_all(made, compiler):
        for program in PARTS:  # half of them would only be confusing
            (made / program).unlink(missing_ok=True)
    try:
        with durable.step("name the tools"):
            made.rename(directory)
    except OSError:  # another process was first
        shutil.rmtree(made)


def _copy_python(directory: Path) -> None:
    """The Python versions in their package, with nothing else of bisector in it."""
    (directory / PACKAGE).mkdir(parents=True)
    for part in PACKAGE.parents[:-1]:
        (directory / part / "__init__.py").touch()
    for path in PROGRAMS.glob("*.py"):
        target = directory if path.name == "__main__.py" else directory / PACKAGE
        shutil.copyfile(path, target / path.name)


def _compile_all(directory: Path, compiler: str) -> bool:
    """Whether all could be made; beside each other, since the first job on a machine waits for them."""
    with ThreadPoolExecutor(len(PARTS)) as pool:
        making = [pool.submit(_compile, directory / program, sources, compiler) for program, sources in PARTS.items()]
        return all(each.result() for each in making)


def _compile(output: Path, sources: Iterable[str], compiler: str) -> bool:
    """Whether the program could be made and starts here: without arguments it explains itself with status 125."""
    command = [compiler, *COMPILE, "-o", str(output), *(str(PROGRAMS / name) for name in sources)]
    try:
        made = subprocess.run(command, capture_output=True, timeout=COMPILE_LIMIT, check=False).returncode == 0
        return (
            made and subprocess.run([output], capture_output=True, timeout=COMPILE_LIMIT, check=False).returncode == 125
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _copy_valgrind(directory: Path) -> None:
    found = _valgrind()
    if not found:
        return
    directory.mkdir()
    for path in found:
        shutil.copyfile(path, directory / path.name)
        (directory / path.name).chmod(0o755)
    (directory / "launch").write_text(LAUNCH.replace("PLATFORM", found[0].name.partition("-")[2]))
    (directory / "launch").chmod(0o755)


def _valgrind() -> list[Path]:
    """What of the installed valgrind counts in programs like this machine's own: its tools, and what they load into
    them. Those for 32 bits lie beside them and sort after."""
    for place in map(Path, VALGRIND_AT):
        for first in sorted(place.glob("cachegrind-*-linux")):
            platform_of = first.name.partition("-")[2]
            others = [place / f"{tool}-{platform_of}" for tool in ("callgrind", "dhat", "none")]
            others += [place / f"vgpreload_{name}-{platform_of}.so" for name in ("core", "dhat")]
            if all(path.exists() for path in others):
                return [first, *others]
    return []


def _py_spy() -> list[Path]:
    """The installed py-spy, a program that needs nothing beside it."""
    path = Path(sysconfig.get_path("scripts")) / "py-spy"
    return [path] if os.access(path, os.X_OK) else []


def _pyinstrument() -> list[Path]:
    """The installed pyinstrument, a package that needs nothing beside it; without its extension it is Python alone."""
    found = importlib.util.find_spec("pyinstrument")
    return [Path(place) for place in found.submodule_search_locations or ()] if found is not None else []
