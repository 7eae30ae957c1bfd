"""Page faults beside a change of time: what a program pays for memory, in the kernel and in none of its functions."""

from collections.abc import Iterator
from statistics import median

from bisector.core.model.counting import is_counter
from bisector.core.model.history import Place
from bisector.core.model.investigation import Investigation
from bisector.core.search.profiling import pairs_of
from bisector.core.search.untooled import usages
from bisector.report import numbers
from bisector.report.basis import Basis
from bisector.report.sentence import named

FEWEST_RUNS = 3
LEAST_SHARE, LEAST_MORE = 0.25, 1_000
"""By how many faults a run, of those before and in all, the sides have to differ before it is worth a word."""
OF_MEMORY = frozenset({"page_faults", "peak_memory"})


def notes_of_faults(basis: Basis) -> Iterator[str]:
    """Of each culprit whose runs surely take more page faults than its parent's, or fewer: how many."""
    investigation, verdict = basis.investigation, basis.verdict
    metric = investigation.metric
    if verdict is None or investigation.history is None or is_counter(metric) or metric.source in OF_MEMORY:
        return
    for old, new in pairs_of(investigation, verdict):
        before, after = (_faults(investigation, place) for place in (old, new))
        if min(len(before), len(after)) < FEWEST_RUNS or not _apart(before, after):
            continue
        yield (
            f"Page faults: {numbers.whole(round(median(after)))} in a run of {named(investigation.commit(new))}, "
            f"{numbers.whole(round(median(before)))} before it. Memory that is asked of the kernel, or given back and "
            "asked for again, takes time that lies in none of the program's functions."
        )


def _faults(investigation: Investigation, place: Place) -> list[int]:
    return [usage.page_faults for usage in usages(investigation, place) if usage.page_faults]


def _apart(before: list[int], after: list[int]) -> bool:
    """Whether the two differ by enough to be told, and no run of one lies among those of the other."""
    few, many = sorted((before, after), key=median)
    more = median(many) - median(few)
    return max(few) < min(many) and more >= max(LEAST_MORE, LEAST_SHARE * median(few))
