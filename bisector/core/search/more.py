"""More runs on purpose: a person wants so many before there is an answer, whatever is known already."""

from typing import TYPE_CHECKING

from bisector.core.model.history import LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Conclude, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Verdict, VerdictKind
from bisector.core.search.measuring import round_of, turns_of

if TYPE_CHECKING:
    from bisector.core.search.planner import Plan

ROUND = 8
"""Runs after which it is asked anew where the next ones are wanted most."""


def more_first(investigation: Investigation, plan: "Plan", elapsed: Seconds) -> Step | None:
    """The runs that are wanted before what `plan` concludes is said; None where none are, or none can be made."""
    missing = investigation.request.budget.more_runs - investigation.runs()
    if missing <= 0 or plan.view is None or not isinstance(plan.step, Conclude):
        return None
    places = [place for place in _in_question(investigation, plan.step.verdict) if _can_run(investigation, place)]
    if len(places) != 2:
        return None
    pairs = max(min(missing, ROUND) // 2, 1)
    slots = turns_of(plan.view, [(place, 0) for place in places], pairs, Purpose.SEARCH)
    return round_of(plan.view, slots, f"{missing} more of the runs asked for", elapsed)


def _in_question(investigation: Investigation, verdict: Verdict) -> tuple[Place, Place]:
    """The two places whose difference the answer rests on: the culprit with its parent, else the ends."""
    line = investigation.line
    culprit = verdict.culprits[0] if verdict.culprits else None
    if verdict.kind is VerdictKind.CULPRIT and culprit is not None and culprit.place.line is LineName.MAIN:
        return main(line.parent_index(culprit.place.index)), culprit.place
    return main(0), main(line.size)


def _can_run(investigation: Investigation, place: Place) -> bool:
    build = investigation.builds.get((place, 0))
    return build is not None and build.usable and place not in investigation.failures
