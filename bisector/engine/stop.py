"""Being asked to stop: a flag that long work polls, so that everything can be put away in order."""

import threading

from bisector.errors import Cancelled


class StopSignal:
    """Set from a signal handler or another thread; polled by whoever waits."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._why = ""
        self._kind: type[Cancelled] = Cancelled

    def set(self, why: str, kind: type[Cancelled] = Cancelled) -> None:
        """Ask to stop; the first reason given is kept, and what is raised for it."""
        if not self._why:
            self._why, self._kind = why, kind
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` when somebody asked to stop."""
        if self._event.is_set():
            raise self._kind(self._why or "stopped")

    def wait(self, seconds: float) -> None:
        """Wait `seconds`, or less and then raise `Cancelled` when asked to stop meanwhile."""
        self._event.wait(seconds)
        self.check()
