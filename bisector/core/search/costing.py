"""What the next actions of a search cost, from what its job has seen so far."""

import numpy as np

from bisector.core.model.units import Seconds
from bisector.core.search.decide import Costs
from bisector.core.search.measuring import least_references
from bisector.core.search.spending import run_seconds
from bisector.core.search.view import View
from bisector.core.search.warming import warm_ups

DEFAULT_BUILD_SECONDS: Seconds = 10.0
ROUND_SECONDS: Seconds = 0.5


def costs_of(view: View) -> Costs:
    """Expected costs, from what this job has seen so far."""
    investigation = view.investigation
    run = run_seconds(investigation) * view.runs_together
    made = [build.seconds for build in investigation.builds.values() if build.usable and not build.reused]
    build = float(np.median(made)) if made else DEFAULT_BUILD_SECONDS
    per_index = np.full(view.line.size + 1, build)
    for (place, number), known in investigation.builds.items():
        index = view.index_of(place)
        if index is not None and number == 0 and known.usable:
            per_index[index] = 0.0
    warmup = 0 if view.exact else warm_ups(investigation)
    opening = ROUND_SECONDS + warmup * run
    return Costs(
        run=run,
        round=opening,
        build=per_index,
        rebuild=build if _rebuilds_differ(view) else None,
        references=least_references(investigation),
    )


def _rebuilds_differ(view: View) -> bool:
    """Whether building a commit afresh may give another binary, as far as is known, and the budget has room for two.

    A fresh build that came out the same byte for byte, or not at all, says no for all of them.
    """
    investigation = view.investigation
    counter = view.exact and view.metric.exact
    if counter or investigation.request.scenario.build.prebuilt is not None or not investigation.request.searches:
        return False
    most = investigation.request.budget.builds
    if most is not None and investigation.builds_made() + 2 > most:
        return False
    for (place, number), build in investigation.builds.items():
        first = investigation.builds.get((place, 0))
        if number and first is not None and (not build.usable or (build.content or "new") == first.content):
            return False
    return True
