"""Threads, each for one build that is made beside the loop."""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Generic

from bisector.core.model.units import Seconds
from bisector.engine.background import Made
from bisector.engine.stop import StopSignal

LOWER = 5
"""Steps of `nice`: what is measured meanwhile comes first."""


class Threads:
    """Implements `bisector.engine.background.Background`.

    A thread ends with its build: what a helper is to outlive is the thread that started it, and its priority, which
    every process it starts inherits, cannot be raised again.
    """

    def start(self, make: Callable[[StopSignal], Made]) -> "ThreadTask[Made]":
        """Begin to make a build in a thread of low priority."""
        return ThreadTask(make)


class ThreadTask(Generic[Made]):
    """Implements `bisector.engine.background.Task`."""

    def __init__(self, make: Callable[[StopSignal], Made]) -> None:
        """Starts at once."""
        self._stop = StopSignal()
        self._make = make
        self._made: Made | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="build ahead")
        self._thread.start()

    def wait(self, seconds: Seconds) -> bool:
        """Whether it has ended, after at most so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> Made:
        """What came of it; raises what ended it."""
        if self._error is not None:
            raise self._error
        if self._made is None:
            raise ValueError("the build has not ended")
        return self._made

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set("no longer wanted")

    def _run(self) -> None:
        try:
            with contextlib.suppress(OSError):
                # On Linux a priority is a thread's own.
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWER)
            self._made = self._make(self._stop)
        except BaseException as error:  # noqa: BLE001  handed to the thread that asks
            self._error = error
