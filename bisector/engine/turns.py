"""What a server does again and again beside answering: a turn, a pause; nothing that goes wrong ends it for good."""

import traceback
from collections.abc import Callable

from bisector.core.model.units import Seconds, digest
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError, Cancelled

LOOK: Seconds = 2.0
"""How often there is a turn."""
AFTER_DEFECT: Seconds = 30.0
FIRST_WAIT: Seconds = 15.0
LONGEST_WAIT: Seconds = 3600.0


def turns(turn: Callable[[StopSignal], object], stop: StopSignal, what: str, tell: Callable[[str], None]) -> None:
    """Until asked to stop; what is in hand is finished first. `what` goes wrong is told with that word before it."""
    try:
        while True:
            stop.wait(_patiently(turn, stop, what, tell))
    except Cancelled:
        return


def _patiently(
    turn: Callable[[StopSignal], object], stop: StopSignal, what: str, tell: Callable[[str], None]
) -> Seconds:
    """A turn, and how long to wait after it."""
    try:
        turn(stop)
    except Cancelled:
        raise
    except (BisectorError, OSError) as error:
        tell(f"{what}: {error}")
        return AFTER_DEFECT
    except Exception as error:  # noqa: BLE001  a defect of ours must not end it for good
        tell(f"{what}: a defect of bisector: {''.join(traceback.format_exception(error))}")
        return AFTER_DEFECT
    return LOOK


def waiting_time(attempt: int, name: str) -> Seconds:
    """How long after a failed attempt: 15 s, twice as long each time, at most an hour, and up to half as much more.

    The share comes from the `name`, so that those that failed together do not come back together.
    """
    wait = min(FIRST_WAIT * 2.0 ** min(attempt - 1, 30), LONGEST_WAIT)
    share = int(digest(name, str(attempt))[:8], 16) / 2**32
    return wait * (1.0 + share / 2.0)
