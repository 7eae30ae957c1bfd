"""Before an answer is concluded: the attempts to prove it wrong that were asked for, one after the other.

Bad without the culprit, and the tip of the branch, each measured in turns with both ends.
"""

from dataclasses import replace

import numpy as np

from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import Conclude, Measure, Step
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.trials import HEAD_PLACE, Restoration, without
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Control, Culprit, Doubt, Reason, Rebuilt, Verdict, VerdictKind
from bisector.core.search.conclude import blamed_on_packages, culprit_of_class
from bisector.core.search.control import control_of, without_luck
from bisector.core.search.decide import Decision, MeasureCommit, pair
from bisector.core.search.observations import Observations, Settings
from bisector.core.search.posterior import Posterior
from bisector.core.search.profiling import profile_first
from bisector.core.search.queries import divisible
from bisector.core.search.rebuilding import of_culprit
from bisector.core.search.suspicion import AGAIN, held_again, next_look
from bisector.core.search.trials import Question, next_of
from bisector.core.search.verifying import held
from bisector.core.search.view import View

NAMES = frozenset({VerdictKind.CULPRIT, VerdictKind.SEVERAL})
FOUND = NAMES | {VerdictKind.CULPRIT_SET}
SAME_BUILD = (
    "every build of the range came out equal to its parent's: what moved lies outside the repository, in the machine, "
    "the input or the time of measuring"
)
UNVERIFIED = "fresh runs against its parent did not show it"
LUCK = "two builds of its parent differ as much as it differs from them"
MOST_PROVED = 3
"""Culprits that are proved, where there are several."""


def before_conclusion(view: View, step: Conclude, known: Posterior | None, elapsed: Seconds) -> Step:
    """The next step towards concluding as `step` would: a trial, a profile, or the conclusion with what they gave.

    `known` is what the search knows of builds; None where they do not deviate.
    """
    verdict = step.verdict
    if view.investigation.request.searches:
        verdict = guarded(view, verdict)
        found: Step | Verdict = verdict
        for proof in (_built_alike, _controlled, _reverted, _at_head):
            found = proof(view, verdict, known, elapsed)
            if not isinstance(found, Verdict):
                return found
            verdict = found
    profile = profile_first(view.investigation, verdict, elapsed)
    if profile is not None or not view.investigation.request.searches:
        return profile or replace(step, verdict=verdict)
    found = _doubted(view, verdict, elapsed)
    return replace(step, verdict=found) if isinstance(found, Verdict) else found


def due_anyway(view: View, decision: Decision, settings: Settings, elapsed: Seconds) -> Measure | None:
    """The runs that compare two builds of a verified culprit's parent, as long as they were not made and more is to be
    measured: they come before every name, so that they cost nothing here, and may be all that was wanting."""
    found = nearly_found(view.observations(), decision, settings)
    if found is None or decision.posterior is None:
        return None
    culprit = culprit_of_class(view, decision.posterior, found)
    if len(culprit.members) != 1 or culprit.place.line is not LineName.MAIN:
        return None
    step = control_of(view, culprit, decision.posterior, elapsed)
    return step if isinstance(step, Measure) else None


def nearly_found(observations: Observations, decision: Decision, settings: Settings) -> int | None:
    """The class that was verified and is likely enough for that, while more is measured to be as sure as was asked."""
    posterior = decision.posterior
    if posterior is None or not isinstance(decision.action, MeasureCommit):
        return None
    likeliest = int(np.argmax(posterior.probability))
    likely = posterior.probability[likeliest] >= 1 - 3 * (1 - settings.confidence)
    if not likely or divisible(observations, posterior.classes, likeliest):
        return None
    places = pair(observations, posterior, likeliest)
    return likeliest if held(observations, posterior, settings, places) else None


def begun(investigation: Investigation) -> bool:
    """Whether a proof was begun: from then on a budget that it spends must not take back what was found."""
    proving = {Purpose.TRIAL, Purpose.CONTROL, Purpose.UNTOOLED}
    measured = any(
        isinstance(plan.step, Measure)
        and bool(plan.step.slots)
        and (plan.step.slots[0].purpose in proving or plan.step.reason == AGAIN)
        for plan in investigation.plans
    )
    return bool(investigation.trials) or investigation.parts is not None or measured


def guarded(view: View, verdict: Verdict) -> Verdict:
    """`verdict`, unless it names somebody it must not: whose build is the parent's own, of whom it is less sure than
    was asked, or whom fresh runs did not bear out and who does not stand out of the parent by a change worth naming.
    The answer is then a set with its probability, or none."""
    if verdict.kind is not VerdictKind.CULPRIT:
        return verdict
    culprit, confidence = verdict.culprits[0], view.investigation.request.search.confidence
    index = view.index_of(culprit.place)
    if index and (view.line.unchanged | view.same_content())[index - 1]:
        return replace(
            verdict, kind=VerdictKind.INCONCLUSIVE, reason=Reason.SAME_BUILD, culprits=(), explanation=SAME_BUILD
        )
    if culprit.probability < confidence or (not culprit.verified and _small(view, culprit)):
        why = UNVERIFIED if not culprit.verified else "what was measured since made it less sure"
        return replace(verdict, kind=VerdictKind.CULPRIT_SET, reason=Reason.CONFIDENCE, explanation=why)
    return verdict


def _small(view: View, culprit: Culprit) -> bool:
    """Whether the culprit differs from its parent by less than is worth naming, as far as is known."""
    least = view.investigation.request.min_effect_of(view.metric)
    return culprit.change is None or abs(culprit.change.relative) < least


def _built_alike(view: View, verdict: Verdict, known: Posterior | None, elapsed: Seconds) -> Step | Verdict:
    """`verdict` without culprits whose build only holds other packages than their parent's, or the next step to know:
    where builds of earlier jobs stand beside those of this one, the border between the two looks like a culprit."""
    del known
    if verdict.kind not in FOUND:
        return verdict
    kept: list[Culprit] = []
    blamed: Rebuilt | None = None
    for position, culprit in enumerate(verdict.culprits):
        found = of_culprit(view, culprit, elapsed) if position < MOST_PROVED else None
        if found is not None and not isinstance(found, Rebuilt):
            return found
        if found is not None and found.caused:
            blamed = found
        else:
            kept.append(culprit)
    if blamed is None:
        return verdict
    if not kept:
        return blamed_on_packages(verdict, blamed)
    kind = VerdictKind.CULPRIT if len(kept) == 1 else verdict.kind
    return replace(verdict, kind=kind, culprits=tuple(kept), rebuilt=blamed)


def _can_be_proved(culprit: Culprit) -> bool:
    """Whether it is one commit of the main line: what a trial leaves out, and what its parent is, is then known."""
    return len(culprit.members) == 1 and culprit.place.line is LineName.MAIN


def _controlled(view: View, verdict: Verdict, known: Posterior | None, elapsed: Seconds) -> Step | Verdict:
    """`verdict` with how far two builds of each culprit's parent differ, or the next step to know it."""
    if verdict.kind not in NAMES:
        return verdict
    proved: list[Culprit] = []
    for position, culprit in enumerate(verdict.culprits):
        if not _can_be_proved(culprit) or position >= MOST_PROVED:
            proved.append(culprit)
            continue
        found = control_of(view, culprit, known, elapsed)
        if found is not None and not isinstance(found, Control):
            return found
        proved.append(without_luck(culprit, found))
    verdict = replace(verdict, culprits=tuple(proved))
    if verdict.kind is VerdictKind.CULPRIT and proved[0].control is not None and proved[0].control.luck:
        return replace(verdict, kind=VerdictKind.CULPRIT_SET, reason=Reason.LAYOUT, explanation=LUCK)
    return verdict


def _reverted(view: View, verdict: Verdict, known: Posterior | None, elapsed: Seconds) -> Step | Verdict:
    """`verdict` with what bad is without each culprit, or the next step to know it."""
    if not view.investigation.request.verify_revert or verdict.kind not in NAMES:
        return verdict
    proved: list[Culprit] = []
    for position, culprit in enumerate(verdict.culprits):
        if not _can_be_proved(culprit) or position >= MOST_PROVED:
            proved.append(culprit)
            continue
        commit = view.investigation.commit(culprit.place)
        trial = Trial(kind=TrialKind.REVERT, commit=commit.sha)
        place = without(culprit.place.index)
        part = share_of(culprit, verdict.change)
        found = next_of(Question(view=view, place=place, trial=trial, tau=_deviation(known), part=part), elapsed)
        if not isinstance(found, Restoration):
            return found
        proved.append(replace(culprit, revert=found))
    return replace(verdict, culprits=tuple(proved))


def _deviation(known: Posterior | None) -> float:
    """The deviation of a build, in the search's units."""
    return known.tau if known is not None else 0.0


def _at_head(view: View, verdict: Verdict, known: Posterior | None, elapsed: Seconds) -> Step | Verdict:
    """`verdict` with what the tip of the branch gives back of the change, or the next step to know it."""
    head = view.investigation.request.head
    if head is None or verdict.kind not in FOUND:
        return verdict
    trial = Trial(kind=TrialKind.HEAD, commit=head)
    found = next_of(Question(view=view, place=HEAD_PLACE, trial=trial, tau=_deviation(known)), elapsed)
    return replace(verdict, head=found) if isinstance(found, Restoration) else found


def _doubted(view: View, verdict: Verdict, elapsed: Seconds) -> Step | Verdict:
    """`verdict` with what is odd about each culprit, or the next step to know it: what it changes, and further runs."""
    if verdict.kind not in NAMES:
        return verdict
    proved: list[Culprit] = []
    refuted = False
    for culprit in verdict.culprits:
        found = next_look(view, culprit, elapsed) if len(proved) < MOST_PROVED else None
        if found is not None and not isinstance(found, Doubt):
            return found
        held = found is None or held_again(view, culprit)
        refuted = refuted or not held
        proved.append(replace(culprit, suspicious=found, verified=culprit.verified and held))
    verdict = guarded(view, replace(verdict, culprits=tuple(proved)))
    if refuted and verdict.kind is VerdictKind.CULPRIT:
        return replace(verdict, kind=VerdictKind.CULPRIT_SET, reason=Reason.CONFIDENCE, explanation=UNVERIFIED)
    return verdict


def share_of(culprit: Culprit, whole: Change | None) -> float:
    """The part of the `whole` change that a culprit makes, at most all of it; all of it where that is not known."""
    part = culprit.change
    if part is None or whole is None or min(part.relative, whole.relative) <= -1 or whole.relative == 0:
        return 1.0
    share = float(np.log1p(part.relative) / np.log1p(whole.relative))
    return min(share, 1.0) if share > 0 else 1.0
