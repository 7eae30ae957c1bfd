"""Trials: a made tree measured in turns with both ends, until it is clear how much of their change it gives back."""

from dataclasses import dataclass, replace

import numpy as np

from bisector.core.model.history import Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.special import stdtrit
from bisector.core.model.steps import BuildPlace, Conclude, MakeTrial, Measure, Step
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.trials import TRIED, Restoration
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Reason, Verdict, VerdictKind
from bisector.core.search.across import taken_together
from bisector.core.search.observations import FloatArray
from bisector.core.search.restoration import Share, pooled_spread, share_given_back, share_needed, side_of
from bisector.core.search.rounds import at_once, in_turns
from bisector.core.search.spending import overspent, runs_left
from bisector.core.search.view import View

FIRST_RUNS, MOST_RUNS, EXACT_RUNS = 6, 72, 2
"""Runs of each of the three: to begin with, at most, and where the metric is free of noise."""
LOOKS = 4
"""The error that is allowed is shared among so many looks at the data: it is looked at after every round."""
NO_DIFFERENCE = "the ends do not differ: there is nothing to give back"
UNSURE = "the runs cannot tell"
SPENT = "the budget is spent"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is tried at `place` on a line, `tau` being the deviation of a build.

    `part` is the share of the change that is expected of it. `apart` is whether only runs made in turns with the trial
    count: in a search the others are spread over its whole time.
    """

    view: View
    place: Place
    trial: Trial
    tau: float = 0.0
    part: float = 1.0
    apart: bool = True

    @property
    def start(self) -> Place:
        """The end that the trial is made of."""
        applied = self.trial.kind is TrialKind.APPLY
        return self.view.place_at(self.view.low if applied else self.view.high)

    @property
    def goal(self) -> Place:
        """The end whose level it should reach."""
        applied = self.trial.kind is TrialKind.APPLY
        return self.view.place_at(self.view.high if applied else self.view.low)


def next_of(question: Question, elapsed: Seconds) -> Step | Restoration:
    """The next step towards what is asked, or the answer."""
    investigation, place = question.view.investigation, question.place
    made = investigation.trials.get(place)
    if made is None:
        return MakeTrial(place=place, trial=question.trial, onto=question.start, reason=_why(question.trial))
    if not made.commit.tree:
        return Restoration(place=place, kind=question.trial.kind, conflicts=made.conflicts)
    return measured_at(question, elapsed, _why(question.trial))


def measured_at(question: Question, elapsed: Seconds, reason: str) -> Step | Restoration:
    """The same once there is a tree to build: `reason` is what the runs are for."""
    investigation, place = question.view.investigation, question.place
    answer = Restoration(place=place, kind=question.trial.kind)
    if (place, 0) not in investigation.builds:
        return (
            replace(answer, problem=SPENT) if _spent(investigation, elapsed) else BuildPlace(place=place, reason=reason)
        )
    if place in investigation.failures:
        outcome, why = investigation.failures[place]
        return replace(answer, problem=f"it cannot be tested ({outcome}): {why}")
    if _equal_builds(investigation, place, question.start):
        end = "good" if question.trial.kind is TrialKind.APPLY else "bad"
        why = f"its build is {end}'s, file by file"
        return replace(answer, share=0.0, low=0.0, high=0.0, restored=False, problem=why)
    return _measured(question, answer, elapsed, reason)


def _measured(question: Question, answer: Restoration, elapsed: Seconds, reason: str) -> Step | Restoration:
    view = question.view
    first = EXACT_RUNS if view.exact else FIRST_RUNS
    runs = len(values_at(question, question.place))
    so_far = judged(question, answer) if runs else answer
    settled = runs >= first and (so_far.restored is not None or so_far.problem == NO_DIFFERENCE)
    if settled or runs >= (first if view.exact else MOST_RUNS):
        return so_far
    if _spent(view.investigation, elapsed, building=False):
        return replace(so_far, problem=SPENT)
    more = first - runs if runs < first else min(max(runs // 2, 1), MOST_RUNS - runs)
    slots = at_once(in_turns([question.start, question.place, question.goal], more, Purpose.TRIAL), view.runs_together)
    return Measure(slots=slots[: runs_left(view.investigation, elapsed)], reason=reason)


def judged(question: Question, answer: Restoration) -> Restoration:
    """The answer with what the runs so far say; as it is where one of the three has none."""
    view = question.view
    values = [view.scale.into(values_at(question, place)) for place in _three(question)]
    if not all(len(each) for each in values):
        return replace(answer, problem=UNSURE)
    spread = pooled_spread((values[0], values[1], values[2]), question.tau)
    start, goal, tried = (side_of(each, spread) for each in values)
    error = 1 - view.investigation.request.search.confidence
    shown = share_given_back(start, goal, tried, df=spread.df, error=error)
    strict = share_given_back(start, goal, tried, df=spread.df, error=error / LOOKS)
    way = goal.level - start.level
    threshold = view.scale.threshold(view.investigation.request.min_effect_of(view.metric))
    needed = share_needed(way, threshold) * question.part
    reach = float(stdtrit(spread.df, 1 - error / 2 / LOOKS)) * float(np.sqrt(start.variance + goal.variance))
    left = tried.level - goal.level
    about = float(stdtrit(spread.df, 1 - error / 2)) * float(np.sqrt(tried.variance + goal.variance))
    bounds = sorted((view.scale.relative(left - about), view.scale.relative(left + about)))
    found = replace(
        answer,
        share=shown.share,
        low=shown.low if np.isfinite(shown.low) else None,
        high=shown.high if np.isfinite(shown.high) else None,
        needed=needed,
        left=(view.scale.relative(left), bounds[0], bounds[1]),
        runs=len(values[2]),
    )
    if abs(way) + reach < threshold:
        return replace(found, problem=NO_DIFFERENCE)
    restored = _reached(strict, needed)
    return replace(found, restored=restored, problem="" if restored is not None else UNSURE)


def values_at(question: Question, place: Place) -> FloatArray:
    """The compared values at `place`, of runs made in turns with the trial where only those count."""
    view, investigation = question.view, question.view.investigation
    host = investigation.host
    steps = _steps_with(investigation, question.place) if question.apart else None
    found = (
        sample
        for sample in investigation.samples
        if sample.place == place
        and sample.counts
        and view.metric.name in sample.values
        and (host is None or sample.host == host.host)
        and (view.use_adopted or not sample.adopted_from)
        and (steps is None or (sample.step in steps and not sample.adopted_from))
    )
    together = taken_together(found, view.metric.name, view.across)
    return np.array([sample.values[view.metric.name] for sample in together], dtype=float)


def _steps_with(investigation: Investigation, place: Place) -> frozenset[int]:
    return frozenset(
        plan.number
        for plan in investigation.plans
        if isinstance(plan.step, Measure) and any(slot.place == place for slot in plan.step.slots)
    )


def _three(question: Question) -> tuple[Place, Place, Place]:
    return question.start, question.goal, question.place


def _reached(share: Share, needed: float) -> bool | None:
    """Whether the share is surely at least, or surely less than what is needed; None where neither is sure."""
    if share.low >= needed:
        return True
    return False if share.high < needed else None


def _equal_builds(investigation: Investigation, one: Place, other: Place) -> bool:
    first, second = (investigation.builds.get((place, 0)) for place in (one, other))
    if first is None or second is None or not first.usable:
        return False
    return first.key == second.key or (first.content is not None and first.content == second.content)


def _spent(investigation: Investigation, elapsed: Seconds, *, building: bool = True) -> bool:
    over = overspent(investigation, elapsed)
    return bool(over) and (building or over != ("builds",))


def _why(trial: Trial) -> str:
    match trial.kind:
        case TrialKind.REVERT:
            return "does bad without this commit have good's level again?"
        case TrialKind.APPLY:
            return "does good with this commit have bad's level?"
        case TrialKind.PATCH:
            return "does the patch on top of bad restore good's level?"
        case TrialKind.HEAD:
            return "is the change still there at the tip of the branch?"


def first_of_job(investigation: Investigation) -> Step | None:
    """What a job that tries something does before it builds: the trial's tree, and its end where that conflicts."""
    trial = investigation.request.trial
    if trial is None:
        return None
    made = investigation.trials.get(TRIED)
    if made is None:
        onto = main(0 if trial.kind is TrialKind.APPLY else investigation.line.size)
        return MakeTrial(place=TRIED, trial=trial, onto=onto, reason=_why(trial))
    if made.conflicts:
        found = Restoration(place=TRIED, kind=trial.kind, conflicts=made.conflicts)
        why = "it conflicts"
        verdict = Verdict(kind=VerdictKind.INCONCLUSIVE, reason=Reason.CONFLICT, explanation=why, trial=found)
        return Conclude(verdict=verdict, reason=why)
    return None


def step_of_job(view: View, elapsed: Seconds) -> Step:
    """The next step of a job that tries something, its ends built; at last its conclusion."""
    investigation = view.investigation
    trial = investigation.request.trial
    if trial is None:
        raise ValueError("the job tries nothing")
    question = Question(view=view, place=TRIED, trial=trial, apart=False)
    found = next_of(question, elapsed)
    if not isinstance(found, Restoration):
        return found
    verdict = _verdict(question, found)
    return Conclude(verdict=verdict, reason=verdict.explanation)


def _verdict(question: Question, found: Restoration) -> Verdict:
    kind, reason = VerdictKind.INCONCLUSIVE, Reason.CONFIDENCE
    if found.restored is not None:
        verdict = Verdict(kind=VerdictKind.RESTORED if found.restored else VerdictKind.NOT_RESTORED)
    else:
        if found.conflicts:
            reason = Reason.CONFLICT
        elif found.problem == NO_DIFFERENCE:
            kind, reason = VerdictKind.NOT_REPRODUCED, Reason.NO_CHANGE
        elif found.problem == SPENT:
            reason = Reason.BUDGET
        elif not found.runs:
            reason = Reason.UNTESTABLE
        verdict = Verdict(kind=kind, reason=reason)
    change, excluded = change_between_ends(question)
    why = found.problem or ("measured in turns with both ends" if not found.conflicts else "it conflicts")
    return replace(verdict, change=change, excluded=excluded, explanation=why, trial=found)


def change_between_ends(question: Question) -> tuple[Change | None, float | None]:
    """From good to bad as a relative change, and the smallest change either way that is excluded; None without runs."""
    view = question.view
    sides = [view.scale.into(values_at(question, view.place_at(end))) for end in (view.low, view.high)]
    if not all(len(each) for each in sides):
        return None, None
    spread = pooled_spread((sides[0], sides[1]), question.tau)
    good, bad = (side_of(each, spread) for each in sides)
    estimate, deviation = bad.level - good.level, float(np.sqrt(good.variance + bad.variance))
    reach = float(stdtrit(spread.df, 0.5 + view.investigation.request.search.confidence / 2)) * deviation
    low, high = sorted((view.scale.relative(estimate - reach), view.scale.relative(estimate + reach)))
    excluded = abs(view.scale.relative(abs(estimate) + float(stdtrit(spread.df, 0.95)) * deviation))
    return Change(relative=view.scale.relative(estimate), low=low, high=high), excluded
