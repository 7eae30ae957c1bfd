"""From a posterior to an answer: a culprit, a set, or the honest reason why there is none."""

from dataclasses import replace

import numpy as np

from bisector.core.model.history import ASIDE, LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.samples import Outcome
from bisector.core.model.verdict import (
    Change,
    Culprit,
    InnerAnswer,
    InnerKind,
    Reason,
    Rebuilt,
    Verdict,
    VerdictKind,
)
from bisector.core.search.decide import Decision, Ending, Stop, pair
from bisector.core.search.end_levels import end_difference, excluded
from bisector.core.search.observations import Observations, Settings
from bisector.core.search.posterior import Posterior
from bisector.core.search.verifying import is_borne_out
from bisector.core.search.view import View

UNDECIDED = InnerAnswer(kind=InnerKind.UNDECIDED)
HALF = 0.5
"""Share of a merge's change that one of its commits has to give alone to be named."""


def main_verdict(view: View, decision: Decision, settings: Settings) -> Verdict:
    """The answer of a search on the main line that has come to its end."""
    stop, posterior = decision.action, decision.posterior
    if not isinstance(stop, Stop) or posterior is None:
        return verdict_so_far(view, decision, settings, Reason.CONFIDENCE, "the search was not finished")
    observations = view.observations()
    if stop.ending is Ending.NO_CHANGE:
        return _not_reproduced(view, observations, posterior, settings)
    if stop.ending is Ending.FOUND and stop.found is not None:
        return _found(view, observations, posterior, stop.found, settings)
    why = "no further run or build would teach enough to be surer"
    if stop.ending is Ending.UNVERIFIED:
        why = "the likely culprit was to be verified again and again, and those rounds gave nothing to judge it by"
    return verdict_so_far(view, decision, settings, Reason.CONFIDENCE, why)


def verdict_so_far(view: View, decision: Decision, settings: Settings, reason: Reason, why: str) -> Verdict:
    """The best that can be said without measuring more: a set that holds the culprit, or that it is undecided."""
    posterior = decision.posterior
    if posterior is None:
        return Verdict(
            kind=VerdictKind.INCONCLUSIVE, reason=reason, explanation=f"{why} before both ends were measured"
        )
    observations = view.observations()
    basis = _basis(view, observations, posterior, settings)
    members, probability = credible_set(observations, posterior, settings.confidence)
    every = int((observations.weights > 0).sum())
    if 1 - posterior.no_change < settings.confidence or len(members) >= every > 1:
        return replace(basis, kind=VerdictKind.INCONCLUSIVE, reason=reason, explanation=why)
    culprit = culprit_of(view, posterior, members, probability)
    if len(members) == 1 and culprit.verified and probability >= settings.confidence:
        return replace(basis, kind=VerdictKind.CULPRIT, culprits=(culprit,), explanation="found and verified")
    return replace(basis, kind=VerdictKind.CULPRIT_SET, reason=reason, culprits=(culprit,), explanation=why)


def credible_set(observations: Observations, posterior: Posterior, confidence: float) -> tuple[tuple[int, ...], float]:
    """The fewest candidates that together hold the culprit with `confidence`, given a change; and their probability."""
    chances = posterior.of_candidates(observations.weights)
    total = max(float(chances.sum()), 1e-300)
    order = np.argsort(-chances, kind="stable")
    count = int(np.searchsorted(np.cumsum(chances[order]) / total, confidence)) + 1
    chosen = order[: min(count, len(order))]
    return tuple(sorted(int(c) + 1 for c in chosen)), float(chances[chosen].sum())


def merge_to_descend(investigation: Investigation, verdict: Verdict) -> Place | None:
    """The merge to look into, where the verdict's largest culprit is one and the person wants it looked into."""
    request, search = investigation.request, investigation.request.search
    if verdict.kind not in {VerdictKind.CULPRIT, VerdictKind.SEVERAL} or not search.descend or search.every_commit:
        return None
    begun = investigation.branch.merge if investigation.branch is not None else None
    culprit = next((each for each in verdict.culprits if each.place == begun), verdict.culprits[0])
    single = len(culprit.members) == 1 and investigation.commit(culprit.place).is_merge
    return culprit.place if single and request.kind is JobKind.BISECT else None


def with_inner(verdict: Verdict, merge: Place, answer: InnerAnswer) -> Verdict:
    """`verdict` with what descending into `merge` found."""
    culprits = (replace(each, inner=answer) if each.place == merge else each for each in verdict.culprits)
    return replace(verdict, culprits=tuple(culprits))


def inner_answer(view: View, decision: Decision, settings: Settings, *, in_context: bool) -> InnerAnswer:
    """Which of the merged commits made the change, once the search among them has come to its end."""
    stop, posterior = decision.action, decision.posterior
    undecided = replace(UNDECIDED, in_context=in_context)
    if posterior is None or not isinstance(stop, Stop):
        return undecided
    observations = view.observations()
    if stop.ending is Ending.NO_CHANGE:
        # On the branch's own base nothing changes: it takes the merge to make the difference. In the merge's context
        # the line ends in the merge itself, which was verified: not to find the step again is no statement on it.
        return undecided if in_context else replace(undecided, kind=InnerKind.INTERACTION)
    if stop.ending is not Ending.FOUND or stop.found is None:
        members, probability = credible_set(observations, posterior, settings.confidence)
        return replace(undecided, kind=InnerKind.COMMIT_SET, members=members, probability=probability)
    members = _possible_members(observations, posterior, stop.found)
    old, new = pair(observations, posterior, stop.found)
    change = view.change(view.place_at(old), view.place_at(new), posterior)
    found = InnerAnswer(
        kind=InnerKind.COMMIT if len(members) == 1 else InnerKind.COMMIT_SET,
        members=members,
        probability=float(posterior.probability[stop.found]),
        change=change,
        in_context=in_context,
    )
    whole = view.change(view.place_at(view.low), view.place_at(view.high), posterior)
    merge_itself = in_context and members == (view.high,)
    if merge_itself or _surely_under_half(change, whole):
        return replace(found, kind=InnerKind.INTERACTION)
    return found


def _surely_under_half(part: Change | None, whole: Change | None) -> bool:
    """Whether even the far end of `part`'s interval is less than half of `whole`; changes add up as logarithms.

    The search has found the step already: a few noisy runs at two commits do not overrule it.
    """
    if part is None or whole is None or min(part.low, part.relative, whole.relative) <= -1:
        return False
    total = np.log1p(whole.relative)
    return bool(total != 0 and max(np.log1p(part.low) / total, np.log1p(part.high) / total) < HALF)


def failed(investigation: Investigation, shared: tuple[Outcome, str] | None) -> Verdict:
    """Nothing in the range can be measured; `shared` is the failure both ends have in common, where they do."""
    if shared is not None:
        outcome, reason = shared
        why = (
            f"the run fails at both ends ({outcome}): {reason}" if reason else f"the run fails at both ends ({outcome})"
        )
    else:
        tried = len([place for place in investigation.failures if place.line is LineName.MAIN])
        last = next(iter(list(investigation.failures.values())[::-1]), (Outcome.BUILD_FAILED, ""))
        why = f"no two commits of the range can be tested ({tried} tried; the last: {last[0]}, {last[1]})"
    return Verdict(kind=VerdictKind.FAILED, explanation=why)


def creeping(view: View, decision: Decision, settings: Settings, largest: float) -> Verdict:
    """The ends differ, and no commit adds more than `largest` (in the search's units) to what is a steady climb.

    What is excluded is a larger step than that.
    """
    posterior = decision.posterior
    if posterior is None:
        raise ValueError("a creep is seen in runs only")
    basis = _basis(view, view.observations(), posterior, settings)
    why = "the level creeps: no commit makes a change worth naming beside what all of them add"
    return replace(basis, reason=Reason.CREEP, excluded=abs(view.scale.relative(largest)), explanation=why)


def environment_changed(investigation: Investigation) -> Verdict:
    """The host is no longer the one the job began on, or builds with other tools: what is measured now must not meet
    what was measured then."""
    began, now = investigation.environments[0], investigation.environments[-1]
    first, last = ({**seen.details, "toolchain": seen.toolchain} for seen in (began, now))
    moved = sorted(name for name in {*first, *last} if first.get(name) != last.get(name))
    changes = "; ".join(f"{name}: {first.get(name, 'none')} → {last.get(name, 'none')}" for name in moved[:5])
    what = "the measuring host" if began.host != now.host else "what candidates are built with"
    why = f"{what} changed in mid-job ({changes or 'another host'})"
    return Verdict(kind=VerdictKind.ENVIRONMENT_CHANGED, explanation=why)


def packages_changed(view: View, decision: Decision, settings: Settings, rebuilt: Rebuilt) -> Verdict:
    """The ends differ because their builds were made at different times and hold different packages."""
    if decision.posterior is None:
        raise ValueError("packages make a difference in runs only")
    return blamed_on_packages(_basis(view, view.observations(), decision.posterior, settings), rebuilt)


def blamed_on_packages(verdict: Verdict, rebuilt: Rebuilt) -> Verdict:
    """`verdict` once it is known that it was the packages: nobody is named."""
    why = "builds made at different times hold different packages"
    return replace(
        verdict,
        kind=VerdictKind.ENVIRONMENT_CHANGED,
        reason=Reason.PACKAGES,
        culprits=(),
        opposite=(),
        rebuilt=rebuilt,
        explanation=why,
    )


def _basis(view: View, observations: Observations, posterior: Posterior, settings: Settings) -> Verdict:
    """What stands beside every answer: the change between the ends and what is ruled out."""
    if settings.two_sided:
        change, error = end_difference(observations, posterior)
        bound = abs(change) + 1.645 * error
    else:
        bound = excluded(observations, posterior)
    return Verdict(
        kind=VerdictKind.INCONCLUSIVE,
        change=view.change(view.place_at(view.low), view.place_at(view.high), posterior),
        excluded=abs(view.scale.relative(max(bound, 0.0))),
        no_change=posterior.no_change,
    )


def _found(view: View, observations: Observations, posterior: Posterior, found: int, settings: Settings) -> Verdict:
    basis = _basis(view, observations, posterior, settings)
    culprit = culprit_of_class(view, posterior, found)
    members = culprit.members
    if len(members) > 1:
        why = "the commits in between cannot be tested"
        return replace(
            basis, kind=VerdictKind.CULPRIT_SET, reason=Reason.UNTESTABLE, culprits=(culprit,), explanation=why
        )
    if view.line.unchanged[members[0] - 1] and view.investigation.request.kind is JobKind.BISECT:
        why = "every commit of the range has its parent's content: what moved lies outside the repository"
        return replace(basis, kind=VerdictKind.INCONCLUSIVE, explanation=why)
    return replace(basis, kind=VerdictKind.CULPRIT, culprits=(culprit,), explanation="found and verified")


def culprit_of_class(view: View, posterior: Posterior, found: int) -> Culprit:
    """The members of class `found` as a culprit."""
    observations = view.observations()
    members = _possible_members(observations, posterior, found)
    return culprit_of(view, posterior, members, float(posterior.probability[found]))


def _possible_members(observations: Observations, posterior: Posterior, found: int) -> tuple[int, ...]:
    """The members of a class that could be the culprit: not those with their parent's very content."""
    members = posterior.classes.members(found)
    return tuple(m for m in members if observations.weights[m - 1] > 0) or members


def culprit_of(view: View, posterior: Posterior, members: tuple[int, ...], probability: float) -> Culprit:
    """The candidates `members` as a culprit: at the likeliest of them, with its change."""
    observations = view.observations()
    chances = posterior.of_candidates(observations.weights)
    likeliest = max(members, key=lambda m: (chances[m - 1], m))
    old, new = pair(observations, posterior, int(posterior.classes.of[likeliest - 1]))
    return Culprit(
        place=view.place_at(likeliest),
        members=members,
        probability=probability,
        change=view.change(view.place_at(old), view.place_at(new), posterior),
        verified=is_borne_out(observations, (old, new)),
    )


def _not_reproduced(view: View, observations: Observations, posterior: Posterior, settings: Settings) -> Verdict:
    basis = replace(_basis(view, observations, posterior, settings), kind=VerdictKind.NOT_REPRODUCED)
    change, error = end_difference(observations, posterior)
    if _good_differs(view, posterior, observations.threshold):
        why = "the commit the line starts from is already like bad: the difference lies on good's own branch"
        return replace(basis, reason=Reason.ON_GOOD_BRANCH, explanation=why)
    if not settings.two_sided and change + 1.645 * error < -observations.threshold / 2:
        why = "the ends differ in the other direction"
        return replace(basis, reason=Reason.OPPOSITE_DIRECTION, explanation=why)
    # That they differ at all is told only where the interval that stands beside it says so too.
    shown = basis.change
    if change - 1.645 * error > 0 and (shown is None or shown.low * shown.high > 0):
        why = "the ends differ by less than the smallest change worth naming"
        return replace(basis, reason=Reason.BELOW_MIN_EFFECT, explanation=why)
    return replace(basis, reason=Reason.NO_CHANGE, explanation="the ends do not differ")


def _good_differs(view: View, posterior: Posterior, threshold: float) -> bool:
    """Whether good, where it lies beside the line, has a lower level than the commit the line starts from."""
    found = view.offset(ASIDE, view.place_at(view.low), posterior)
    return found is not None and found.low > 0 and found.estimate >= threshold / 2
