"""A week from what is stored: the series of sweeps, and the searches that ended."""

from collections.abc import Iterable, Iterator

from bisector.core.model.history import inner
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Culprit, InnerKind
from bisector.core.watch.moves import open_changes
from bisector.core.watch.week import WEEK, Answer, Blamed, Watched, Week, week_of
from bisector.engine.queue import AT_TERMINAL
from bisector.engine.records import JobRecord, Records
from bisector.engine.sweep import SeriesState
from bisector.report.tables.rows import told_of


def week_before(until: Seconds, states: Iterable[SeriesState], records: Records) -> Week:
    """The week before `until`."""
    watched = list(map(_watched, states))
    return week_of(watched, list(_answers(until, watched, records)), until)


def _watched(state: SeriesState) -> Watched:
    name = state.watched.name
    return Watched(name=str(name), scenario=name.scenario, metric=state.watched.metric, history=state.history)


def _answers(until: Seconds, watched: Iterable[Watched], records: Records) -> Iterator[Answer]:
    behind = {change.job for series in watched for change in open_changes(series.history)}
    for record in records.concluded(until - WEEK, until):
        behind.discard(record.row.job)
        yield from _answer(record, records)
    if behind:
        for record in records.jobs(jobs=behind):
            yield from _answer(record, records)


def _answer(record: JobRecord, records: Records) -> Iterator[Answer]:
    """What a search came to; nothing for a comparison, or a search that goes on."""
    row = record.row
    if row.request.kind is not JobKind.BISECT:
        return
    facts = [(each.at, each.fact) for each in records.facts(row.job)]
    found, concluded = told_of(row.job, row.request, facts)
    if found.verdict is None or concluded is None:
        return
    yield Answer(
        job=row.job,
        asked_by=record.asked_by or AT_TERMINAL,
        repository=row.request.repository,
        scenario=row.request.scenario.name,
        metric=found.metric,
        verdict=found.verdict.kind,
        change=found.verdict.change,
        blamed=tuple(_blamed(found, culprit) for culprit in found.verdict.culprits),
        created=row.created.timestamp(),
        concluded=concluded,
    )


def _blamed(found: Investigation, culprit: Culprit) -> Blamed:
    answer = culprit.inner
    inside = answer is not None and answer.kind is InnerKind.COMMIT
    commit = found.commit(inner(answer.members[0])) if answer is not None and inside else None
    return Blamed(commit=found.commit(culprit.place), culprit=culprit, inner=commit)
