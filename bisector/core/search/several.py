"""More than one change: once a culprit is named, each side of it is a range of its own, tested with the data at hand.

The ends of a side are commits that were measured already, so that a side on which nothing more changes costs nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from bisector.core.model.facts import CulpritNamed
from bisector.core.model.verdict import Culprit, Reason, Verdict, VerdictKind
from bisector.core.search import conclude
from bisector.core.search.decide import Costs, Decision, Ending, MeasureCommit, Stop, decide, pair
from bisector.core.search.observations import RESERVE, Settings
from bisector.core.search.posterior import Posterior, assess
from bisector.core.search.shape import Uneven, uneven
from bisector.core.search.verifying import is_borne_out
from bisector.core.search.view import View

PRIOR_OF_NO_FURTHER = 0.8
"""A second change in one range is the exception: it takes evidence of four to one before a side is searched."""
PAIRS_FURTHER = 6
"""Pairs of fresh runs at least before a second culprit is named: a few in a row may lie in one swing of the host."""
REMAINS = 0.5
"""A side is searched while "no further change" is less likely than this."""


def parts_of(view: View, named: Sequence[CulpritNamed]) -> tuple[View, ...]:
    """The sides of the culprits `named`, in the order of history, those without a candidate left out.

    A graph has none: its commits do not lie on one side or the other.
    """
    if not view.line.linear or not view.investigation.request.searches:
        return ()
    parts = (replace(view, low=low, high=high, part=True) for low, high in stretches(view, named) if low < high)
    return tuple(part for part in parts if part.observations().weights.any())


def stretches(view: View, named: Sequence[CulpritNamed]) -> Iterator[tuple[int, int]]:
    """The stretches of history with one level each, as far as named: first and last index."""
    cuts = sorted((each.old, each.new) for each in named)
    yield from zip((view.low, *(new for _, new in cuts)), (*(old for old, _ in cuts), view.high), strict=True)


def settings_of_part(settings: Settings) -> Settings:
    """How a side is searched: for a change either way, since a second one may take back a part of the first."""
    pairs = (max(settings.verify_pairs[0], PAIRS_FURTHER), max(settings.verify_pairs[1], PAIRS_FURTHER))
    return replace(settings, prior_no_change=PRIOR_OF_NO_FURTHER, two_sided=True, verify_pairs=pairs, reserve=RESERVE)


def next_in_parts(
    view: View, named: Sequence[CulpritNamed], settings: Settings, costs: Callable[[View], Costs]
) -> tuple[View, Decision] | None:
    """The first side on which something is left to measure or to name, with what to do there; None when all are done.

    A side that nothing more can be learnt of is done; if a change is certain there, the verdict says so.
    """
    for part in parts_of(view, named):
        decision = decide(part.observations(), costs(part), settings_of_part(settings))
        if decision.posterior is None or decision.posterior.no_change >= REMAINS:
            continue
        found = in_stretches(part, decision, settings, costs) or (part, decision)
        if not isinstance(found, Uneven) and goes_on(found[1]):
            return found
    return None


def less_sure(
    view: View, named: Sequence[CulpritNamed], settings: Settings, costs: Callable[[View], Costs]
) -> Decision | None:
    """What to measure where the only name has become less sure since it was named, and nothing else changes; else None.

    What was run to look for a second change counts for the first as well.
    """
    if len(named) != 1:
        return None
    decision = decide(view.observations(), costs(view), settings)
    if isinstance(decision.action, Stop) or shape_of(view, decision) is not None:
        return None
    of_part = settings_of_part(settings)
    quiet = all(assess(part.observations(), of_part).no_change >= REMAINS for part in parts_of(view, named))
    return decision if quiet else None


def in_stretches(
    view: View, decision: Decision, settings: Settings, costs: Callable[[View], Costs]
) -> tuple[View, Decision] | Uneven | None:
    """What to do in the first stretch where something is left to do, when one step does not explain what `view` shows;
    the shape, when no stretch holds a change worth naming; None when one step does explain it, when a stretch holds a
    change that nothing more can be learnt of, or when `decision` is to verify or has come to an answer."""
    shape = shape_of(view, decision)
    if shape is None:
        return None
    left = False
    for low, high in shape.stretches:
        stretch = replace(view, low=low, high=high, part=True)
        inside = decide(stretch.observations(), costs(stretch), settings_of_part(settings))
        if goes_on(inside):
            return stretch, inside
        left = left or inside.posterior is None or inside.posterior.no_change < REMAINS
    return None if left else shape


def shape_of(view: View, decision: Decision) -> Uneven | None:
    """The shape of a change that one step does not explain; None while the search for one step gets on."""
    action = decision.action
    open_end = isinstance(action, MeasureCommit) or (isinstance(action, Stop) and action.ending is Ending.EXHAUSTED)
    if not open_end or decision.posterior is None or not view.investigation.request.searches:
        return None
    return uneven(view.observations(), decision.posterior)


def goes_on(decision: Decision) -> bool:
    """Whether there is something left to measure, or a culprit to name."""
    return not isinstance(decision.action, Stop) or decision.action.ending is Ending.FOUND


def name(view: View, decision: Decision) -> CulpritNamed | None:
    """The culprit that `decision` has come to on the line or side `view`; None where it has come to something else."""
    stop, posterior = decision.action, decision.posterior
    if not isinstance(stop, Stop) or posterior is None or stop.ending is not Ending.FOUND or stop.found is None:
        return None
    culprit = conclude.culprit_of_class(view, posterior, stop.found)
    old, new = pair(view.observations(), posterior, stop.found)
    return CulpritNamed(culprit=culprit, old=old, new=new)


def verdict(
    view: View, named: Sequence[CulpritNamed], settings: Settings, reason: Reason | None = None, why: str = ""
) -> Verdict:
    """The answer where culprits were `named`: each judged by the runs between its neighbours, the largest first.

    `reason` and `why` say what ended the search, where it was not the end of what can be learnt.
    """
    of_part = settings_of_part(settings)
    # The exception is a second change: one alone is judged by what was held likely when it was named.
    by = settings if len(named) == 1 else of_part
    judged = [_judged(window, each, by) for window, each in _windows(view, named)]
    found = [culprit for culprit, _ in judged]
    found += (culprit for part in parts_of(view, named) for culprit in _unplaced(part, of_part))
    surest = max((posterior for _, posterior in judged), key=lambda posterior: posterior.df)
    lead = found[0] if not found[0].change else max(found[: len(named)], key=_size)
    along = sorted((each for each in found if _rises(each) == _rises(lead)), key=_size, reverse=True)
    against = sorted((each for each in found if _rises(each) != _rises(lead)), key=_size, reverse=True)
    alone = along[0] if len(along) == 1 else None
    kind = VerdictKind.SEVERAL if alone is None else VerdictKind.CULPRIT
    if alone is not None and len(alone.members) > 1:
        known = any(alone.members == each.culprit.members for each in named)
        kind, reason = VerdictKind.CULPRIT_SET, reason or (Reason.UNTESTABLE if known else Reason.CONFIDENCE)
    return Verdict(
        kind=kind,
        reason=reason,
        culprits=tuple(along),
        opposite=tuple(against),
        change=view.change(view.place_at(view.low), view.place_at(view.high), surest),
        no_change=min(posterior.no_change for _, posterior in judged),
        explanation=why or "found and verified",
    )


def _windows(view: View, named: Sequence[CulpritNamed]) -> Iterator[tuple[View, CulpritNamed]]:
    """Each culprit with the stretch between its neighbours, on which it is the only change that is named."""
    ordered = sorted(named, key=lambda each: each.new)
    for position, each in enumerate(ordered):
        low = ordered[position - 1].new if position else view.low
        high = ordered[position + 1].old if position + 1 < len(ordered) else view.high
        yield replace(view, low=min(low, each.old), high=max(high, each.new), part=True), each


def _judged(window: View, named: CulpritNamed, settings: Settings) -> tuple[Culprit, Posterior]:
    """A named culprit by everything measured since, with the posterior it is judged by."""
    observations = window.observations()
    posterior = assess(observations, settings)
    chances = posterior.of_candidates(observations.weights)
    probability = float(sum(chances[member - 1] for member in named.culprit.members))
    if probability < settings.confidence:
        # What was measured since made it less sure: nobody is named alone below what was asked.
        members, probability = conclude.credible_set(observations, posterior, settings.confidence)
        if len(members) == 1 and probability < settings.confidence:
            most = float(chances.max() / chances.sum())
            members, probability = conclude.credible_set(observations, posterior, np.nextafter(most, 1.0))
        # What is told of others than the one that was named has to be their own.
        return conclude.culprit_of(window, posterior, members, probability), posterior
    culprit = replace(
        named.culprit,
        probability=probability,
        change=window.change(window.place_at(named.old), window.place_at(named.new), posterior),
        verified=is_borne_out(observations, (named.old, named.new)),
    )
    return culprit, posterior


def _unplaced(part: View, settings: Settings) -> Iterator[Culprit]:
    """The change of a side on which one is certain, though not at which of its commits."""
    observations = part.observations()
    posterior = assess(observations, settings)
    if 1 - posterior.no_change < settings.confidence:
        return
    members, probability = conclude.credible_set(observations, posterior, settings.confidence)
    yield Culprit(
        place=part.place_at(max(members)),
        members=members,
        probability=probability,
        change=part.change(part.place_at(part.low), part.place_at(part.high), posterior),
        verified=False,
    )


def _size(culprit: Culprit) -> float:
    return abs(culprit.change.relative) if culprit.change is not None else 0.0


def _rises(culprit: Culprit) -> bool:
    return culprit.change is None or culprit.change.relative > 0
