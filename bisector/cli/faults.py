"""What the operating system refuses, told as a fault of the machine's."""

import errno
import os
import shutil

from bisector.errors import EnvironmentFault

_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
_TOLD = {errno.ENOSPC: "there is no space left on the disk", errno.EDQUOT: "the disk quota is used up"}


def disk_fault(error: OSError, places: str = "") -> EnvironmentFault | None:
    """The fault behind a file that could not be written; None when the mistake is ours.

    A failed write names no file: `places` then says where things are written.
    """
    number, where = _of_a_tree(error) if isinstance(error, shutil.Error) else _of_a_file(error)
    if number not in _FAULTS:
        return None
    return EnvironmentFault(
        _TOLD.get(number, f"a file cannot be written: {os.strerror(number)}"),
        where=where or places,
        then="Free some space or set BISECTOR_STATE_DIR and BISECTOR_CACHE_DIR elsewhere, then resume the job",
    )


def _of_a_file(error: OSError) -> tuple[int | None, str]:
    return error.errno, str(error.filename2 or error.filename or "")  # of a copy, the second is where it was to go


def _of_a_tree(error: shutil.Error) -> tuple[int | None, str]:
    """The first file of a tree that could not be copied: where from, where to and, as text alone, why."""
    _, target, why = error.args[0][0]
    return next((number for number in _FAULTS if os.strerror(number) in str(why)), None), str(target)
