"""What the runner tests have in common: a runner, small candidates to build, commands to run in them."""

import contextlib
import io
import os
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import BuildRecipe, RunRecipe
from bisector.engine.ports import Archive, BuildOrder, Runner, RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault

MEBIBYTE = 1 << 20
Files = Mapping[str, str | bytes]


def tar_of(files: Files) -> bytes:
    """A tree as the repository hands it over: no `.git`, one modification time; an executable starts with `#!`."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mtime = 1_000_000_000
            member.mode = 0o755 if content.startswith(b"#!") else 0o644
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def archive_of(content: bytes) -> Archive:
    """Opens `content` as a repository opens a tar stream: something that can only be read forwards."""

    @contextlib.contextmanager
    def opened() -> Iterator[BinaryIO]:
        reading, writing = os.pipe()
        writer = threading.Thread(target=_write, args=(writing, content))
        writer.start()
        try:
            with open(reading, "rb") as stream:
                yield stream
        finally:
            writer.join()

    return opened


def _write(fd: int, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(fd, "wb") as stream:
        stream.write(content)


@dataclass(kw_only=True)
class Laboratory:
    """A runner with its base image, a directory for what a test writes, and what it built so far."""

    runner: Runner
    image_id: str | None
    root: Path
    built: list[Build] = field(default_factory=list)

    def order(
        self, files: Files, *, scenario: Files | None = None, python: bool = False, key: str = "", **recipe: Any
    ) -> BuildOrder:
        """An order to build `files`, each under a key of its own unless one is given."""
        key = key or uuid.uuid4().hex * 2
        return BuildOrder(
            key=key,
            recipe=BuildRecipe(**recipe),
            python=python,
            source=archive_of(tar_of(files)),
            files=None if scenario is None else self.scenario(scenario),
            image_id=self.image_id,
            log=self.root / "logs" / f"{key}.log",
        )

    def make(self, order: BuildOrder, stop: StopSignal | None = None) -> Build:
        """Build, to be discarded after the test."""
        build = self.runner.build(order, stop or StopSignal())
        if build.usable:
            self.built.append(build)
        return build

    def build(self, files: Files, **options: Any) -> Build:
        """Build `files`, which must work."""
        build = self.make(self.order(files, **options))
        assert build.outcome is Outcome.OK, build.reason
        return build

    def scenario(self, files: Files) -> Path:
        """A directory with a scenario's own files."""
        directory = self.root / f"scenario-{uuid.uuid4().hex[:8]}"
        directory.mkdir()
        for name, text in files.items():
            (directory / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return directory

    @contextlib.contextmanager
    def session(
        self,
        build: Build,
        *command: str,
        scenario: Path | None = None,
        collect: Sequence[str] = (),
        stop: StopSignal | None = None,
        **recipe: Any,
    ) -> Iterator[Session]:
        """A session that runs `command` in `build`."""
        settings = {"timeout_seconds": 60.0, "memory_bytes": 512 * MEBIBYTE, **recipe}
        order = RunOrder(recipe=RunRecipe(command=command, **settings), files=scenario, collect=tuple(collect))
        with self.runner.open(build, order, stop or StopSignal()) as session:
            yield session

    def run(self, build: Build, *command: str, **options: Any) -> RunRecord:
        """Run `command` once in `build`."""
        with self.session(build, *command, **options) as session:
            return session.run()

    def clean(self) -> None:
        """Discard what was built."""
        for build in self.built:
            with contextlib.suppress(InfraFault):
                self.runner.discard(build)


def marker() -> str:
    """Seconds to sleep that no other process of this machine sleeps: to find a process by its command line."""
    return f"3{uuid.uuid4().int % 10**12}.5"


def processes(mark: str) -> list[list[str]]:
    """Command lines of living processes of this machine, in containers or not, that mention `mark`.

    But for the measuring helper's own, which has it from the command it is given.
    """
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            with contextlib.suppress(OSError):
                words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
                helper = any(word.rpartition("/")[2] == "measure" for word in words[:7])
                mentioned = any(mark in word for word in words)
                if mentioned and not helper and "zombie" not in (directory / "status").read_text():
                    found.append(words)
    return found


def wait_until_asleep(mark: str, seconds: float = 30.0) -> None:
    """Wait until a process sleeps for `mark` seconds."""
    limit = time.monotonic() + seconds
    while not any(words[0].endswith("sleep") for words in processes(mark)):
        assert time.monotonic() < limit, f"nobody sleeps for {mark} s"
        time.sleep(0.05)


def wait_until_gone(mark: str, seconds: float = 15.0) -> None:
    """Wait until no process mentions `mark`."""
    limit = time.monotonic() + seconds
    while found := processes(mark):
        assert time.monotonic() < limit, f"still there: {found}"
        time.sleep(0.05)


@contextlib.contextmanager
def stopping_when(mark: str) -> Iterator[StopSignal]:
    """A stop signal that is set as soon as a process sleeps for `mark` seconds."""
    stop = StopSignal()

    def watch() -> None:
        with contextlib.suppress(AssertionError):
            wait_until_asleep(mark, seconds=60.0)
        stop.set("the test asked to stop")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield stop
    finally:
        watcher.join()
