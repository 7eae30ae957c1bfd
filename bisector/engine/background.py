"""Builds made in the background, each on its own, while the one loop goes on."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal

Made = TypeVar("Made")
Made_co = TypeVar("Made_co", covariant=True)


class Task(Protocol[Made_co]):
    """Something that is being made."""

    def wait(self, seconds: Seconds) -> bool:
        """Whether it has ended, after at most so many seconds."""
        ...

    def result(self) -> Made_co:
        """What came of it, once it has ended; raises what ended it."""
        ...

    def stop(self) -> None:
        """Ask it to stop; it still has to be waited for."""
        ...


class Background(Protocol):
    """Where such things are made."""

    def start(self, make: Callable[[StopSignal], Made]) -> Task[Made]:
        """Begin to make something, at low priority; `make` is given what tells it to stop."""
        ...


class Neighbours(Protocol):
    """What is built for other jobs beside the one that is measured; that one says when there may be any of it."""

    @property
    def building(self) -> bool:
        """Whether something is being built at this moment."""
        ...

    @property
    def slots(self) -> int | None:
        """How many such builds may go on at once, as the operator said; None: as many as there is room for."""
        ...

    def begin(self, background: Background, most: int, leave_cpus: int) -> None:
        """Begin what is wanted, up to so many at once, on other processors than the first `leave_cpus`."""
        ...

    def hush(self) -> None:
        """Break off what is being built, and wait until nothing of it is left."""
        ...


class Nobody:
    """Implements `Neighbours`: nothing is built for anybody else."""

    building = False
    slots = 0

    def begin(self, background: Background, most: int, leave_cpus: int) -> None:
        """There is nothing to begin."""

    def hush(self) -> None:
        """There is nothing to break off."""


NOBODY = Nobody()
