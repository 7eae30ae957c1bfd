"""A change taken apart: which of the packages that a culprit moves made it, or which commit of a submodule.

The parts are a line of candidates like any other, from none of them in place to all, and the same search goes along it.
A package that is found is then measured without those that moved before it: does it make the change alone?
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bisector.core.model.captures import ChangeKind
from bisector.core.model.history import LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.packages import PackageMove, moved
from bisector.core.model.parts import PartKind, PartsListed, alone, pair
from bisector.core.model.scenario import Metric
from bisector.core.model.steps import BuildPlace, ListParts, Step
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.trials import Restoration
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Culprit, InnerAnswer, InnerKind, PartsAnswer, Reason, Verdict, VerdictKind
from bisector.core.search.conclude import inner_answer
from bisector.core.search.decide import Costs, Decision, Ending, Stop, decide
from bisector.core.search.measuring import as_step
from bisector.core.search.observations import Settings
from bisector.core.search.spending import overspent
from bisector.core.search.trials import Question, measured_at
from bisector.core.search.view import View

NAMES = frozenset({VerdictKind.CULPRIT, VerdictKind.SEVERAL})
PYTHON = "python"
NOT_THESE = "with all of them moved the change is still not there: something else that the commit brings makes it"
SPENT = "the budget was spent before it was known"
NO_SET = "no such set of packages can be built"
WHY = {
    PartKind.PACKAGES: "the change only moves packages: which of them makes it?",
    PartKind.SUBMODULES: "the change only moves a submodule: which of its commits makes it?",
}
COMPANY = "the package makes the change only together with others that moved before it: with which?"
SMALLEST_COMPANY = 2
"""The second package that moved can have no other company than the first."""
ALONE = "does this package make the change without those that moved before it?"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    place: Place
    parent: Place
    kind: PartKind
    in_context: bool = True


def parts_view(investigation: Investigation, metric: Metric) -> View:
    """The parts of a change; in its context both ends are places of the main line."""
    parts = investigation.parts
    if parts is None:
        raise ValueError("no parts are listed yet")
    size = parts.line.size
    return View(
        investigation=investigation,
        name=LineName.PART,
        line=parts.line,
        metric=metric,
        low=0,
        high=size,
        elsewhere={0: parts.parent, size: parts.place} if parts.in_context and size else {},
    )


def company_view(investigation: Investigation, metric: Metric) -> View:
    """The packages before one that always has moved, between that one alone and all of them."""
    company = investigation.company
    if company is None:
        raise ValueError("no company is listed yet")
    index = company.with_part
    top = parts_view(investigation, metric).place_at(index)
    return View(
        investigation=investigation,
        name=LineName.COMPANY,
        line=company.line,
        metric=metric,
        low=0,
        high=index - 1,
        elsewhere={0: alone(index), index - 1: top},
    )


def taken_apart(
    view: View, verdict: Verdict, elapsed: Seconds, costs: Callable[[View], Costs], settings: Settings
) -> Step | Verdict:
    """`verdict` with the part of the change that makes it, or the next step to know it.

    `view` is of the main line, `settings` those for the parts.
    """
    investigation = view.investigation
    wanted = _wanted(view, verdict)
    if wanted is None:
        return verdict
    parts = investigation.parts
    if parts is None or (parts.place, parts.what) != (wanted.place, wanted.kind):
        if parts is not None or overspent(investigation, elapsed):
            return verdict
        return ListParts(
            place=wanted.place,
            parent=wanted.parent,
            what=wanted.kind,
            in_context=wanted.in_context,
            reason=WHY[wanted.kind],
        )
    found = _searched(parts_view(investigation, view.metric), parts, elapsed, costs, settings)
    return replace(verdict, parts=found) if isinstance(found, PartsAnswer) else found


def _wanted(view: View, verdict: Verdict) -> _Wanted | None:
    """What is to be taken apart: the first culprit that moves nothing but packages or submodules, or two commits
    between which the packages made the change."""
    investigation = view.investigation
    request, rebuilt = investigation.request, verdict.rebuilt
    if not (request.searches and request.search.parts):
        return None
    if verdict.kind is VerdictKind.ENVIRONMENT_CHANGED and verdict.reason is Reason.PACKAGES and rebuilt is not None:
        between = _Wanted(place=rebuilt.new, parent=rebuilt.old, kind=PartKind.PACKAGES, in_context=False)
        return between if rebuilt.caused and _may_be_told_apart(investigation, between) else None
    return next(_of_culprits(view, verdict.culprits), None) if verdict.kind in NAMES else None


def _of_culprits(view: View, culprits: tuple[Culprit, ...]) -> Iterator[_Wanted]:
    investigation = view.investigation
    for culprit in culprits:
        if len(culprit.members) != 1 or culprit.place.line is not LineName.MAIN:
            continue
        parent = view.place_at(view.line.parent_index(culprit.place.index))
        seen = investigation.change_seen(culprit.place, parent)
        if seen is None:
            continue
        wanted = _Wanted(place=culprit.place, parent=parent, kind=PartKind.PACKAGES)
        if seen.kind is ChangeKind.DEPENDENCY and _may_be_told_apart(investigation, wanted):
            yield wanted
        if seen.kind is ChangeKind.SUBMODULE and investigation.request.scenario.build.submodules == "fetch":
            yield replace(wanted, kind=PartKind.SUBMODULES)


def _may_be_told_apart(investigation: Investigation, wanted: _Wanted) -> bool:
    """Whether there are several packages that moved, and an installer that can be held to some of them."""
    moves = moves_between(investigation, wanted.parent, wanted.place)
    held = any(move.source == PYTHON for move in moves)
    return len(moves) > 1 and held and investigation.request.scenario.build.installs_by_pip


def moves_between(investigation: Investigation, old: Place, new: Place) -> tuple[PackageMove, ...]:
    """What differs between the packages of the first builds of two commits; nothing where that is not known."""
    builds = [investigation.builds.get((place, 0)) for place in (old, new)]
    known = [build.packages for build in builds if build is not None and build.packages is not None]
    return moved(*known) if len(known) == len(builds) else ()


def _searched(
    view: View, parts: PartsListed, elapsed: Seconds, costs: Callable[[View], Costs], settings: Settings
) -> Step | PartsAnswer:
    """The next step of the search along the parts, or its answer."""
    investigation = view.investigation
    undecided = PartsAnswer(place=parts.place, kind=InnerKind.UNDECIDED, problem=parts.problem)
    if not parts.size:
        return undecided
    spent = bool(set(overspent(investigation, elapsed)))
    for place in (view.place_at(view.low), view.place_at(view.high)):
        if (place, 0) not in investigation.builds and not spent:
            return BuildPlace(place=place, reason="an end of the line of parts")
        if place in investigation.failures:
            return replace(undecided, problem=f"{NO_SET}: {investigation.failures[place][1]}")
    decision = decide(view.observations(), costs(view), settings)
    if not isinstance(decision.action, Stop):
        if spent:
            return replace(undecided, problem=SPENT)
        return as_step(view, decision.action, elapsed)
    if decision.action.ending is Ending.NO_CHANGE:
        return replace(undecided, problem=NOT_THESE)
    answer = _answer(parts, inner_answer(view, decision, settings, in_context=False))
    single = answer.kind is InnerKind.COMMIT and parts.what is PartKind.PACKAGES and answer.members[0] > 1
    if not single:
        return answer
    return _confirmed(view, answer, decision, elapsed, costs, settings)


def _answer(parts: PartsListed, found: InnerAnswer) -> PartsAnswer:
    answer = PartsAnswer(
        place=parts.place,
        kind=found.kind,
        members=found.members,
        probability=found.probability,
        change=found.change,
    )
    if parts.rest and found.members == (parts.line.size,):
        return replace(answer, kind=InnerKind.UNDECIDED, members=(), problem=NOT_THESE)
    return answer


def _confirmed(
    view: View,
    answer: PartsAnswer,
    decision: Decision,
    elapsed: Seconds,
    costs: Callable[[View], Costs],
    settings: Settings,
) -> Step | PartsAnswer:
    """`answer` once the package was measured without those before it: without them it may make nothing."""
    (index,) = answer.members
    tau = decision.posterior.spread.tau if decision.posterior is not None else 0.0
    trial = Trial(kind=TrialKind.APPLY)
    question = Question(view=view, place=alone(index), trial=trial, tau=tau, part=_share(view, decision, answer))
    found = measured_at(question, elapsed, ALONE)
    if not isinstance(found, Restoration):
        return found
    if found.restored is not False:
        return replace(answer, alone=found)
    together = replace(answer, kind=InnerKind.INTERACTION, members=tuple(range(1, index + 1)), alone=found)
    return together if index == SMALLEST_COMPANY else _in_company(view, together, elapsed, costs, settings)


def _in_company(
    view: View, answer: PartsAnswer, elapsed: Seconds, costs: Callable[[View], Costs], settings: Settings
) -> Step | PartsAnswer:
    """`answer` once it is known which of the packages before the one that was found it takes: they are the candidates,
    with that one always moved. `answer` stays as it is where they cannot be told apart."""
    investigation, index = view.investigation, answer.members[-1]
    parts, company = investigation.parts, investigation.company
    spent = bool(overspent(investigation, elapsed))
    if parts is None or (company is None and spent):
        return answer
    if company is None:
        return ListParts(
            place=parts.place,
            parent=parts.parent,
            what=parts.what,
            in_context=parts.in_context,
            reason=COMPANY,
            with_part=index,
        )
    own = company_view(investigation, view.metric)
    decision = decide(own.observations(), costs(own), settings)
    if not isinstance(decision.action, Stop):
        return answer if spent else as_step(own, decision.action, elapsed)
    found = inner_answer(own, decision, settings, in_context=False)
    if found.kind is InnerKind.COMMIT_SET:
        return replace(answer, members=(*found.members, index))
    if found.kind is not InnerKind.COMMIT:
        return answer
    (other,) = found.members
    if other > 1:
        question = Question(view=view, place=pair(other, len(parts.moves)), trial=Trial(kind=TrialKind.APPLY))
        both = measured_at(question, elapsed, COMPANY)
        if not isinstance(both, Restoration):
            return both
        if not both.restored:
            return replace(answer, members=(*range(1, other + 1), index))
    return replace(answer, members=(other, index))


def _share(view: View, decision: Decision, answer: PartsAnswer) -> float:
    """The part of the whole change that the package makes in the company of those before it."""
    if decision.posterior is None or answer.change is None:
        return 1.0
    whole = view.offset(view.place_at(view.low), view.place_at(view.high), decision.posterior)
    (index,) = answer.members
    own = view.offset(view.place_at(index - 1), view.place_at(index), decision.posterior)
    if whole is None or own is None or not whole.estimate:
        return 1.0
    share = own.estimate / whole.estimate
    return min(share, 1.0) if share > 0 else 1.0
