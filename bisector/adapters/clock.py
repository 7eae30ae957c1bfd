"""Time as the system tells it."""

import time
from datetime import UTC, datetime

from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal


class SystemClock:
    """Implements `bisector.engine.ports.Clock`."""

    def monotonic(self) -> Seconds:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day, aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: Seconds, stop: StopSignal) -> None:
        """Wait, or raise Cancelled when asked to stop meanwhile."""
        stop.wait(seconds)
