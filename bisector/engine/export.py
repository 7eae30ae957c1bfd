"""What is stored as rows, one job or series after the other: no more than one of them is held at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from bisector.core.model.facts import BranchListed, BuildRecorded, Fact, HistoryListed, Planned
from bisector.core.model.request import Request
from bisector.core.model.samples import Sample
from bisector.core.model.trials import TrialMade
from bisector.core.model.units import Seconds
from bisector.core.watch.log import Asked
from bisector.engine.ports import Store
from bisector.engine.records import JobRecord, Records, SeriesRecord
from bisector.errors import NoSuchJob
from bisector.report.tables.columns import BUILDS, CULPRITS, JOBS, SAMPLES, SERIES, Table
from bisector.report.tables.rows import FactRows, JobTold, Row, culprit_rows, job_row, told_of
from bisector.report.tables.series import SeriesTold, series_rows

_PLACES: tuple[type[Fact], ...] = (HistoryListed, BranchListed, TrialMade)
"""What tells which commit stands where."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which rows are wanted: those that fit all of it."""

    since: Seconds = 0.0
    """Jobs made from then on, and what was written down of series from then on."""
    repositories: tuple[str, ...] = ()
    """Where the repository is; all where it is empty."""
    scenarios: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    """Their numbers; of series, what these jobs were started for."""

    def fits(self, request: Request) -> bool:
        """Whether a question is among what is wanted."""
        named = {request.scenario.name, request.scenario_text}
        return (not self.repositories or request.repository in self.repositories) and (
            not self.scenarios or not named.isdisjoint(self.scenarios)
        )


class Export:
    """Rows of tables."""

    def __init__(self, records: Records, store: Store, selection: Selection) -> None:
        """NoSuchJob where the selection names a job that is not there."""
        for job in selection.jobs:
            store.job(job)
        self._records = records
        self._store = store
        self._selection = selection

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of a table, oldest first."""
        makers: dict[str, Callable[[], Iterator[Row]]] = {
            JOBS.name: self._jobs,
            CULPRITS.name: self._culprits,
            SAMPLES.name: self._samples,
            BUILDS.name: self._builds,
            SERIES.name: self._series,
        }
        yield from makers[table.name]()

    def _wanted(self) -> Iterator[JobRecord]:
        found = self._records.jobs(self._selection.since, self._selection.jobs)
        return (record for record in found if self._selection.fits(record.row.request))

    def _jobs(self) -> Iterator[Row]:
        for record in self._wanted():
            yield job_row(self._told(record))

    def _culprits(self) -> Iterator[Row]:
        for record in self._wanted():
            yield from culprit_rows(self._told(record))

    def _told(self, record: JobRecord) -> JobTold:
        row = record.row
        facts = [(each.at, each.fact) for each in self._records.facts(row.job)]
        investigation, concluded = told_of(row.job, row.request, facts)
        return JobTold(
            state=row.state.value,
            created=row.created.timestamp(),
            investigation=investigation,
            sentence=row.sentence,
            concluded=concluded,
            asked_by=record.asked_by,
            priority=record.priority,
            host_class=record.host_class,
        )

    def _samples(self) -> Iterator[Row]:
        for record in self._wanted():
            rows = FactRows(record.row.job, record.row.request)
            for each in self._records.facts(record.row.job, (*_PLACES, Sample)):
                yield from rows.samples(each.seq, each.at, each.fact)

    def _builds(self) -> Iterator[Row]:
        for record in self._wanted():
            rows = FactRows(record.row.job, record.row.request)
            for each in self._records.facts(record.row.job, (*_PLACES, Planned, BuildRecorded)):
                yield from rows.builds(each.seq, each.at, each.fact)
            yield from rows.builds_left()

    def _series(self) -> Iterator[Row]:
        for name, group in groupby(self._records.series(), key=lambda record: record.series):
            records = list(group)
            request = self._request(records)
            if not self._fits(request):
                continue
            told = SeriesTold(name=name, records=[(r.seq, r.at, r.record) for r in records], request=request)
            for written, row in zip(records, series_rows(told), strict=True):
                if written.at >= self._selection.since and self._names(row):
                    yield row

    def _fits(self, request: Request | None) -> bool:
        """A series that nothing was measured for yet is known by its repository's name only."""
        if request is not None:
            return self._selection.fits(request)
        return not self._selection.repositories and not self._selection.scenarios

    def _names(self, row: Row) -> bool:
        job = row[_JOB_OF_SERIES]
        return not self._selection.jobs or str(job) in self._selection.jobs

    def _request(self, records: list[SeriesRecord]) -> Request | None:
        for record in records:
            if isinstance(record.record, Asked):
                try:
                    return self._store.job(record.record.job).request
                except NoSuchJob:
                    continue
        return None


_JOB_OF_SERIES = [column.name for column in SERIES.columns].index("job")
