"""Builds made in the background, each on its own, while the one loop goes on."""

from collections.abc import Callable
from typing import Protocol

from bisector.core.model.builds import Build
from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal


class Task(Protocol):
    """A build that is being made."""

    def wait(self, seconds: Seconds) -> bool:
        """Whether it has ended, after at most so many seconds."""
        ...

    def result(self) -> Build:
        """What came of it, once it has ended; raises what ended it."""
        ...

    def stop(self) -> None:
        """Ask it to stop; it still has to be waited for."""
        ...


class Background(Protocol):
    """Where such builds are made."""

    def start(self, make: Callable[[StopSignal], Build]) -> Task:
        """Begin to make a build, at low priority; `make` is given what tells it to stop."""
        ...
