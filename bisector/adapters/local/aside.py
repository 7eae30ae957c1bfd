"""Keeping a build off the processors that are measured on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_off(count: int) -> Iterator[None]:
    """Keep this thread, and what it starts, off the last `count` processors: those that runs are made on.

    Nothing changes where there are no others.
    """
    allowed = sorted(os.sched_getaffinity(0))
    others = allowed[: len(allowed) - count]
    if not count or not others:
        yield
        return
    # 0 is the calling thread, not the process.
    os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
