"""Named volumes that are filled once and mounted read-only: our tools, and a scenario's own files.

A copy into a read-only root is refused and a tmpfs cannot be filled from outside; a volume is seen in the build and in
every run alike, and no build can alter it.
"""

import contextlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker.errors
from docker.types import Mount

from bisector.adapters import durable
from bisector.adapters.docker.engine import Engine, faults
from bisector.adapters.docker.layout import DATA, NO_HEALTHCHECK, ROLE, SCENARIO, TOOLS
from bisector.adapters.measure.content import tree_digest
from bisector.adapters.measure.lock import locked
from bisector.adapters.measure.tools import Tools
from bisector.core.model.units import digest
from bisector.engine.stop import StopSignal

_FILLED = ".filled"
_COMPILING_LIMIT_SECONDS = 60
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """The volumes of one install on one engine. `full` are those this process has seen filled."""

    prefix: str
    labels: Mapping[str, str]
    filler_labels: Callable[[], Mapping[str, str]]
    """What a container that fills one bears: also whose process made it, so that `sweep` takes it once that is gone."""
    locks: Path
    tools: Tools
    full: set[str] = field(default_factory=set)

    @property
    def tools_name(self) -> str:
        """The volume that holds our tools."""
        return f"{self.prefix}-tools-{self.tools.digest}"

    def ensure(self, engine: Engine, files: Path | None, image: str, stop: StopSignal) -> dict[str, str]:
        """Volumes for the tools and for a scenario's files, by where they are to be seen.

        `image` is the base image; with its Python, if it has one, the scenario's modules are compiled once and for all.
        """
        wanted = {TOOLS: (self.tools_name, self.tools.directory)}
        if files is not None:
            wanted[SCENARIO] = (f"{self.prefix}-files-{digest(tree_digest(files), image)[:16]}", files)
        for target, (name, directory) in wanted.items():
            if name not in self.full:
                with locked(self.locks / name, stop), faults("fill a volume"):
                    self._fill(engine, name, directory, target, image)
                self.full.add(name)
        return {target: name for target, (name, _) in wanted.items()}

    def ensure_data(self, engine: Engine, data: Mapping[str, Path], image: str, stop: StopSignal) -> dict[str, str]:
        """Volumes for data sets, each a file that lies under its hash, by where they are to be seen."""
        made = {}
        for name, path in data.items():
            made[f"{DATA}/{name}"] = volume = f"{self.prefix}-data-{digest(path.parent.name, path.name)[:16]}"
            if volume not in self.full:
                with locked(self.locks / volume, stop), faults("fill a volume"):
                    self._fill(engine, volume, path, f"{DATA}/{name}", image)
                self.full.add(volume)
        return made

    def _fill(self, engine: Engine, name: str, content: Path, target: str, image: str) -> None:
        """Fill the volume `name` unless it is full. The mark is put last: a filler that was killed leaves none."""
        self._create(engine, name)
        filler = self._filler(engine, name, target, image)
        try:
            if not _is_full(engine, filler, target):
                with engine.patient():
                    packed = _archive(content) if content.is_dir() else _streamed(content)
                    engine.api.put_archive(filler, target, packed)
                if target == SCENARIO:
                    _start_and_wait(engine, filler)
                with durable.step("mark a volume as full"):
                    engine.api.put_archive(filler, target, _mark())
        finally:
            engine.remove_container(filler)  # if that fails: never started, or done within a minute; see `sweep`

    def _create(self, engine: Engine, name: str) -> None:
        """Make the volume bear our labels: one that was removed by hand comes back without, at the next mount of it."""
        labels = {**self.labels, ROLE: "files"}
        with durable.step("make a volume"):
            made = engine.api.create_volume(name, labels=labels)
        if made.get("Labels") != labels:
            engine.api.remove_volume(name)
            engine.api.create_volume(name, labels=labels)

    def _filler(self, engine: Engine, name: str, target: str, image: str) -> str:
        with durable.step("make a filler"):
            made = engine.api.create_container(
                image,
                entrypoint=["python3", "-m", "compileall", "-qq", target],
                command=[],
                user="0:0",
                network_disabled=True,
                healthcheck=NO_HEALTHCHECK,
                labels={**self.filler_labels(), ROLE: "filler"},
                host_config=engine.api.create_host_config(
                    cap_drop=["ALL"],
                    security_opt=["no-new-privileges"],
                    mounts=[Mount(target, name, type="volume", no_copy=True)],
                ),
            )
        return str(made["Id"])


def _is_full(engine: Engine, filler: str, target: str) -> bool:
    try:
        content, _ = engine.api.get_archive(filler, f"{target}/{_FILLED}")
    except docker.errors.NotFound:
        return False
    for _ in content:
        pass
    return True


def _start_and_wait(engine: Engine, filler: str) -> None:
    """Have the filler compile what lies in the volume; an image without Python has nothing to gain from it."""
    with contextlib.suppress(docker.errors.APIError):
        engine.api.start(filler)
        engine.api.wait(filler, timeout=_COMPILING_LIMIT_SECONDS)


def _archive(directory: Path) -> bytes:
    """The files of `directory`, root's, readable by all and with one time."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.add(directory, arcname=".", filter=_plain)
    return made.getvalue()


def _streamed(path: Path) -> Iterator[bytes]:
    """The same of one file, which may be larger than memory."""
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as archive:
        member = _plain(archive.gettarinfo(path, arcname=path.name))
    yield member.tobuf()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
    yield bytes(-member.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = 0
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _mark() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(_FILLED))
    return made.getvalue()
