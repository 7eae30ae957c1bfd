"""Runs in several sessions that begin at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bisector.engine.ports import RunRecord, Session
from bisector.errors import InfraFault


def run_together(sessions: Sequence[Session]) -> tuple[RunRecord | InfraFault, ...]:
    """A run in each session, begun together; what each came to, once the last has ended.

    A stop, and whatever is not the machine's fault, is raised when all have ended.
    """
    ready = threading.Barrier(len(sessions))

    def run(session: Session) -> RunRecord | InfraFault:
        problem = _problem_of(session.prepare)
        ready.wait()
        try:
            if problem is not None:
                raise problem
            return session.run()
        except InfraFault as fault:
            return fault

    # A thread lives as long as its run: the helper ends with the thread that started it.
    with ThreadPoolExecutor(len(sessions)) as pool:
        runs = [pool.submit(run, session) for session in sessions]
    return tuple(run.result() for run in runs)


def _problem_of(attempt: Callable[[], None]) -> Exception | None:
    """What an attempt raised: whoever waits for it must not wait in vain."""
    try:
        attempt()
    except Exception as problem:  # noqa: BLE001  raised again once nobody waits
        return problem
    return None
