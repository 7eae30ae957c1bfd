"""The rest of the simulated machine: clock, locks, files."""

import hashlib
import shutil
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Generic

from bisector.adapters.in_memory.world import EPOCH
from bisector.core.model.state import DataSet
from bisector.core.model.units import Seconds
from bisector.engine.background import Made
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, JobError


class SimulatedClock:
    """Implements `bisector.engine.ports.Clock`: sleeping only advances it, and so does every look, a little."""

    def __init__(self, tick: Seconds = 0.001) -> None:
        """A clock that starts at a fixed moment."""
        self._seconds = 0.0
        self._tick = tick

    def monotonic(self) -> Seconds:
        """Seconds since the start."""
        self._seconds += self._tick
        return self._seconds

    def now(self) -> datetime:
        """The simulated time of day, UTC."""
        return datetime.fromtimestamp(EPOCH, UTC) + timedelta(seconds=self.monotonic())

    def sleep(self, seconds: Seconds, stop: StopSignal) -> None:
        """Advance, without waiting."""
        stop.check()
        self._seconds += seconds


class InMemoryLocks:
    """Implements `bisector.engine.ports.Locks` within one process."""

    def __init__(self) -> None:
        """No lock is held."""
        self._held: set[str] = set()

    @contextmanager
    def job(self, job: str) -> Iterator[None]:
        """Hold `job`; JobError when it is held."""
        if job in self._held:
            advice = f"Watch it with `bisector jobs watch {job}`, or stop it with `bisector jobs cancel {job}`"
            raise JobError(f"job {job} is being worked on", then=advice)
        self._held.add(job)
        try:
            yield
        finally:
            self._held.discard(job)

    def working_on(self, job: str) -> int | None:
        """0 while `job` is held, else None."""
        return 0 if job in self._held else None

    @contextmanager
    def measuring(self, stop: StopSignal, waiting: Callable[[int | None], None]) -> Iterator[None]:
        """There is nobody to wait for."""
        del waiting
        stop.check()
        yield

    @contextmanager
    def measuring_if_free(self) -> Iterator[bool]:
        """It always is."""
        yield True

    @contextmanager
    def building(self, key: str, stop: StopSignal) -> Iterator[None]:
        """There is nobody to wait for."""
        del key
        stop.check()
        yield

    def sweep(self) -> int:
        """Nothing is ever left behind."""
        return 0


class TemporaryArtifacts:
    """Implements `bisector.engine.ports.Artifacts` in a directory that goes with the object."""

    def __init__(self) -> None:
        """An empty directory."""
        self._root = Path(mkdtemp(prefix="bisector-simulated-"))
        weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)

    def keep_scenario(self, directory: Path) -> str:
        """Simulated runs need no files."""
        del directory
        return ""

    def scenario(self, digest: str) -> Path | None:
        """Simulated runs need no files."""
        del digest
        return None

    def data_set(self, data: DataSet) -> Path:
        """Simulated runs read no data."""
        return self._root / data.file

    def build_log(self, key: str) -> Path:
        """Where the log of the build with this key is kept."""
        return self._root / f"{key}.log"

    def keep(self, content: bytes) -> str:
        """Keep a file; its SHA-256 to find it by."""
        found = hashlib.sha256(content).hexdigest()
        (self._root / found).write_bytes(content)
        return found

    def kept(self, sha256: str) -> Path:
        """A file that was kept; EnvironmentFault when it is gone."""
        path = self._root / sha256
        if not path.is_file():
            raise EnvironmentFault("a kept file is gone", where=str(path))
        return path

    def sweep(self) -> int:
        """Nothing is ever left behind."""
        return 0

    def report(self, job: str) -> Path:
        """The directory for a job's reports, made if need be."""
        directory = self._root / job
        directory.mkdir(exist_ok=True)
        return directory

    def close(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self._root, ignore_errors=True)


class SimulatedBackground:
    """Implements `bisector.engine.background.Background` in the caller's own thread, in an order that is always the
    same: a build is made when it has been asked after often enough, or is waited for."""

    def __init__(self, looks: int = 3) -> None:
        """A build takes so many looks at it."""
        self.looks = looks
        self.tasks: list[SimulatedTask[Any]] = []

    @property
    def busy(self) -> bool:
        """Whether something is being built."""
        return any(not task.ended for task in self.tasks)

    def start(self, make: Callable[[StopSignal], Made]) -> "SimulatedTask[Made]":
        """Begin to make a build."""
        task = SimulatedTask(make, self.looks)
        self.tasks.append(task)
        return task


class SimulatedTask(Generic[Made]):
    """Implements `bisector.engine.background.Task`."""

    def __init__(self, make: Callable[[StopSignal], Made], looks: int) -> None:
        """It ends after so many looks."""
        self._make = make
        self._left = looks
        self._stop = StopSignal()
        self.build: Made | None = None
        """What came of it."""
        self._error: Exception | None = None

    @property
    def ended(self) -> bool:
        """Whether anything came of it yet."""
        return self.build is not None or self._error is not None

    def wait(self, seconds: Seconds) -> bool:
        """Whether it has ended; to wait is to have it made."""
        self._left -= 1
        if not self.ended and (seconds > 0 or self._left <= 0):
            try:
                self._stop.check()
                self.build = self._make(self._stop)
            except Exception as error:  # noqa: BLE001  handed to whoever asks for the result
                self._error = error
        return self.ended

    def result(self) -> Made:
        """What came of it; raises what ended it."""
        if self._error is not None:
            raise self._error
        if self.build is None:
            raise ValueError("the build has not ended")
        return self.build

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set("no longer wanted")
