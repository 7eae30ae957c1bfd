"""The wall time that stands beside a count: a counter is a proxy, and a tool that counts makes times its own."""

from bisector.core.model.counting import counter_of, is_counter
from bisector.core.model.history import Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.samples import Outcome, Purpose, Usage
from bisector.core.model.steps import Measure
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Verdict
from bisector.core.search.profiling import pairs_of
from bisector.core.search.rounds import in_turns
from bisector.core.search.spending import overspent
from bisector.core.search.view import View

RUNS = 5
"""Of each side: enough for a median and a range. It is no search."""
TOLD_OF = frozenset({JobKind.BISECT, JobKind.COMPARE})
REASON = "both sides without what counts, in turns: their wall time stands beside the count"


def without_tool(view: View, verdict: Verdict, elapsed: Seconds) -> Measure | None:
    """The round that runs both sides of what `verdict` says by themselves; None where that is done or not wanted.

    Not wanted is it where nothing that distorts is around the command: there the counted runs tell their own time.
    """
    investigation = view.investigation
    if not _distorting(investigation) or not is_counter(view.metric) or investigation.request.kind not in TOLD_OF:
        return None
    if any(_is_one(plan.step) for plan in investigation.plans) or "time" in overspent(investigation, elapsed):
        return None
    most = investigation.request.budget.runs
    if most is not None and investigation.runs() + 2 * RUNS > most:
        return None
    return Measure(slots=in_turns(sides_of(view, verdict), RUNS, Purpose.UNTOOLED), reason=REASON)


def sides_of(view: View, verdict: Verdict | None) -> tuple[Place, Place]:
    """The places whose wall times are told: the first culprit and its parent where both are built, else the ends."""
    pairs = pairs_of(view.investigation, verdict) if verdict is not None else ()
    return pairs[0] if pairs else (view.place_at(view.low), view.place_at(view.high))


def usages(investigation: Investigation, place: Place) -> tuple[Usage, ...]:
    """What runs of `place` used by themselves: with a tool around them that distorts that, only the others tell."""
    alone = _distorting(investigation)
    samples = [s for s in investigation.by_place.get(place, ()) if s.outcome is Outcome.OK]
    fine = [sample for sample in samples if (sample.purpose is Purpose.UNTOOLED if alone else sample.counts)]
    return tuple(sample.usage for sample in fine if sample.usage is not None)


def _distorting(investigation: Investigation) -> bool:
    """Whether the measured runs have something around them that takes time and memory of its own."""
    host = investigation.host
    counter = counter_of(investigation.request.asked, host.details) if host is not None else None
    return counter is not None and counter.distorts


def _is_one(step: object) -> bool:
    return isinstance(step, Measure) and any(slot.purpose is Purpose.UNTOOLED for slot in step.slots)
