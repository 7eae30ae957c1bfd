"""The two ends: which commits stand for them and what was measured there."""

from statistics import median

from bisector.core.model.history import ASIDE, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.verdict import Verdict
from bisector.core.search.outlook import Outlook
from bisector.report.basis import commit_part, end_change, paired_part
from bisector.report.document import EndPart, EndsPart
from bisector.report.pairs import PairedPart


def ends_of(investigation: Investigation, found: Outlook | None, verdict: Verdict | None) -> EndsPart | None:
    """Both ends by the metric of the outlook `found`; None before the history is listed."""
    history = investigation.history
    if history is None:
        return None
    size = history.line.size
    low, high = (found.view.low, found.view.high) if found is not None else (0, size)
    on_line = history.aside is None
    return EndsPart(
        good=_end(investigation, found, main(low), asked=low == 0 and on_line),
        bad=_end(investigation, found, main(high), asked=high == size),
        aside=None if on_line else _end(investigation, found, ASIDE, asked=True),
        change=end_change(found, verdict),
        paired=_paired(found),
    )


def _paired(found: Outlook | None) -> PairedPart | None:
    if found is None:
        return None
    view = found.view
    return paired_part(view, view.paired(view.place_at(view.low), view.place_at(view.high)))


def _end(investigation: Investigation, found: Outlook | None, place: Place, *, asked: bool) -> EndPart:
    values = tuple(found.view.values_at(place).tolist()) if found is not None else ()
    return EndPart(
        commit=commit_part(investigation.commit(place)),
        index=place.index,
        values=values,
        median=float(median(values)) if values else None,
        asked=asked,
    )
