"""A metric that is counted instead of timed: who counted it, that it stands for something else, and what it took."""

from collections.abc import Iterator
from statistics import median

from bisector.core.model.counting import COUNTED_BY, counter_of, is_counter
from bisector.core.model.units import Seconds
from bisector.core.search.untooled import sides_of, usages
from bisector.core.search.view import View
from bisector.report import numbers
from bisector.report.basis import Basis
from bisector.report.counts import CountedPart
from bisector.report.phrase import quote
from bisector.report.text import one_line


def counted_part(basis: Basis) -> CountedPart | None:
    """What counted the metric, and the wall time of both sides; None for a metric that is no counter."""
    investigation, found = basis.investigation, basis.main
    if not is_counter(investigation.metric) or investigation.host is None:
        return None
    details = investigation.host.details
    counter = counter_of(investigation.request.asked, details)
    old, new = (None, None) if found is None else sides_of(found.view, basis.verdict)
    return CountedPart(
        by=one_line(details.get(COUNTED_BY, ""), 80) or None,
        alone=counter is not None and counter.distorts,
        old=tuple(usage.wall for usage in usages(investigation, old)) if old is not None else (),
        new=tuple(usage.wall for usage in usages(investigation, new)) if new is not None else (),
    )


def wall_row(part: CountedPart) -> tuple[str, str, str]:
    """Label, value and grounds of the line of evidence about the wall time."""
    if not part.old or not part.new:
        return "Wall time", "not measured", "nothing was run without what counts"
    old, new = median(part.old), median(part.new)
    how = " without what counts, in turns" if part.alone else ""
    runs = f"medians of {numbers.whole(len(part.old))} and {numbers.count(len(part.new), 'run')}{how}"
    value = numbers.percent(new / old - 1, signed=True) if old > 0 else "not known"
    levels = f"{_told(part.old)} before it, {_told(part.new)} with it"
    apart = min(part.new) > max(part.old) or max(part.new) < min(part.old)
    doubt = "" if apart else "; the two overlap, so that they tell no difference"
    return "Wall time", value, f"{levels}; {runs}{doubt}; not what was searched by"


def _told(walls: tuple[Seconds, ...]) -> str:
    spread = f" ({numbers.seconds(min(walls))} to {numbers.seconds(max(walls))})" if len(walls) > 1 else ""
    return f"{numbers.seconds(median(walls))}{spread}"


def noise_told(view: View) -> str:
    """Grounds of the noise of a metric that is taken to have none."""
    spread = 0.0
    for place in {sample.place for sample in view.samples}:
        values = view.values_at(place)
        low = float(values.min())
        spread = max(spread, (float(values.max()) - low) / abs(low) if low else 0.0)
    if not spread:
        return "equal runs give equal values"
    return f"runs of one commit differ by {numbers.percent(spread)} at most, which is nothing here"


def counted_notes(basis: Basis, part: CountedPart) -> Iterator[str]:
    """That a counter is a proxy, and who counted."""
    name = quote(basis.investigation.metric.name)
    by = f", counted by {part.by}" if part.by else ""
    yield (
        f"{name}{by}, is a proxy: it says what the program did, not how long that took. A change of it need not be one "
        "of time, and what waits, or misses its caches, takes time without it."
    )
    found = basis.main
    if found is not None and not found.view.exact and found.posterior is not None:
        yield (
            f"{name} was expected to be the same in every run of a commit and was not: it was searched as a noisy "
            "metric, with more runs. What varies is often the seed of hashes (PYTHONHASHSEED=0), addresses or the time."
        )
