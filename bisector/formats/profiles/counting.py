"""Files of exact counts, by whoever counted."""

from collections.abc import Sequence

from bisector.core.explain.counts import Counts
from bisector.core.explain.names import Names
from bisector.core.model.profiles import Format
from bisector.formats.profiles.callgrind import read_callgrind
from bisector.formats.profiles.calls import read_counts


def counts_in(files: Sequence[bytes], told: Format, names: Names, work: float) -> Counts:
    """What the files of a side's counting runs hold, `work` units of work together; ProfileProblem for what is none."""
    read = read_callgrind if told is Format.CALLGRIND else read_counts
    return read(files, names, work)
