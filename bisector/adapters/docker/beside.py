"""perf on the host, beside a run in a container: the image needs nothing, and the container is allowed nothing more.

The run's first process stops itself before it becomes the command. Found by that, it is recorded with all it starts,
and told to go on. The programs it ran are copied out for their symbols. It takes a bisector that is root on the
engine's own machine; whoever is not is told.
"""

import contextlib
import gzip
import io
import os
import re
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker.errors

from bisector.adapters.docker.engine import Engine
from bisector.adapters.measure.profilers import perf_problem
from bisector.core.model.profiles import PERF_STACK_BYTES, ProfilerName
from bisector.core.model.units import Bytes, Seconds

MARK = "kill -STOP"
"""In the command line of a process that waits for us; `core.model.profiles` writes it."""
_FINDING: Seconds = 20.0
_SETTLING: Seconds = 8.0
_SCRIPT_LIMIT: Seconds = 120.0
MOST_PROGRAMS, MOST_LINKS = 200, 5
LARGEST_PROGRAM: Bytes = 256 << 20
_PROGRAM = re.compile(r"PERF_RECORD_MMAP2? .*?: [r-][w-]xp (/\S.*)")
_FIELDS = "comm,pid,tid,time,period,event,ip,sym,dso"


def beside_problem(info: dict[str, Any]) -> dict[ProfilerName, str]:
    """Why perf cannot look into containers of this engine; nothing where it can."""
    if os.geteuid() != 0:
        return {ProfilerName.PERF: "perf looks into a container from outside, which takes root"}
    if info.get("Name") != os.uname().nodename:
        return {ProfilerName.PERF: "the engine is on another machine, where perf would have to run"}
    return perf_problem(os.environ.get("PATH"))


class Recording:
    """perf on the first process of a run that stops itself. `end` gives what it printed, gzipped, or a complaint."""

    def __init__(self, engine: Engine, container: str, rate: int, directory: Path) -> None:
        self._engine, self._container, self._rate = engine, container, rate
        self._data, self._root = directory / "perf.data", directory / "root"
        self._root.mkdir()
        self._env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory)}
        self._perf: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None  # perf breaks off where it is closed before its end
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._begin, daemon=True)
        self._thread.start()

    def end(self) -> tuple[bytes, str]:
        """The samples as text, gzipped; or nothing, and what went wrong."""
        self.abandon()
        if self._perf is None:
            return b"", "perf: the process to be recorded was not found"
        try:
            _, complaint = self._perf.communicate(timeout=_FINDING)
        except subprocess.TimeoutExpired:
            self._perf.kill()
            return b"", "perf: it did not end with the process it recorded"
        if not self._data.exists():
            return b"", f"perf: {complaint.decode('utf-8', 'replace').strip()[-200:] or 'it recorded nothing'}"
        self._bring_programs()
        done = self._script("-F", _FIELDS)
        return (gzip.compress(done), "") if done else (b"", "perf: it recorded nothing")

    def _bring_programs(self) -> None:
        """Copy what was run out of the container, for its symbols. Not through /proc: links in there would lead to the
        host's files; the engine follows them inside."""
        told = self._script("--show-mmap-events", "-F", "comm").decode("utf-8", "replace")
        for path in sorted(set(_PROGRAM.findall(told)))[:MOST_PROGRAMS]:
            target = self._root / path.lstrip("/")
            if ".." in Path(path).parts:
                continue
            content = _regular_file(self._engine, self._container, path)
            with contextlib.suppress(OSError):  # names that this file system does not take
                if content is not None:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)

    def _script(self, *options: str) -> bytes:
        command = ["perf", "script", "--no-inline", "--symfs", str(self._root), "-i", str(self._data), *options]
        try:
            return subprocess.run(
                command, capture_output=True, env=self._env, timeout=_SCRIPT_LIMIT, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return b""

    def abandon(self) -> None:
        """Look no further for the process."""
        self._given_up.set()
        self._thread.join()

    def close(self) -> None:
        """Leave nothing running, however the run was left."""
        self.abandon()
        if self._perf is not None:
            with self._perf:
                if self._perf.poll() is None:
                    self._perf.kill()
        if self._control is not None:
            self._control.close()

    def _begin(self) -> None:
        with contextlib.suppress(OSError, docker.errors.DockerException):  # `end` then says that nothing was found
            self._attach()

    def _attach(self) -> None:
        limit = time.monotonic() + _FINDING
        while not self._given_up.wait(0.05) and time.monotonic() < limit:
            pid = _stopped(self._engine, self._container)
            if pid is None:
                continue
            options = ["-q", "-B", "-N", "-e", "cpu-clock:u", "-F", str(self._rate)]
            options += ["--call-graph", f"dwarf,{PERF_STACK_BYTES}", "-o", str(self._data), "-p", str(pid)]
            try:
                self._record(options)
            finally:
                os.kill(pid, signal.SIGCONT)
            return

    def _record(self, options: list[str]) -> None:
        """Start perf, and wait until it records: on a busy machine it takes longer than a short program runs."""
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            control = ["-D", "-1", "--control", f"fd:{number},{number}"]
            self._perf = subprocess.Popen(
                ["perf", "record", *control, *options], stderr=subprocess.PIPE, env=self._env, pass_fds=[number]
            )
        self._control.settimeout(_SETTLING)
        with contextlib.suppress(OSError):  # it has ended, and says why, or is let go on with
            self._control.sendall(b"enable\n")
            self._control.recv(len(b"ack\n"))


@contextmanager
def recording(engine: Engine, container: str, rate: int) -> Iterator[Recording]:
    """Record the next run in the container."""
    with tempfile.TemporaryDirectory(prefix="bisector-perf-") as directory:
        made = Recording(engine, container, rate, Path(directory))
        try:
            yield made
        finally:
            made.close()


def _stopped(engine: Engine, container: str) -> int | None:
    """The host's id of the process in the container that waits to be recorded."""
    table = engine.api.top(container, "-eo pid,stat,args")
    for pid, state, arguments in table["Processes"] or ():
        if state.startswith("T") and MARK in arguments and Path(f"/proc/{pid}").exists():
            return int(pid)
    return None


def _regular_file(engine: Engine, container: str, path: str) -> bytes | None:
    """A regular file of the container, a link followed inside it; None for anything else."""
    for _ in range(MOST_LINKS):
        try:
            chunks, status = engine.api.get_archive(container, path)
        except (OSError, docker.errors.DockerException):
            return None
        if status.get("linkTarget"):
            path = str(status["linkTarget"])
            continue
        if status["size"] > LARGEST_PROGRAM:
            return None
        try:
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                member = archive.next()
                file = archive.extractfile(member) if member is not None and member.isreg() else None
                return file.read() if file is not None else None
        except (OSError, tarfile.TarError, docker.errors.DockerException):
            return None
    return None
