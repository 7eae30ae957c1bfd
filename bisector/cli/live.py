"""The live screen: what is known, redrawn as facts arrive."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bisector.core.model.facts import Fact
from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.units import Seconds
from bisector.core.search.outlook import Outlook, outlook
from bisector.core.search.planner import Plan
from bisector.report.live import live_lines

REDRAW: Seconds = 0.5


class LiveScreen:
    """Implements `bisector.engine.ports.Observer` as a screen on standard error.

    The answer so far is computed once a step, in the job's own thread; another thread only puts lines up, so that the
    clock runs on while a build takes its time.
    """

    def __init__(self, job: str) -> None:
        """Nothing is drawn before it is entered."""
        self._job = job
        self._live = Live(console=Console(file=sys.stderr, highlight=False), auto_refresh=False, transient=True)
        self._lock = threading.Lock()
        self._investigation: Investigation | None = None
        self._outlook: Outlook | None = None
        self._elapsed: Seconds = 0.0
        self._at: Seconds = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._redraw, name="live screen", daemon=True)

    def __enter__(self) -> Self:
        self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._live.stop()

    def planned(self, investigation: Investigation, plan: Plan, elapsed: Seconds) -> None:
        """A step was decided on: the answer so far is new."""
        name = plan.view.name if plan.view is not None else LineName.MAIN
        found = outlook(investigation, name=name)
        with self._lock:
            self._investigation, self._outlook = investigation, found
            self._elapsed, self._at = elapsed, time.monotonic()

    def learned(self, investigation: Investigation, fact: Fact) -> None:
        """A fact was recorded."""
        del fact
        with self._lock:
            self._investigation = investigation

    def _redraw(self) -> None:
        while not self._done.wait(REDRAW):
            with self._lock:
                investigation, found = self._investigation, self._outlook
                elapsed = self._elapsed + time.monotonic() - self._at
            if investigation is not None:
                width = min(self._live.console.width, 100)
                lines = live_lines(investigation, found, elapsed, width=width)
                self._live.update(Text("\n".join(lines), no_wrap=True), refresh=True)
