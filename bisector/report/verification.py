"""Whether the fresh runs of a culprit against its parent bore it out, and what they measured."""

from dataclasses import dataclass, replace

from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Measure
from bisector.core.model.verdict import Culprit
from bisector.core.search.ends import find_ends
from bisector.core.search.observations import Verification
from bisector.core.search.planner import main_line_view
from bisector.core.search.view import View
from bisector.report.basis import paired_part
from bisector.report.pairs import PairedPart


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """The last round that measured a culprit and its parent afresh, in turns: the values of both, and whether it held.

    `paired` is the difference by pairs of all such rounds, `builds` how many pairs of builds bore it out.
    `parent` and `culprit` are indexes on the main line.
    """

    parent: int
    culprit: int
    old: tuple[float, ...]
    new: tuple[float, ...]
    passed: bool
    paired: PairedPart | None = None
    builds: int = 1


def latest(investigation: Investigation, culprit: Culprit) -> Fresh | None:
    """The last finished verification of a pair that encloses `culprit` on the main line; None without any."""
    ends = find_ends(investigation) if investigation.history is not None else None
    if ends is None or culprit.place.line is not LineName.MAIN:
        return None
    view = replace(main_line_view(investigation, ends), either=bool(investigation.named))
    position = culprit.place.index - 1
    rounds = view.observations().verifications
    for found in reversed(rounds):
        encloses = view.line.contains(found.culprit)[position] and not view.line.contains(found.parent)[position]
        values = _values(view, found.parent, found.culprit)
        if encloses and values is not None:
            places = (view.place_at(found.parent), view.place_at(found.culprit))
            return Fresh(
                parent=found.parent,
                culprit=found.culprit,
                old=values[0],
                new=values[1],
                passed=found.passed,
                paired=paired_part(view, view.paired(*places, Purpose.VERIFY)),
                builds=len({each.numbers for each in rounds if each.passed and _same_pair(each, found)}),
            )
    return None


def _same_pair(one: Verification, other: Verification) -> bool:
    return (one.parent, one.culprit) == (other.parent, other.culprit)


def _values(view: View, parent: int, culprit: int) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """What the last round of fresh runs of this pair measured on both sides."""
    pair = {view.place_at(parent), view.place_at(culprit)}
    for plan in reversed(view.investigation.plans):
        if not isinstance(plan.step, Measure):
            continue
        if {slot.place for slot in plan.step.slots if slot.purpose is Purpose.VERIFY} != pair:
            continue
        taken = (sample for sample in view.samples if sample.step == plan.number and not sample.adopted_from)
        fresh = [sample for sample in taken if sample.purpose is Purpose.VERIFY]
        old, new = (
            tuple(sample.values[view.metric.name] for sample in fresh if sample.place == view.place_at(index))
            for index in (parent, culprit)
        )
        if old and new:
            return old, new
    return None
