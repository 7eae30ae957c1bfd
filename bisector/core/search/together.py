"""Several metrics from the same runs: each answered, and all answers together as sure as was asked for.

The search goes from one metric to the next on the samples at hand, and only what is missing is run. The error that the
asked confidence allows is shared as Holm (1979, A simple sequentially rejective multiple test procedure) does: of m
metrics the first ones have to be named at an error of 1/m of the whole, and each that is named leaves more to the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bisector.core.model.investigation import Investigation
from bisector.core.model.scenario import Metric
from bisector.core.model.steps import Conclude, ListBranch, NameCulprit, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import MetricVerdict, VerdictKind

if TYPE_CHECKING:
    from bisector.core.search.planner import Plan

NAMES = frozenset({VerdictKind.CULPRIT, VerdictKind.CULPRIT_SET, VerdictKind.SEVERAL})
"""Answers that say where something changed: the ones that can be wrong at somebody's cost."""

Single = Callable[[Investigation, Seconds], "Plan"]
"""The next step for the first metric of an investigation alone."""


def share_of(confidence: float, metrics: int, named: int) -> float:
    """How sure each answer has to be, by Holm, when `named` of `metrics` have one that names something."""
    return 1 - (1 - confidence) / (metrics - named)


def for_each_metric(investigation: Investigation, elapsed: Seconds, single: Single) -> "Plan":
    """The next step for the first metric that is not answered; the answers to all of them when all are."""
    asked = investigation.request.asked
    alone = len(asked) == 1 or investigation.request.trial is not None
    if alone or investigation.concluded or investigation.crashing:
        return single(investigation, elapsed)
    named: set[str] = set()
    plans: dict[str, Plan] = {}
    answers: dict[str, MetricVerdict] = {}
    while len(named) < len(asked):
        confidence = share_of(investigation.request.search.confidence, len(asked), len(named))
        for metric in asked:
            if metric.name in named:
                continue
            first = metric is asked[0]
            plan = _alone(investigation.asked_for(metric, confidence), elapsed, single, first=first)
            if not isinstance(plan.step, Conclude):
                return plan if first else replace(plan, step=_on_behalf_of(metric, plan.step))
            plans[metric.name] = plan
            verdict = plan.step.verdict
            answers[metric.name] = MetricVerdict(metric=metric.name, verdict=verdict, confidence=confidence)
        found = {name for name, answer in answers.items() if answer.verdict.kind in NAMES}
        if found <= named:
            break
        named |= found
    return _concluding(asked[0], plans, answers)


def _alone(investigation: Investigation, elapsed: Seconds, single: Single, *, first: bool) -> "Plan":
    """The next step for one metric, `first` or not. Only the first lists a branch: inner places are of one merge."""
    plan = single(investigation, elapsed)
    if first or not isinstance(plan.step, ListBranch):
        return plan
    search = replace(investigation.request.search, descend=False)
    return single(replace(investigation, request=replace(investigation.request, search=search)), elapsed)


def _on_behalf_of(metric: Metric, step: Step | None) -> Step | None:
    """`step` with the metric it is taken for in its reason."""
    if step is None:
        return None
    told = replace(step, reason=f"{metric.name}: {step.reason}")
    return replace(told, metric=metric.name) if isinstance(told, NameCulprit) else told


def _concluding(first: Metric, plans: Mapping[str, "Plan"], answers: Mapping[str, MetricVerdict]) -> "Plan":
    plan = plans[first.name]
    if not isinstance(plan.step, Conclude):
        raise TypeError("every metric is answered")
    others = tuple(answer for name, answer in answers.items() if name != first.name)
    return replace(plan, step=replace(plan.step, others=others))
