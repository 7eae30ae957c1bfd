"""What every part of a report is computed from: the facts, the answer, and the outlook on each line."""

from dataclasses import dataclass

from bisector.core.model.history import Commit, LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import Change, Verdict, VerdictKind
from bisector.core.search.outlook import Outlook, outlook
from bisector.core.search.pairs import Paired
from bisector.core.search.view import View
from bisector.report import numbers
from bisector.report.document import CommitPart, MetricPart
from bisector.report.pairs import PairedPart
from bisector.report.text import one_line

LONGEST_REASON = 400
"""Characters of what a failed build or run said that a report shows."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """An investigation with what its facts amount to. `verdict` is None while there is none."""

    investigation: Investigation
    state: str
    verdict: Verdict | None
    main: Outlook | None
    inner: Outlook | None

    @classmethod
    def of(cls, investigation: Investigation, state: str) -> "Basis":
        """The outlooks are computed here, once."""
        verdict = investigation.verdict
        if verdict is None and state == VerdictKind.CANCELLED.value:
            verdict = Verdict(kind=VerdictKind.CANCELLED)
        branch = investigation.branch
        return cls(
            investigation=investigation,
            state=state,
            verdict=verdict,
            main=outlook(investigation),
            inner=outlook(investigation, name=LineName.INNER) if branch is not None and branch.line.size else None,
        )

    @property
    def answered(self) -> bool:
        """Whether the job has come to its own end."""
        return self.investigation.verdict is not None


def commit_part(commit: Commit) -> CommitPart:
    """A commit as a report names it."""
    return CommitPart(
        sha=one_line(commit.sha),
        subject=one_line(commit.subject, 200),
        author=one_line(commit.author, 100),
        date=numbers.moment(commit.time),
        is_merge=commit.is_merge,
    )


def metric_part(investigation: Investigation, metric: Metric) -> MetricPart:
    """A metric as a report names it."""
    values = [sample.values[metric.name] for sample in investigation.samples if metric.name in sample.values]
    return MetricPart(
        name=one_line(metric.name, 100),
        unit=one_line(metric.unit, 20),
        better=metric.better,
        min_effect=investigation.request.min_effect_of(metric),
        gauge=numbers.Gauge.of(values, one_line(metric.unit, 20)),
    )


def paired_part(view: View, found: Paired | None) -> PairedPart | None:
    """What pairs of runs say, as a report tells it."""
    if found is None:
        return None
    return PairedPart(
        pairs=found.count,
        change=view.scale.change(found.difference),
        probability=found.probability,
        preferred=found.preferred,
    )


def end_change(found: Outlook | None, verdict: Verdict | None) -> Change | None:
    """The change between the ends: as answered, else as measured so far."""
    if verdict is not None and verdict.change is not None:
        return verdict.change
    if found is None or found.posterior is None:
        return None
    view = found.view
    return view.change(view.place_at(view.low), view.place_at(view.high), found.posterior)
