"""The clock of a server: looks at the sweeps again and again, beside whatever else the process does."""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bisector.core.model.units import Seconds
from bisector.engine.sweep import Sweeper

EVERY: Seconds = 15.0
"""How often it looks: so long after a tick, or the end of a job, a series goes on."""


@contextmanager
def scheduled(sweeper: Sweeper, tell: Callable[[str], None], every: Seconds = EVERY) -> Iterator[None]:
    """Look at the sweeps in a thread of its own for as long as the context lasts; it only asks for jobs."""
    ending = threading.Event()

    def run() -> None:
        while not ending.wait(every):
            try:
                sweeper.look()
            except Exception as error:  # noqa: BLE001  a defect of ours must not end the sweeps of a server unseen
                tell(f"a defect of bisector: {''.join(traceback.format_exception(error))}")

    thread = threading.Thread(target=run, name="sweeps", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(timeout=every)
