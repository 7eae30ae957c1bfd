"""Builds of two commits that hold different packages, one of them made earlier: is it the commits, or the packages?

Both are built again today, so that whatever is resolved outside the repository is resolved alike. What then remains of
their difference is the repository's doing; what has gone was the packages'.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bisector.core.model.builds import Build
from bisector.core.model.history import LineName, Place
from bisector.core.model.packages import PackageMove, all_moves, moved
from bisector.core.model.samples import Purpose
from bisector.core.model.special import stdtrit
from bisector.core.model.steps import BuildPlace, LookAtChange, Measure, Slot, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Culprit, Rebuilt
from bisector.core.search.across import taken_together
from bisector.core.search.decide import Decision, MeasureEnds
from bisector.core.search.effect import Spread
from bisector.core.search.observations import FloatArray
from bisector.core.search.restoration import Side, pooled_spread, side_of
from bisector.core.search.rounds import at_once
from bisector.core.search.spending import overspent, runs_left
from bisector.core.search.view import View

FIRST_TURNS, MOST_TURNS, EXACT_TURNS = 4, 24, 2
LOOKS = 4
"""The error that is allowed is shared among so many looks at the data."""
HALF = 0.5
"""A difference of which less than this remains between builds made alike is the packages' doing."""
MOST_BUILDS = 8
"""Builds of one commit that earlier jobs may have left before no further one is made."""
MOST_NAMED = 3

Unit = tuple[Place, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    """The builds in question: those at hand, those made in this job, and what moved between the two."""

    hand: tuple[Unit, Unit]
    fresh: tuple[Unit, Unit]
    moves: tuple[PackageMove, ...]
    again: tuple[Place, ...]

    @property
    def units(self) -> tuple[Unit, ...]:
        """Each build once."""
        return tuple(dict.fromkeys((*self.hand, *self.fresh)))


def of_ends(view: View, decision: Decision, elapsed: Seconds) -> Step | Rebuilt | None:
    """The next step to know whether the ends differ through their packages, or the answer; None where they do not.

    Nothing is asked before a change shows.
    """
    posterior = decision.posterior
    if posterior is None or isinstance(decision.action, MeasureEnds) or posterior.no_change > HALF:
        return None
    if not view.investigation.request.searches:
        return None
    return between(view, view.place_at(view.low), view.place_at(view.high), elapsed)


def of_culprit(view: View, culprit: Culprit, elapsed: Seconds) -> Step | Rebuilt | None:
    """The same of a culprit and its parent; None where no single commit is named."""
    if len(culprit.members) != 1 or culprit.place.line is not LineName.MAIN:
        return None
    parent = view.place_at(view.line.parent_index(culprit.place.index))
    return between(view, parent, culprit.place, elapsed)


def between(view: View, old: Place, new: Place, elapsed: Seconds) -> Step | Rebuilt | None:
    """The same of any two commits of the line."""
    pair = _pair(view, old, new, elapsed)
    if not isinstance(pair, _Pair):
        return pair
    values = [_values(view, pair, unit) for unit in pair.units]
    turns = min(len(each) for each in values)
    first = EXACT_TURNS if view.exact else FIRST_TURNS
    found = _judged(view, pair, values) if turns else None
    if found is not None and turns >= first and (found.caused is not None or view.exact or turns >= MOST_TURNS):
        return found
    over = set(overspent(view.investigation, elapsed)) - {"builds"}
    failed = any(place in view.investigation.failures for place, _ in pair.units)
    if over or failed:
        return found
    more = first - turns if turns < first else max(turns // 2, 1)
    order = (pair.units if turn % 2 == 0 else pair.units[::-1] for turn in range(more))
    slots = [Slot(place=place, number=number, purpose=Purpose.ENVIRONMENT) for turn in order for place, number in turn]
    most = runs_left(view.investigation, elapsed)
    reason = f"builds made earlier beside those made today ({_shown(pair.moves)}): is it the packages?"
    return Measure(slots=at_once(slots, view.runs_together)[:most], reason=reason)


def _pair(view: View, old: Place, new: Place, elapsed: Seconds) -> _Pair | Step | None:
    """The builds to compare, or the next step to have them; None where there is nothing to ask, or no way to know."""
    builds = view.investigation.builds
    first = [builds.get((place, 0)) for place in (old, new)]
    known = [build for build in first if build is not None and build.usable and build.packages is not None]
    differ = _moves(*known) if len(known) == len(first) else ()
    if not differ or not any(build.reused for build in known):
        return None
    asked = view.investigation.change_seen(new, old)
    if asked is None:
        return LookAtChange(place=new, parent=old, reason=f"does the repository ask for that ({_shown(differ)})?")
    if set(differ) <= set(asked.packages):
        return None
    fresh = tuple((place, _fresh(builds, place)) for place in (old, new))
    wanted = next((unit for unit in fresh if unit not in builds), None)
    if wanted is not None:
        if overspent(view.investigation, elapsed) or wanted[1] > MOST_BUILDS:
            return None
        reason = f"the two hold different packages ({_shown(differ)}), and builds made earlier may be out of date"
        return BuildPlace(place=wanted[0], number=wanted[1], reason=reason)
    return _pair_of((old, new), known, fresh, [builds[unit] for unit in fresh])


def _pair_of(
    places: tuple[Place, Place], known: list[Build], fresh: tuple[Unit, ...], today: list[Build]
) -> _Pair | None:
    """The builds at hand beside those of today; None where these do not exist, or hold the same packages."""
    if not all(build.usable for build in today):
        return None
    parts = [_moves(earlier, later) for earlier, later in zip(known, today, strict=True)]
    again = tuple(place for place, part in zip(places, parts, strict=True) if part)
    if not again:
        return None
    hand = ((places[0], 0), (places[1], 0))
    return _Pair(hand=hand, fresh=(fresh[0], fresh[1]), moves=all_moves(parts), again=again)


def _moves(one: Build, other: Build) -> tuple[PackageMove, ...]:
    return moved(one.packages, other.packages) if one.packages is not None and other.packages is not None else ()


def _fresh(builds: Mapping[Unit, Build], place: Place) -> int:
    """The number of a build of `place` that this job made, or the next one that it may make."""
    numbers = sorted(number for at, number in builds if at == place)
    return next((number for number in numbers if not builds[place, number].reused), numbers[-1] + 1)


def _values(view: View, pair: _Pair, unit: Unit) -> FloatArray:
    """The compared values of a build, of rounds in which these very builds were run in turns."""
    wanted, host = set(pair.units), view.investigation.host
    steps = {
        plan.number
        for plan in view.investigation.plans
        if isinstance(plan.step, Measure)
        and all(slot.purpose is Purpose.ENVIRONMENT for slot in plan.step.slots)
        and {(slot.place, slot.number) for slot in plan.step.slots} <= wanted
    }
    found = (
        sample
        for sample in view.investigation.samples
        if sample.step in steps
        and (sample.place, sample.number) == unit
        and sample.counts
        and not sample.adopted_from
        and view.metric.name in sample.values
        and (host is None or sample.host == host.host)
    )
    together = taken_together(found, view.metric.name, view.across)
    return np.array([sample.values[view.metric.name] for sample in together], dtype=float)


def _judged(view: View, pair: _Pair, values: list[FloatArray]) -> Rebuilt:
    """How much of the difference between the builds at hand there is between those made today."""
    scaled = dict(zip(pair.units, (view.scale.into(each) for each in values), strict=True))
    spread = pooled_spread(tuple(scaled.values()), 0.0)
    sides = {unit: side_of(each, spread) for unit, each in scaled.items()}
    error = 1 - view.investigation.request.search.confidence
    shown, strict = (_remaining(pair, sides, _reach(spread, error / looks)) for looks in (1, LOOKS))
    caused = True if strict.high < HALF else False if strict.low > HALF else None
    hand, today = (_change(view, sides, units, _reach(spread, error)) for units in (pair.hand, pair.fresh))
    return Rebuilt(
        old=pair.hand[0][0],
        new=pair.hand[1][0],
        moves=pair.moves,
        again=pair.again,
        change=hand,
        left=today,
        share=shown.share,
        low=shown.low if np.isfinite(shown.low) else None,
        high=shown.high if np.isfinite(shown.high) else None,
        caused=caused,
        runs=sum(len(each) for each in values),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Remaining:
    share: float
    low: float
    high: float


def _remaining(pair: _Pair, sides: Mapping[Unit, Side], reach: float) -> _Remaining:
    """The ratio of the two differences with Fieller's (1954) interval; a build that is in both ties them together."""
    whole = sides[pair.hand[1]].level - sides[pair.hand[0]].level
    left = sides[pair.fresh[1]].level - sides[pair.fresh[0]].level
    if whole == 0:
        return _Remaining(share=1.0, low=-np.inf, high=np.inf)
    shared = sum(sides[one].variance for one, other in zip(pair.hand, pair.fresh, strict=True) if one == other)
    of_whole, of_left = (sum(sides[unit].variance for unit in units) for units in (pair.hand, pair.fresh))
    square = whole**2 - reach**2 * of_whole
    if square <= 0:
        return _Remaining(share=left / whole, low=-np.inf, high=np.inf)
    half = whole * left - reach**2 * shared
    root = float(np.sqrt(max(half**2 - square * (left**2 - reach**2 * of_left), 0.0)))
    return _Remaining(share=left / whole, low=(half - root) / square, high=(half + root) / square)


def _reach(spread: Spread, error: float) -> float:
    return float(stdtrit(max(spread.df, 1.0), 1 - error / 2))


def _change(view: View, sides: Mapping[Unit, Side], units: tuple[Unit, Unit], reach: float) -> Change:
    old, new = (sides[unit] for unit in units)
    middle, about = new.level - old.level, reach * float(np.sqrt(old.variance + new.variance))
    low, high = sorted((view.scale.relative(middle - about), view.scale.relative(middle + about)))
    return Change(relative=view.scale.relative(middle), low=low, high=high)


def _shown(moves: tuple[PackageMove, ...]) -> str:
    """The first few moves, for a reason."""
    told = [f"{move.package} {move.old or 'none'} → {move.new or 'none'}" for move in moves[:MOST_NAMED]]
    return ", ".join((*told, f"{len(moves) - MOST_NAMED} more") if len(moves) > MOST_NAMED else told)
