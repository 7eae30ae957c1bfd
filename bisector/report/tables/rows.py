"""Jobs and their facts as rows. Texts of strangers are harmless and on one line in here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bisector.core.model.facts import BranchListed, BuildRecorded, Concluded, Fact, HistoryListed, Planned
from bisector.core.model.history import LineName, Place, inner
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.samples import Sample
from bisector.core.model.scenario import Metric
from bisector.core.model.steps import ListBranch, ListHistory
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Culprit, InnerKind, Verdict
from bisector.report.compose import cost_of
from bisector.report.tables.columns import BUILDS, CULPRITS, JOBS, SAMPLES, Cell
from bisector.report.text import displayed, one_line

Row = tuple[Cell, ...]
LONGEST_TEXT = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTold:
    """A job and everything known of it."""

    state: str
    created: Seconds
    investigation: Investigation
    sentence: str = ""
    concluded: Seconds | None = None
    asked_by: str = ""
    priority: int | None = None
    host_class: str = ""


def job_row(told: JobTold) -> Row:
    """The row of a job."""
    found = told.investigation
    request, verdict = found.request, found.verdict
    cost = cost_of(found, found.plans[-1].elapsed if found.plans else None)
    values: dict[str, Cell] = {
        "job": int(found.job),
        "created_at": told.created,
        "concluded_at": told.concluded,
        "state": told.state,
        "kind": request.kind.value,
        "asked_by": one_line(told.asked_by) or None,
        "priority": told.priority,
        "host_class": told.host_class or None,
        **question_cells(request, found.metric),
        "runner": request.runner.value,
        "good": request.good,
        "bad": request.bad,
        "candidates": found.line.size if found.history is not None else None,
        "verdict": verdict.kind.value if verdict is not None else None,
        "reason": verdict.reason.value if verdict is not None and verdict.reason is not None else None,
        **change_cells(verdict.change if verdict is not None else None),
        "culprits": len(_named(request, verdict)) if verdict is not None else None,
        "runs": cost.runs,
        "builds": cost.builds,
        "builds_reused": cost.builds_reused,
        "run_seconds": cost.run_seconds,
        "build_seconds": cost.build_seconds,
        "elapsed_seconds": cost.elapsed_seconds,
        "host": found.host.host if found.host is not None else None,
        "sentence": one_line(told.sentence, LONGEST_TEXT) or None,
    }
    return JOBS.row(values)


def culprit_rows(told: JobTold) -> Iterator[Row]:
    """The rows of what a job names, metric after metric. A comparison blames nobody."""
    found = told.investigation
    if found.verdict is None:
        return
    answers = [(found.metric, found.verdict)]
    answers += [(found.request.scenario.metric(each.metric), each.verdict) for each in found.other_verdicts]
    for metric, verdict in answers:
        named = _named(found.request, verdict)
        for number, (direction, culprit) in enumerate(named, start=1):
            values: dict[str, Cell] = {
                "job": int(found.job),
                "concluded_at": told.concluded,
                "verdict": verdict.kind.value,
                **question_cells(found.request, metric),
                "number": number,
                "direction": direction,
                **_culprit(found, culprit),
            }
            yield CULPRITS.row(values)


def _named(request: Request, verdict: Verdict) -> list[tuple[str, Culprit]]:
    if not request.searches:
        return []
    return [
        *(("asked", culprit) for culprit in verdict.culprits),
        *(("opposite", culprit) for culprit in verdict.opposite),
    ]


def _culprit(found: Investigation, culprit: Culprit) -> dict[str, Cell]:
    line, commit = found.line, found.commit(culprit.place)
    members = [line.commit(member).sha for member in culprit.members]
    answer = culprit.inner
    inside = answer is not None and answer.kind is InnerKind.COMMIT
    return {
        "commit": commit.sha,
        "parent": commit.parents[0] if commit.parents else None,
        "is_merge": commit.is_merge,
        "subject": one_line(commit.subject, LONGEST_TEXT),
        "author": one_line(commit.author, LONGEST_TEXT),
        "committed_at": float(commit.time),
        "set_size": len(members),
        "set": " ".join(members),
        "probability": culprit.probability,
        "verified": culprit.verified,
        **change_cells(culprit.change),
        "inner_commit": found.commit(inner(answer.members[0])).sha if answer is not None and inside else None,
        "inner_probability": answer.probability if answer is not None and inside else None,
    }


class FactRows:
    """Rows of the facts of one job, one after the other: only where commits stand is kept of those that went by."""

    def __init__(self, job: str, request: Request) -> None:
        """Nothing has gone by."""
        self._job = job
        self._request = request
        self._known = Investigation(job=job, request=request)
        self._listing = False
        self._held: list[tuple[int, Seconds, BuildRecorded]] = []

    def samples(self, seq: int, at: Seconds, fact: Fact) -> Iterator[Row]:
        """The rows of a run; none for any other fact."""
        if not isinstance(fact, Sample):
            self._learn(fact)
            return
        request = self._request
        metrics = {metric.name: metric for metric in request.scenario.metrics}
        told = {"job": int(self._job), "seq": seq, "recorded_at": at, **self._sample(fact)}
        if not fact.values:
            yield SAMPLES.row({**told, **question_cells(request, None), "value": None})
        for name, value in fact.values.items():
            metric = metrics.get(name) or Metric(name=name)
            yield SAMPLES.row({**told, **question_cells(request, metric), "value": value})

    def builds(self, seq: int, at: Seconds, fact: Fact) -> Iterator[Row]:
        """The rows that are known once a fact has gone by.

        What is taken over while a line is being listed is written down before the line itself: it is held until then.
        """
        if isinstance(fact, BuildRecorded):
            self._held.append((seq, at, fact))
        else:
            self._learn(fact)
        if not self._listing:
            yield from self._let_go()

    def builds_left(self) -> Iterator[Row]:
        """The rows of builds that are still held, once every fact has gone by: which commits they are is not known."""
        for seq, at, fact in self._held:
            yield BUILDS.row({**self._build(seq, at, fact), **_where(fact.place, fact.number, None)})
        self._held.clear()

    def _let_go(self) -> Iterator[Row]:
        for seq, at, fact in self._held:
            yield BUILDS.row({**self._build(seq, at, fact), **self._where(fact.place, fact.number)})
        self._held.clear()

    def _build(self, seq: int, at: Seconds, fact: BuildRecorded) -> dict[str, Cell]:
        build, request = fact.build, self._request
        return {
            "job": int(self._job),
            "seq": seq,
            "recorded_at": at,
            "repository": displayed(request.repository, LONGEST_TEXT),
            "scenario": request.scenario.name,
            "build_key": build.key,
            "outcome": build.outcome.value,
            "reason": displayed(build.reason, LONGEST_TEXT) or None,
            "build_seconds": build.seconds,
            "reused": build.reused,
            "ahead": fact.ahead,
            "clean": build.clean,
            "runner": build.runner.value if build.runner is not None else None,
            "content": build.content,
        }

    def _learn(self, fact: Fact) -> None:
        if isinstance(fact, Planned):
            self._listing = isinstance(fact.step, ListHistory | ListBranch)
            return
        self._listing = self._listing and not isinstance(fact, HistoryListed | BranchListed)
        self._known = self._known.with_fact(fact)

    def _where(self, place: Place, number: int) -> dict[str, Cell]:
        commit = self._known.commit(place)
        return _where(place, number, self._known.tree(place) if place.line is LineName.TRIED else commit.sha)

    def _sample(self, sample: Sample) -> dict[str, Cell]:
        usage = sample.usage
        return {
            **self._where(sample.place, sample.number),
            "build_key": sample.build,
            "purpose": sample.purpose.value,
            "outcome": sample.outcome.value,
            "reason": displayed(sample.reason, LONGEST_TEXT) or None,
            "compared": sample.counts,
            "started_seconds": sample.clock,
            "wall_seconds": usage.wall if usage is not None else None,
            "cpu_seconds": usage.cpu if usage is not None else None,
            "peak_memory_bytes": usage.peak_memory if usage is not None else None,
            "step": sample.step,
            "slot": sample.order,
            "lane": sample.lane,
            "beside_build": sample.beside,
            "host": sample.host,
            "container": sample.container or None,
        }


def _where(place: Place, number: int, commit: str | None) -> dict[str, Cell]:
    return {"commit": commit, "line": place.line.value, "index": place.index, "build": number}


def told_of(job: str, request: Request, facts: Sequence[tuple[Seconds, Fact]]) -> tuple[Investigation, Seconds | None]:
    """The investigation that facts amount to, and when its answer was written down."""
    concluded = [at for at, fact in facts if isinstance(fact, Concluded)]
    return Investigation.replay(job, request, (fact for _, fact in facts)), concluded[-1] if concluded else None


def question_cells(request: Request, metric: Metric | None) -> Mapping[str, Cell]:
    """What a row is about."""
    return {
        "repository": displayed(request.repository, LONGEST_TEXT),
        "scenario": request.scenario.name,
        "metric": one_line(metric.name, LONGEST_TEXT) if metric is not None else None,
        "unit": (metric.unit or None) if metric is not None else None,
        "better": metric.better.value if metric is not None else None,
    }


def change_cells(change: Change | None) -> Mapping[str, Cell]:
    """A change with its interval."""
    if change is None:
        return {"change": None, "change_low": None, "change_high": None}
    return {"change": change.relative, "change_low": change.low, "change_high": change.high}
