"""Of `attend`: a command that stands for one that runs elsewhere, where no C compiler made `hold.c`."""

import contextlib
import os
import select


def hold(path: str) -> int:
    """Make a pipe at `path`, say "held", wait until it is released; the status that is told."""
    with contextlib.suppress(FileNotFoundError):  # of a run before, where nobody empties the directory
        os.unlink(path)
    os.mkfifo(path, 0o600)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.write(1, b"held\n")
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    waiting.poll()
    return (os.read(fd, 1) or b"1")[0] - ord("0")


def release(path: str, status: str) -> int:
    """Tell who holds `path` to end with `status`; OSError where nobody does."""
    os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), status[:1].encode())
    return 0
