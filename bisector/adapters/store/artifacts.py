"""Files kept beside the database: scenarios' own files, build logs, reports."""

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bisector.adapters import durable
from bisector.core.model.state import DataSet
from bisector.core.model.units import digest
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, ScenarioError

MOST_FILES = 2000
PENDING = ".pending"
NOT_KEPT = frozenset({"scenario.toml", "README.md"})
MOST_BYTES = 256 << 20


class ArtifactFiles:
    """Implements `bisector.engine.ports.Artifacts` under one directory."""

    def __init__(self, root: Path, stop: StopSignal | None = None) -> None:
        """`root` is the state directory; nothing is made before it is needed. What is fetched is given up at `stop`."""
        self._root = root
        self._stop = stop or StopSignal()

    def keep_scenario(self, directory: Path) -> str:
        """Keep a copy of a scenario's files; the digest to find it by ("" when it has none but `scenario.toml`)."""
        # The recipe itself is kept with the job: a changed threshold must not make every build a new one.
        files = [(name, path) for name, path in _files_of(directory) if name not in NOT_KEPT]
        if not files:
            return ""
        parts: list[str | bytes] = []
        for name, path in files:
            parts += [name, "x" if os.access(path, os.X_OK) else "-", path.read_bytes()]
        found = digest(*parts)
        kept = self._root / "scenarios" / found
        if not kept.is_dir():
            self._copy(files, kept)
        return found

    def scenario(self, digest: str) -> Path | None:
        """The kept files of a scenario; None for the empty digest."""
        if not digest:
            return None
        kept = self._root / "scenarios" / digest
        if not kept.is_dir():
            advice = "Start the job anew from its scenario"
            raise EnvironmentFault("the kept files of the scenario are gone", where=str(kept), then=advice)
        return kept

    def data_set(self, data: DataSet) -> Path:
        """The file of a data set, fetched unless it is here. ScenarioError where it is not what the scenario says,
        InfraFault where it cannot be had now."""
        from bisector.adapters.store.data_sets import data_set

        return data_set(self._made(self._root / "data"), data, self._stop)

    def build_log(self, key: str) -> Path:
        """Where the log of the build with this key is kept."""
        return self._made(self._root / "logs") / f"{key}.log"

    def keep(self, content: bytes) -> str:
        """Keep a file; its SHA-256 to find it by. Keeping it again changes nothing."""
        found = hashlib.sha256(content).hexdigest()
        path = self._made(self._root / "files") / found
        if not _is_whole(path):
            with self._in_the_making(path.parent) as pending:
                durable.write_whole(path, content, pending)
        return found

    def kept(self, sha256: str) -> Path:
        """A file that was kept; EnvironmentFault when it is gone or no longer what it was."""
        path = self._root / "files" / sha256
        if not _is_whole(path):
            what = "a kept file is damaged" if path.is_file() else "a kept file is gone"
            raise EnvironmentFault(what, where=str(path), then="Profile again with a new job")
        return path

    def sweep(self) -> int:
        """Remove what killed processes left half made; how much."""
        return sum(durable.remove_left_over(self._root / place / PENDING) for place in ("files", "scenarios"))

    def report(self, job: str) -> Path:
        """The directory for a job's reports, made if need be."""
        return self._made(self._root / "reports" / job)

    def _made(self, directory: Path) -> Path:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            advice = "Set BISECTOR_STATE_DIR to a directory that can be written"
            raise EnvironmentFault(
                f"a directory cannot be made: {error.strerror}", where=str(directory), then=advice
            ) from None
        return directory

    def _copy(self, files: list[tuple[str, Path]], kept: Path) -> None:
        """Copy under another name first: a directory that bears the digest is complete."""
        self._made(kept.parent)
        with self._in_the_making(kept.parent) as copy:
            copy.mkdir()
            for name, path in files:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy / name)
                _sync(copy / name)
            try:
                with durable.step("keep a scenario"):
                    copy.rename(kept)
            except OSError:
                if not kept.is_dir():
                    raise
            durable.sync_directory(kept.parent)

    @contextmanager
    def _in_the_making(self, place: Path) -> Iterator[Path]:
        """A name for what is not whole yet, on the disk of `place`; nothing bears it in the end. What a killed process
        leaves there is swept."""
        pending = self._made(place / PENDING) / uuid.uuid4().hex
        try:
            yield pending
        finally:
            if pending.is_dir():
                shutil.rmtree(pending)
            pending.unlink(missing_ok=True)


def _files_of(directory: Path) -> list[tuple[str, Path]]:
    """The regular files under `directory` by relative name, byte-code and hidden directories left out."""
    found: list[tuple[str, Path]] = []
    total = 0
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if any(part == "__pycache__" or part.startswith(".") for part in relative.parts):
            continue
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) and not path.resolve().is_relative_to(directory.resolve()):
            raise ScenarioError("a link leads out of the scenario's directory", where=str(path))
        if not path.is_file():
            continue
        total += path.stat().st_size
        found.append((relative.as_posix(), path))
        if len(found) > MOST_FILES or total > MOST_BYTES:
            advice = "Keep only what the scenario needs beside its scenario.toml"
            raise ScenarioError("the scenario's directory holds too much", where=str(directory), then=advice)
    return found


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _is_whole(path: Path) -> bool:
    """Whether a kept file holds what its name says."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    except FileNotFoundError:
        return False
