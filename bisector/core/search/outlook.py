"""The answer so far, for whoever watches or reads: where the culprit may be, how likely, and at what levels."""

from dataclasses import dataclass, replace

import numpy as np

from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import Reason, Verdict
from bisector.core.search import conclude
from bisector.core.search.costing import costs_of
from bisector.core.search.decide import Decision, decide
from bisector.core.search.ends import Ends, find_ends
from bisector.core.search.observations import FloatArray
from bisector.core.search.parts import company_view, parts_view
from bisector.core.search.planner import main_line_view, settings_of
from bisector.core.search.posterior import Posterior
from bisector.core.search.view import View, inner_view


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What the facts say of one line now.

    `chances[c - 1]` is the probability of candidate c, `no_change` that of none: together 1. `likely` is the smallest
    set that holds the culprit at the asked confidence, given a change. Without a run at both ends `posterior` is None
    and the chances are the prior's.
    """

    view: View
    chances: FloatArray
    no_change: float
    likely: tuple[int, ...]
    posterior: Posterior | None
    decision: Decision

    @property
    def levels(self) -> tuple[float, float] | None:
        """Old and new level in the metric's unit, under the likeliest class; None before both ends were run."""
        posterior = self.posterior
        if posterior is None or not posterior.levels.classes:
            return None
        scale = self.view.scale
        old, new = (float(level) for level in posterior.levels.mean[0])
        return scale.out_of(old), scale.out_of(new)


def outlook(
    investigation: Investigation, metric: Metric | None = None, name: LineName = LineName.MAIN
) -> Outlook | None:
    """The answer so far on the line called `name`, for `metric` (the first asked for by default).

    None while the history is not listed, when no two commits can be tested, or when that line does not exist.
    """
    ends = find_ends(investigation) if investigation.history is not None else None
    listed = {
        LineName.INNER: investigation.branch,
        LineName.PART: investigation.parts,
        LineName.COMPANY: investigation.company,
    }
    if ends is None or (name in listed and listed[name] is None):
        return None
    view = _view(investigation, metric or investigation.metric, ends, name)
    observations = view.observations()
    settings = settings_of(investigation, name)
    decision = decide(observations, costs_of(view), settings)
    if decision.posterior is None:
        weights = observations.weights
        chances = (1 - settings.prior_no_change) * weights / max(float(weights.sum()), 1e-300)
        likely = tuple(int(c) + 1 for c in np.flatnonzero(weights > 0))
        no_change = settings.prior_no_change
    else:
        chances = decision.posterior.of_candidates(observations.weights)
        likely, _ = conclude.credible_set(observations, decision.posterior, settings.confidence)
        no_change = decision.posterior.no_change
    return Outlook(
        view=view,
        chances=chances,
        no_change=no_change,
        likely=likely,
        posterior=decision.posterior,
        decision=decision,
    )


def verdict_for(investigation: Investigation, metric: Metric) -> Verdict | None:
    """What the samples at hand say of a further metric; None when nothing was measured. No run is made for it."""
    found = outlook(investigation, metric)
    if found is None or found.posterior is None:
        return None
    settings = settings_of(investigation, LineName.MAIN)
    verdict = conclude.main_verdict(found.view, found.decision, settings)
    if verdict.reason is Reason.CONFIDENCE and metric != investigation.metric:
        return replace(verdict, explanation="the runs were chosen for the first metric and do not settle this one")
    return verdict


def _view(investigation: Investigation, metric: Metric, ends: Ends, name: LineName) -> View:
    if name is LineName.INNER:
        return inner_view(investigation, metric)
    if name in {LineName.PART, LineName.COMPANY}:
        return (parts_view if name is LineName.PART else company_view)(investigation, metric)
    return replace(main_line_view(investigation, ends), metric=metric)
