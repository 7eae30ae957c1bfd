"""Two builds of the culprit's parent beside each other, so that the luck of a build is not blamed on a person."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from bisector.core.model.builds import Build
from bisector.core.model.history import Place
from bisector.core.model.samples import Purpose
from bisector.core.model.special import stdtrit
from bisector.core.model.steps import BuildPlace, Measure, Slot, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Control, Culprit
from bisector.core.search.bursts import quiet_reach
from bisector.core.search.effect import Spread
from bisector.core.search.noise import median
from bisector.core.search.observations import FloatArray
from bisector.core.search.posterior import Posterior
from bisector.core.search.restoration import Side, side_of
from bisector.core.search.rounds import at_once
from bisector.core.search.spending import overspent, runs_left
from bisector.core.search.surplus import surplus_by_build
from bisector.core.search.verifying import held_on_other_builds
from bisector.core.search.view import View

FEWEST_TURNS = 3
AS_MUCH = 1.0
"""Two builds of one commit that differ by this part of the culprit's difference, or more, can explain it. Of less it
is the posterior's business: it knows of every build of every commit how far builds differ."""
SURE_OF_LUCK = 0.99
"""How sure it has to be that the two builds differ at all, before that takes a name from the answer."""
MOST_ALLOWED = 0.25
"""Part of the step that builds may be known to deviate by: two that differ as much as the step are no luck then."""
REASON = "two builds of the parent beside the culprit: how much is the luck of a build?"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Units:
    """The builds in question by number: the parent's as it was verified and another one, and the culprit's."""

    parent: Place
    culprit: Place
    fresh: int
    other: int
    verified: int
    turns: int


def control_of(view: View, culprit: Culprit, known: Posterior | None, elapsed: Seconds) -> Step | Control | None:
    """The next step to know how far two builds of the parent differ, or the answer; None where none is to be had.

    Where two pairs of fresh builds each showed the culprit's step, that stands in for it. `known` is what the search
    knows of builds: how far they deviate, and which are of the odd kind; None where they do not.
    """
    units = _units(view, culprit)
    if units is None or view.exact or _shown_twice(view, culprit):
        return None
    builds, parent = view.investigation.builds, units.parent
    over = overspent(view.investigation, elapsed)
    if (parent, units.other) not in builds:
        return None if over else BuildPlace(place=parent, number=units.other, reason=REASON)
    first, second = builds[parent, units.fresh], builds[parent, units.other]
    if not second.usable:
        return None
    if _equal(first, second):
        return Control(same_build=True)
    three = ((parent, units.other), (units.culprit, units.verified), (parent, units.fresh))
    values = [_values(view, unit) for unit in three]
    measured = all(len(each) for each in values)
    tau = known.spread_of_kind.tau if known is not None else 0.0
    surplus = surplus_by_build(view, known)
    levels = [view.scale.into(each) - surplus.get(unit, 0.0) for each, unit in zip(values, three, strict=True)]
    found = judged(view, (levels[0], levels[2], levels[1]), _step(view, culprit), tau) if measured else None
    stops = over and over != ("builds",)
    once = found is not None and found.luck and len(values[0]) <= units.turns * view.runs_together
    # What a burst over a few runs makes of one build must not take a name away: luck then has to show twice.
    if stops or (found is not None and not (once and _disturbed(view, values))):
        return found
    turns = (three if turn % 2 == 0 else three[::-1] for turn in range(units.turns))
    slots = [Slot(place=place, number=number, purpose=Purpose.CONTROL) for turn in turns for place, number in turn]
    together = at_once(slots, view.runs_together)
    return Measure(slots=together[: runs_left(view.investigation, elapsed)], reason=REASON)


def _shown_twice(view: View, culprit: Culprit) -> bool:
    places = view.line.parent_index(culprit.place.index), culprit.place.index
    return held_on_other_builds(view.observations(), places, _step(view, culprit), two_sided=view.two_sided)


def _disturbed(view: View, values: list[FloatArray]) -> bool:
    """Whether runs of one build lie further apart than runs of this search do where nothing disturbs them."""
    observations = view.observations()
    reach = quiet_reach(observations, observations.values)
    scaled = [view.scale.into(each) for each in values]
    return reach > 0 and any(float(np.abs(each - median(each)).max()) > reach for each in scaled)


def judged(view: View, three: tuple[FloatArray, FloatArray, FloatArray], step: float, tau: float) -> Control:
    """How far two builds of the parent differ, and the culprit from both: levels of the same turns.

    `step` is the culprit's by everything measured: what these few runs show of it moves with the second build.
    """
    spread = noise_within(_runs_by_build(view))
    first, second, new = (side_of(each, spread) for each in three)
    reach = float(stdtrit(spread.df, 0.5 + view.investigation.request.search.confidence / 2))
    both = Side(level=(first.level + second.level) / 2, variance=(first.variance + second.variance) / 4)
    return Control(
        same_build=False,
        difference=_change(view, first, second, reach),
        culprit=_change(view, both, new, reach),
        runs=sum(len(each) for each in three),
        luck=is_luck(first, second, max(abs(new.level - both.level), step), replace(spread, tau=tau)),
    )


def _step(view: View, culprit: Culprit) -> float:
    """How far the culprit lies from its parent by all runs of both, in the search's units; 0 where it is not known."""
    relative = culprit.change.relative if culprit.change is not None else 0.0
    return abs(view.scale.threshold(relative)) if relative > -1 else 0.0


def is_luck(first: Side, second: Side, step: float, known: Spread) -> bool:
    """Whether two builds of one commit differ by as much as the culprit's `step`, and surely by more than builds are
    `known` to: the posterior has allowed for those before it named anybody.

    No more than a part of the step is allowed for: builds that differ by more can be all of it.
    """
    apart = abs(second.level - first.level)
    tau = min(known.tau, MOST_ALLOWED * abs(step))
    error = float(np.sqrt(first.variance + second.variance + 2 * tau**2))
    surely = float(stdtrit(known.df, 0.5 + SURE_OF_LUCK / 2)) * error
    return apart > surely and apart >= AS_MUCH * abs(step)


def noise_within(builds: Iterable[FloatArray]) -> Spread:
    """The deviation of runs about their build's mean over all `builds`, nothing drawn in.

    Of two modes the few runs of two builds may show one each: only the many runs of all tell how wide that is.
    """
    units = [each for each in builds if len(each) > 1]
    degrees = float(max(sum(len(each) - 1 for each in units), 1))
    squares = sum(float(((each - each.mean()) ** 2).sum()) for each in units)
    return Spread(sigma=float(np.sqrt(squares / degrees)), tau=0.0, df=degrees)


def _runs_by_build(view: View) -> Iterable[FloatArray]:
    by_build: dict[tuple[Place, int], list[float]] = {}
    for sample in view.samples:
        by_build.setdefault((sample.place, sample.number), []).append(sample.values[view.metric.name])
    return (view.scale.into(np.array(each)) for each in by_build.values())


def without_luck(culprit: Culprit, control: Control | None) -> Culprit:
    """The culprit with its control: where that differs as much as itself it is not verified."""
    luck = control is not None and control.luck
    return replace(culprit, control=control, verified=culprit.verified and not luck)


def _units(view: View, culprit: Culprit) -> _Units | None:
    """Which builds to compare: those of the last round that verified the culprit, and another one of the parent."""
    places = {view.place_at(view.line.parent_index(culprit.place.index)): 0, culprit.place: 0}
    if len(places) < 2:
        return None
    for plan in reversed(view.investigation.plans):
        step = plan.step
        if not isinstance(step, Measure) or {slot.place for slot in step.slots} != places.keys():
            continue
        if any(slot.purpose is not Purpose.VERIFY for slot in step.slots):
            continue
        numbers = {slot.place: slot.number for slot in step.slots}
        parent = next(place for place in places if place != culprit.place)
        made = sorted(number for place, number in view.investigation.builds if place == parent)
        fresh = numbers[parent]
        other = next((number for number in made if number != fresh), fresh + 1)
        turns = max(len(step.slots) // 2 // view.runs_together, FEWEST_TURNS)
        verified = numbers[culprit.place]
        return _Units(parent=parent, culprit=culprit.place, fresh=fresh, other=other, verified=verified, turns=turns)
    return None


def _values(view: View, unit: tuple[Place, int]) -> FloatArray:
    steps = {
        plan.number
        for plan in view.investigation.plans
        if isinstance(plan.step, Measure) and any(slot.purpose is Purpose.CONTROL for slot in plan.step.slots)
    }
    found = (
        sample.values[view.metric.name]
        for sample in view.samples
        if sample.step in steps and not sample.adopted_from and (sample.place, sample.number) == unit
    )
    return np.array(list(found), dtype=float)


def _equal(one: Build, other: Build) -> bool:
    return one.content is not None and one.content == other.content


def _change(view: View, old: Side, new: Side, reach: float) -> Change:
    middle = new.level - old.level
    half = reach * float(np.sqrt(old.variance + new.variance))
    low, high = sorted((view.scale.relative(middle - half), view.scale.relative(middle + half)))
    return Change(relative=view.scale.relative(middle), low=low, high=high)
