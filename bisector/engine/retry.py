"""Faults of the machine are tried again, a little later and not for ever; faults of a commit never are."""

from collections.abc import Callable
from typing import TypeVar

from bisector.core.model.units import Seconds
from bisector.engine.work import Work
from bisector.errors import EnvironmentFault, InfraFault

BACK_OFF: tuple[Seconds, ...] = (1.0, 5.0)
"""Pauses before each further try: two tries after the first."""


Answer = TypeVar("Answer")


def retrying(attempt: Callable[[], Answer], work: Work, what: str) -> Answer:
    """The result of `attempt`, tried again after an InfraFault; EnvironmentFault when it keeps failing."""
    for pause in BACK_OFF:
        try:
            return attempt()
        except InfraFault:
            work.ports.clock.sleep(pause, work.stop)
    try:
        return attempt()
    except InfraFault as fault:
        advice = fault.then or f"Look after the machine, then `bisector jobs resume {work.job}`"
        raise EnvironmentFault(f"{what} keeps failing: {fault.what}", where=fault.where, then=advice) from fault
