"""What a message says, whatever its form: computed once from the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from bisector.core.model.verdict import VerdictKind
from bisector.report import numbers
from bisector.report.document import CommitPart, CulpritPart, Report
from bisector.report.messages.also import Also
from bisector.report.messages.links import Links
from bisector.report.phrase import Phrase
from bisector.report.text import SHORT

MOST_CULPRITS = 5
MOST_ALSO = 10

HEADLINES = {
    VerdictKind.CULPRIT: "found",
    VerdictKind.CULPRIT_SET: "narrowed down",
    VerdictKind.SEVERAL: "several changes found",
    VerdictKind.NOT_REPRODUCED: "not reproduced",
    VerdictKind.ENVIRONMENT_CHANGED: "the environment changed",
    VerdictKind.INCONCLUSIVE: "undecided",
    VerdictKind.FAILED: "could not be measured",
    VerdictKind.CANCELLED: "cancelled",
    VerdictKind.RESTORED: "restored",
    VerdictKind.NOT_RESTORED: "not restored",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A commit that a message names, with where it can be seen; "" where that is not known."""

    sha: str
    subject: str
    author: str
    change: str
    commit: str
    diff: str
    pull_request: str

    @property
    def short(self) -> str:
        """The commit's name for running text."""
        return self.sha[:SHORT]


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """The answer of a job as something to tell. `named` holds verified culprits only: nobody else is named."""

    job: str
    title: str
    sentence: Phrase
    verdict: VerdictKind | None
    scenario: str
    metric: str
    change: str
    named: tuple[Named, ...]
    more: int
    """Culprits that there was no room for."""
    report: str
    reproduce: str
    also: tuple[Phrase, ...] = ()
    """Of each alert that joined the job: what was asked, and whether this answers it."""


def news_of(report: Report, links: Links, also: Sequence[Also] = ()) -> News:
    """The answer of `report` as news; `also`: the alerts that joined its job."""
    sure = [culprit for culprit in report.culprits if culprit.verified and len(culprit.set) == 1]
    change = report.ends.change if report.ends is not None else None
    what = HEADLINES[report.verdict] if report.verdict is not None else "no answer yet"
    return News(
        job=report.job,
        title=f"{report.scenario}, {report.metric.name}: {what}",
        sentence=report.sentence,
        verdict=report.verdict,
        scenario=report.scenario,
        metric=report.metric.name,
        change=numbers.change(change) if change is not None else "",
        named=tuple(_named(culprit, links) for culprit in sure[:MOST_CULPRITS]),
        more=max(len(sure) - MOST_CULPRITS, 0),
        report=links.report,
        reproduce=report.reproduce,
        also=tuple(each.phrase for each in also[:MOST_ALSO]),
    )


def _named(culprit: CulpritPart, links: Links) -> Named:
    """The culprit, or the commit inside it where that is known; the pull request is the merge's."""
    inner = culprit.inner.commit if culprit.inner is not None else None
    told: CommitPart = inner or culprit.commit
    return Named(
        sha=told.sha,
        subject=told.subject,
        author=told.author,
        change=numbers.change(culprit.change) if culprit.change is not None else "",
        commit=links.commit(told.sha),
        diff=links.diff(culprit.parent.sha, culprit.commit.sha),
        pull_request=links.pull_request(culprit.commit.subject),
    )
