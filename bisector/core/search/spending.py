"""What is left of a job's budget, in runs."""

import numpy as np

from bisector.core.model.investigation import Investigation
from bisector.core.model.units import Seconds

DEFAULT_RUN_SECONDS: Seconds = 1.0


def runs_left(investigation: Investigation, elapsed: Seconds) -> int | None:
    """How many more runs the budget allows; None without a limit. At least one: the budget was looked at before."""
    budget, width, left = investigation.request.budget, investigation.request.width, []
    if budget.runs is not None:
        left.append(budget.runs - investigation.runs())
    if budget.seconds is not None:
        left.append((int((budget.seconds - elapsed) / max(run_seconds(investigation), 1e-3)) + 1) * width)
    return max(min(left), 1) if left else None


def run_seconds(investigation: Investigation) -> Seconds:
    """What one run takes with what goes before it, as far as is known."""
    walls = [sample.usage.wall + sample.prepared for sample in investigation.samples if sample.usage is not None]
    return float(np.median(walls)) if walls else DEFAULT_RUN_SECONDS


def overspent(investigation: Investigation, elapsed: Seconds) -> tuple[str, ...]:
    """What of the budget is spent: "runs", "builds", "time"."""
    budget, at_a_time = investigation.request.budget, 2 if investigation.request.duet else 1
    spent = (
        (budget.runs is not None and investigation.runs() + at_a_time > budget.runs, "runs"),
        (budget.builds is not None and investigation.builds_made() >= budget.builds, "builds"),
        (budget.seconds is not None and elapsed >= budget.seconds, "time"),
    )
    return tuple(name for reached, name in spent if reached)
