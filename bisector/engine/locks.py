"""Who works on what, on this host: a port of its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from bisector.engine.stop import StopSignal


class Locks(Protocol):
    """Who works on what, on this host."""

    def job(self, job: str) -> AbstractContextManager[None]:
        """Hold `job` for this process; JobError when another process works on it."""
        ...

    def working_on(self, job: str) -> int | None:
        """The id of the process that works on `job`, or None."""
        ...

    def measuring(self, stop: StopSignal, waiting: Callable[[int | None], None]) -> AbstractContextManager[None]:
        """Hold the host's measuring slot; `waiting` is told once which process has it when that takes a while."""
        ...

    def measuring_if_free(self) -> AbstractContextManager[bool]:
        """Hold the host's measuring slot, or say False at once where another process has it."""
        ...

    def building(self, key: str, stop: StopSignal) -> AbstractContextManager[None]:
        """Hold the build with this key while it is made, taken or removed; wait for whoever holds it."""
        ...

    def sweep(self) -> int:
        """Remove the locks of builds that killed processes left; how many."""
        ...
