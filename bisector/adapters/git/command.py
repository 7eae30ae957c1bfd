"""The one way in which the product runs git.

Fixed argument lists, an environment built from nothing, nobody's configuration, no hook, monitor, pager, prompt or
garbage collection, replace refs and grafts ignored, and no transport unless the caller names it. A repository's own
configuration is still read, so every command run in a repository that is not ours must be one that executes nothing.
"""

import io
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, BinaryIO

from bisector.adapters import durable
from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

POLL: Seconds = 0.2
QUICK: Seconds = 300.0
"""Limit of a command that works on what is on this machine."""
LONG: Seconds = 4 * 3600.0
"""Limit of a command that may bring or rewrite a whole history."""
SILENCE: Seconds = 600.0
"""A stream that says nothing for so long has hung."""

_NOWHERE = "/nonexistent"
_ENVIRONMENT = {
    "HOME": _NOWHERE,
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{_NOWHERE}/grafts",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.pager=cat",
    "protocol.ext.allow=never",
    "safe.bareRepository=explicit",
    "gc.auto=0",
    "maintenance.auto=false",
)
_ADVICE = (
    ("No space left on device", "Free some space on the disk"),
    ("fsck error", "The history holds something that could harm whoever unpacks it; it is not fetched"),
)
_LINES_TOLD = 5
_CREDENTIALS = re.compile(r"(https?://)[^/\s'\"]+@|(\w+://[^/\s'\":@]+):[^/\s'\"]+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def redact(text: str) -> str:
    """`text` without the credentials of any address in it."""
    return _CREDENTIALS.sub(lambda m: f"{m[1]}***@" if m[1] else f"{m[2]}:***@", text)


class GitFailed(EnvironmentFault):
    """git ended with an error; `lines` is what it said last."""

    def __init__(self, command: str, lines: Sequence[str], *, where: str) -> None:
        """`command` is the name of git's command, `where` the repository it worked on."""
        said = " / ".join(lines) or "it did not say why"
        advice = next((then for sign, then in _ADVICE if sign in said), "")
        super().__init__(f"git {command} failed: {said}", where=where, then=advice)
        self.lines = tuple(lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How a command ended: 0 for success, its output, and the last lines of what it complained about."""

    status: int
    output: bytes
    complaint: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Git:
    """git run in `directory`, on the repository `git_dir`, or on the one git finds there.

    `place` is what errors call it, `settings` are configuration values for this use, `environment` variables beyond
    the fixed ones (an empty value takes one out), and `descriptors` stay open in git and its children: a lock handed
    over this way lives as long as they do.
    """

    directory: Path
    stop: StopSignal
    git_dir: Path | None = None
    place: str = ""
    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    descriptors: tuple[int, ...] = ()

    def run(self, *arguments: str, given: bytes = b"", limit: Seconds = QUICK) -> bytes:
        """The command's output; GitFailed when it does not end well."""
        answer = self.ask(*arguments, given=given, limit=limit)
        if answer.status != 0:
            raise self.failure(arguments[0], answer.complaint)
        return answer.output

    def ask(self, *arguments: str, given: bytes = b"", limit: Seconds = QUICK) -> Answer:
        """How the command ended, whichever way."""
        with durable.step(f"git {arguments[0]}"), tempfile.TemporaryFile() as complaints:
            with self._started(arguments, complaints, given) as process:
                output = self._output(process, arguments[0], limit)
            return Answer(status=process.returncode, output=output, complaint=_last_lines(complaints))

    @contextmanager
    def stream(self, *arguments: str) -> Iterator[BinaryIO]:
        """The command's output as it comes. Its last read raises GitFailed when the command did not end well."""
        with tempfile.TemporaryFile() as complaints, self._started(arguments, complaints) as process:
            yield io.BufferedReader(_Output(process, complaints, self, arguments[0]), 1 << 18)

    def failure(self, command: str, lines: Sequence[str]) -> GitFailed:
        """The error for a command that ended badly and said `lines`."""
        return GitFailed(command, lines, where=self.place or str(self.git_dir or self.directory))

    def _output(self, process: subprocess.Popen[bytes], command: str, limit: Seconds) -> bytes:
        deadline = time.monotonic() + limit
        while True:
            try:
                return process.communicate(timeout=POLL)[0]
            except subprocess.TimeoutExpired:
                self.stop.check()
                if time.monotonic() > deadline:
                    raise self.failure(command, [f"no end after {limit:.0f} s"]) from None

    @contextmanager
    def _started(
        self, arguments: Sequence[str], complaints: IO[bytes], given: bytes = b""
    ) -> Iterator[subprocess.Popen[bytes]]:
        """What is given lies in a file: `communicate` forgets the rest of its input once it has timed out."""
        if any("\0" in argument for argument in arguments):
            raise UsageError(f"{next(a for a in arguments if chr(0) in a)!r} holds a NUL byte")
        with tempfile.TemporaryFile() as input_file:
            input_file.write(given)
            input_file.seek(0)
            process = subprocess.Popen(
                self.command_line(arguments),
                cwd=self.directory,
                env=self.variables(),
                stdin=input_file,
                stdout=subprocess.PIPE,
                stderr=complaints,
                bufsize=0,
                start_new_session=True,
                pass_fds=self.descriptors,
            )
        with process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def command_line(self, arguments: Sequence[str]) -> list[str]:
        """The whole argument list, git's own path first."""
        place = [] if self.git_dir is None else [f"--git-dir={self.git_dir}"]
        settings = [part for setting in (*_SETTINGS, *self.settings) for part in ("-c", setting)]
        return [program(), *place, *settings, *arguments]

    def variables(self) -> dict[str, str]:
        """The whole environment."""
        path = f"{Path(program()).parent}{os.pathsep}{os.defpath}"
        wanted = {"PATH": path, **_ENVIRONMENT, **self.environment}
        return {name: value for name, value in wanted.items() if value}

    def personal(self) -> "Git":
        """The same with the person's and the machine's own configuration: whom they trust, what they always ignore."""
        own = {"HOME": os.path.expanduser("~"), "GIT_CONFIG_GLOBAL": "", "GIT_CONFIG_NOSYSTEM": ""}
        return replace(self, environment={**self.environment, **own})


class _Output(io.RawIOBase):
    """What a running command writes; its end is only taken for one when the command ended well."""

    def __init__(self, process: subprocess.Popen[bytes], complaints: IO[bytes], git: Git, command: str) -> None:
        if process.stdout is None:
            raise ValueError("the process was started without a pipe")
        self._process, self._complaints, self._git, self._command = process, complaints, git, command
        self._descriptor = process.stdout.fileno()
        self._ready = select.poll()
        self._ready.register(self._descriptor, select.POLLIN | select.POLLHUP)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._git.stop.check()
        deadline = time.monotonic() + SILENCE
        while not self._ready.poll(POLL * 1000):
            self._git.stop.check()
            if time.monotonic() > deadline:
                raise self._git.failure(self._command, [f"no output for {SILENCE:.0f} s"])
        count = os.readv(self._descriptor, [buffer])
        if count == 0 and self._process.wait() != 0:
            raise self._git.failure(self._command, _last_lines(self._complaints))
        return count


def _last_lines(complaints: IO[bytes]) -> tuple[str, ...]:
    complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, complaints.tell() - 8192))
    lines = complaints.read().decode(errors="replace").splitlines()
    told = [redact(_CONTROL.sub(_escaped, line.rstrip())) for line in lines if line.strip()]
    return tuple([line for line in told if not line.startswith("hint:")][-_LINES_TOLD:])


def _escaped(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


@cache
def program() -> str:
    """Where git is; EnvironmentFault when it is nowhere."""
    found = shutil.which("git")
    if found is None:
        raise EnvironmentFault("git is not installed, or not on the PATH", then="Install git 2.39 or newer")
    return found
