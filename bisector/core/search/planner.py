"""The next step of an investigation: from what is known, by phase, to what to do and why.

list the history → build and measure both ends → search → verify → descend into a merge → search there → conclude
"""

from dataclasses import dataclass, replace

from bisector.core.model.facts import BranchListed, CulpritNamed
from bisector.core.model.history import ASIDE, LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Across, Budget
from bisector.core.model.samples import Purpose
from bisector.core.model.scenario import Direction
from bisector.core.model.steps import BuildPlace, Conclude, ListBranch, ListHistory, Measure, NameCulprit, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Reason, Rebuilt, Verdict, VerdictKind
from bisector.core.search import conclude, parts, proof, rebuilding, retries, several, trials
from bisector.core.search.abreast import abreast
from bisector.core.search.adopted import adopted_agree, checked_places
from bisector.core.search.calibrated import informed
from bisector.core.search.costing import costs_of
from bisector.core.search.decide import Decision, Stop, decide
from bisector.core.search.ends import Ends, both_fail_alike, find_ends, run_alone, why_wanted
from bisector.core.search.measuring import as_step, round_of, turns_of
from bisector.core.search.more import more_first
from bisector.core.search.observations import Settings
from bisector.core.search.scale import sign_of
from bisector.core.search.shape import Uneven
from bisector.core.search.spending import overspent
from bisector.core.search.together import for_each_metric
from bisector.core.search.untooled import without_tool
from bisector.core.search.view import View, inner_view, main_view

PLANNER = "8"
COMPARE_RUNS = 10
CHECKING_RUNS = 2
"""Fresh runs of each end before samples taken over from another job are believed."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The next step (None when the job is over) and, where the search decided, what it decided on."""

    step: Step | None
    view: View | None = None
    decision: Decision | None = None


def next_step(investigation: Investigation, elapsed: Seconds) -> Plan:
    """What to do next, `elapsed` seconds of work into the job. Pure: the same facts give the same step."""
    plan = _one_at_a_time(investigation, elapsed)
    if investigation.request.parallel == 1 or not isinstance(plan.step, Measure):
        return plan
    posterior = plan.decision.posterior if plan.decision is not None else None
    return replace(plan, step=abreast(investigation, plan.step, plan.view, posterior, elapsed))


def _one_at_a_time(investigation: Investigation, elapsed: Seconds) -> Plan:
    """The next step of a search that makes one run at a time."""
    plan = for_each_metric(investigation, elapsed, _next_step)
    if proof.begun(investigation) and isinstance(plan.step, Conclude):
        # What the proof has spent of the budget does not take back what was found before it.
        free = replace(investigation, request=replace(investigation.request, budget=Budget()))
        found = for_each_metric(free, elapsed, _next_step)
        plan = found if isinstance(found.step, Conclude) else plan
    if not isinstance(plan.step, Conclude) or investigation.history is None:
        return plan
    ends = find_ends(investigation)
    if ends is None:
        return plan
    again = retries.once_more(investigation, plan.step.verdict, elapsed)
    if again is not None:
        return replace(plan, step=again)
    more = more_first(investigation, plan, elapsed)
    if more is not None:
        return replace(plan, step=more)
    view = main_line_view(investigation, ends)
    timed = without_tool(view, plan.step.verdict, elapsed)
    if timed is not None:
        return replace(plan, step=timed)
    # What never deviates has builds that do not either: there the posterior's deviation is only what it began with.
    known = plan.decision.posterior if plan.decision is not None and not view.exact else None
    step = proof.before_conclusion(view, plan.step, known, elapsed)
    if isinstance(step, Conclude):
        settings = settings_of(investigation, LineName.PART)
        apart = parts.taken_apart(view, step.verdict, elapsed, costs_of, settings)
        step = replace(step, verdict=apart) if isinstance(apart, Verdict) else apart
    return replace(plan, step=step)


def _next_step(investigation: Investigation, elapsed: Seconds) -> Plan:
    if investigation.concluded:
        return Plan(step=None)
    if len({(seen.host, seen.toolchain) for seen in investigation.environments}) > 1:
        verdict = conclude.environment_changed(investigation)
        return Plan(step=Conclude(verdict=verdict, reason=verdict.explanation))
    if investigation.history is None:
        return Plan(step=ListHistory(reason="to know which commits lie between the ends"))
    ends, again = find_ends(investigation), retries.end_once_more(investigation, elapsed)
    if again is not None or ends is None or both_fail_alike(investigation):
        return Plan(step=again) if again is not None else _give_up(investigation)
    if (over := _budget_step(investigation, ends, elapsed)) is not None:
        return over
    if ends.wanted is not None:
        return Plan(step=_towards_the_ends(investigation, ends, main(ends.wanted)))
    if investigation.history.aside is not None and (ASIDE, 0) not in investigation.builds:
        return Plan(step=BuildPlace(place=ASIDE, reason="good lies beside the line: it is measured as well"))
    return _search(investigation, ends, elapsed)


def _towards_the_ends(investigation: Investigation, ends: Ends, wanted: Place) -> Step:
    """Build what may stand for an end, or run it where it is built."""
    build = investigation.builds.get((wanted, 0))
    if build is not None and build.usable:
        return run_alone(wanted)
    return trials.first_of_job(investigation) or BuildPlace(place=wanted, reason=why_wanted(investigation, ends))


def main_line_view(investigation: Investigation, ends: Ends) -> View:
    """The main line, with samples taken over from another job where fresh runs bear them out."""
    view = main_view(investigation, investigation.metric, ends.low, ends.high)
    adopted = any(sample.adopted_from for sample in view.samples)
    return replace(view, use_adopted=adopted_agree(view)) if adopted else view


def settings_of(investigation: Investigation, name: LineName) -> Settings:
    """How sure the search has to be and what it guards against, on the line called `name`."""
    search = investigation.request.search
    settings = Settings(confidence=search.confidence, two_sided=search.direction is Direction.EITHER)
    known = investigation.request.noise
    if known is not None and known.metric == investigation.metric.name and search.across is Across.MEDIAN:
        settings = informed(settings, known, sign_of(investigation.metric, search.direction))
    if not investigation.request.searches:
        # Two commits alone cannot tell a build's luck from the commit's doing; the report says that it is not covered.
        return replace(settings, first_runs=COMPARE_RUNS, tau_ratios=(0.0,), tau_prior=(1.0,), gap=0.0)
    if name is LineName.MAIN:
        # Two builds of the parent are run beside each culprit of this line, and it is named if it stands after that.
        settings = replace(settings, reserve=0.0)
    listed = {LineName.INNER: investigation.branch, LineName.PART: investigation.parts}.get(name)
    if listed is not None and listed.in_context:
        return replace(settings, prior_no_change=0.02, first_runs=2)
    return settings


def _search(investigation: Investigation, ends: Ends, elapsed: Seconds) -> Plan:
    view = main_line_view(investigation, ends)
    if investigation.request.trial is not None:
        return Plan(step=trials.step_of_job(view, elapsed), view=view)
    if not view.use_adopted and not _freshly_checked(investigation, view):
        return _checking_round(view)
    settings = settings_of(investigation, LineName.MAIN)
    if investigation.named:
        return _beside_the_named(investigation, view, settings, elapsed)
    decision = decide(view.observations(), costs_of(view), settings)
    plan = Plan(step=None, view=view, decision=decision)
    found = several.in_stretches(view, decision, settings, costs_of)
    uneven = found if isinstance(found, Uneven) else None
    if (step := _no_single_commit(plan, view, uneven, settings, elapsed)) is not None:
        return replace(plan, step=step)
    if isinstance(found, tuple):
        return _on_part(*found, elapsed)
    if not isinstance(decision.action, Stop):
        due = proof.due_anyway(view, decision, settings, elapsed)
        return replace(plan, step=due or as_step(view, decision.action, elapsed))
    verdict = conclude.main_verdict(view, decision, settings)
    culprit = several.name(view, decision) if verdict.culprits else None
    if culprit and several.next_in_parts(view, (culprit,), settings, costs_of) is not None:
        return replace(plan, step=_naming(culprit))
    return _finish(plan, verdict, elapsed)


def _no_single_commit(
    plan: Plan, view: View, uneven: Uneven | None, settings: Settings, elapsed: Seconds
) -> Step | None:
    """The next step where packages or a creep may make the difference, or the conclusion that they do."""
    decision = plan.decision
    if decision is None:
        return None
    apart = rebuilding.of_ends(view, decision, elapsed)
    if apart is not None and not isinstance(apart, Rebuilt):
        return apart
    if apart is not None and apart.caused:
        verdict = conclude.packages_changed(view, decision, settings, apart)
    elif uneven is not None:
        verdict = conclude.creeping(view, decision, settings, uneven.largest)
    else:
        return None
    return Conclude(verdict=verdict, reason=verdict.explanation)


def _beside_the_named(investigation: Investigation, view: View, settings: Settings, elapsed: Seconds) -> Plan:
    """The next step once a culprit is named: each side of it is searched on where a change remains."""
    found = several.next_in_parts(view, investigation.named, settings, costs_of)
    if found is None and (decision := several.less_sure(view, investigation.named, settings, costs_of)) is not None:
        found = view, decision
    if found is None:
        verdict = several.verdict(view, investigation.named, settings)
        return _finish(Plan(step=None, view=view), verdict, elapsed)
    return _on_part(*found, elapsed)


def _on_part(part: View, decision: Decision, elapsed: Seconds) -> Plan:
    """The next step of the search on a part of the line."""
    plan = Plan(step=None, view=part, decision=decision)
    if not isinstance(decision.action, Stop):
        return replace(plan, step=as_step(part, decision.action, elapsed))
    culprit = several.name(part, decision)
    return replace(plan, step=_naming(culprit)) if culprit is not None else plan


def _naming(culprit: CulpritNamed) -> Step:
    why = "a change remains beside it: both sides are searched on"
    return NameCulprit(culprit=culprit.culprit, old=culprit.old, new=culprit.new, reason=why)


def _finish(plan: Plan, verdict: Verdict, elapsed: Seconds) -> Plan:
    """Look into the merge that `verdict` names, or conclude."""
    if plan.view is None:
        raise ValueError("an answer rests on a view")
    investigation = plan.view.investigation
    merge = conclude.merge_to_descend(investigation, verdict)
    if merge is None:
        return replace(plan, step=Conclude(verdict=verdict, reason=verdict.explanation))
    branch = investigation.branch
    if branch is None or branch.merge != merge:
        # What was built elsewhere was built of the commits themselves.
        own = investigation.request.scenario.build.prebuilt is not None
        return replace(plan, step=ListBranch(merge=merge, in_context=not own, reason="the culprit is a merge"))
    return _inside_merge(investigation, branch, verdict, elapsed)


def _inside_merge(investigation: Investigation, branch: BranchListed, outer: Verdict, elapsed: Seconds) -> Plan:
    """The next step of the search among the commits a merge brought in, `outer` being the answer that names it."""
    if branch.in_context and branch.conflicts:
        reason = (
            f"{branch.conflicts} of its commits conflict with the merge's first parent: searched on their own branch"
        )
        return Plan(step=ListBranch(merge=branch.merge, in_context=False, reason=reason))
    view = inner_view(investigation, investigation.metric)
    ends = () if branch.in_context or not view.line.size else (view.place_at(0), view.place_at(view.high))
    for place in ends:
        if (place, 0) not in investigation.builds:
            return Plan(step=BuildPlace(place=place, reason="an end of the merged branch"))
    if not view.line.size or any(place in investigation.failures for place in ends):
        verdict = conclude.with_inner(outer, branch.merge, conclude.UNDECIDED)
        return Plan(step=Conclude(verdict=verdict, reason="the merged commits cannot be tested"))
    settings = settings_of(investigation, LineName.INNER)
    decision = decide(view.observations(), costs_of(view), settings)
    plan = Plan(step=None, view=view, decision=decision)
    if not isinstance(decision.action, Stop):
        return replace(plan, step=as_step(view, decision.action, elapsed))
    answer = conclude.inner_answer(view, decision, settings, in_context=branch.in_context)
    verdict = conclude.with_inner(outer, branch.merge, answer)
    return replace(plan, step=Conclude(verdict=verdict, reason=verdict.explanation))


def _freshly_checked(investigation: Investigation, view: View) -> bool:
    """Whether this job has itself run, as often as a check takes, what it takes over from another one."""
    own = [sample.place for sample in investigation.samples if sample.counts and not sample.adopted_from]
    return all(own.count(place) >= CHECKING_RUNS * view.runs_together for place in checked_places(view))


def _checking_round(view: View) -> Plan:
    places = [place for place in checked_places(view) if place not in view.investigation.failures]
    slots = turns_of(view, [(place, 0) for place in places], CHECKING_RUNS, Purpose.ENDS)
    reason = "in turns: do samples taken over from an earlier job still hold?"
    return Plan(step=round_of(view, slots, reason, 0.0), view=view)


def _budget_step(investigation: Investigation, ends: Ends, elapsed: Seconds) -> Plan | None:
    """The conclusion that a spent budget forces, with the best answer so far."""
    over = overspent(investigation, elapsed)
    if not over:
        return None
    if investigation.request.trial is not None:
        return None if over == ("builds",) else _search(investigation, ends, elapsed)
    if over == ("builds",):
        # Without another build the search may still come to an end on what is built.
        return _without_building(investigation, ends, elapsed)
    return _conclude_now(investigation, ends, Reason.BUDGET, f"the budget of {over[0]} is spent")


def _without_building(investigation: Investigation, ends: Ends, elapsed: Seconds) -> Plan | None:
    lean = replace(
        investigation, request=replace(investigation.request, budget=replace(investigation.request.budget, builds=None))
    )
    plan = _next_step(lean, elapsed)
    if isinstance(plan.step, BuildPlace):
        return _conclude_now(investigation, ends, Reason.BUDGET, "the budget of builds is spent")
    return plan


def _conclude_now(investigation: Investigation, ends: Ends, reason: Reason, why: str) -> Plan:
    settings, view = settings_of(investigation, LineName.MAIN), main_line_view(investigation, ends)
    decision = decide(view.observations(), costs_of(view), settings)
    if investigation.named:
        verdict = several.verdict(view, investigation.named, settings, reason, why)
    else:
        verdict = conclude.verdict_so_far(view, decision, settings, reason, why)
    if investigation.branch is not None and verdict.kind in {VerdictKind.CULPRIT, VerdictKind.SEVERAL}:
        verdict = conclude.with_inner(verdict, investigation.branch.merge, conclude.UNDECIDED)
    return Plan(step=Conclude(verdict=verdict, reason=why), view=view, decision=decision)


def _give_up(investigation: Investigation) -> Plan:
    verdict = conclude.failed(investigation, both_fail_alike(investigation))
    return Plan(step=Conclude(verdict=verdict, reason=verdict.explanation))
