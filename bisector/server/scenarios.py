"""Scenarios and their histories, as the pages show them."""

from itertools import islice

from bisector.core.model.scenario import Scenario
from bisector.core.watch import moves
from bisector.core.watch.moves import Searched
from bisector.engine.job import JobRow
from bisector.engine.sweep import Known, SeriesState
from bisector.errors import JobError, NoSuchJob
from bisector.report.numbers import date
from bisector.report.pages import ChangeLine, ScenarioLine, SeriesPart
from bisector.report.plots.nights import history_figure
from bisector.report.series import series_lines
from bisector.server.listing import line_of
from bisector.server.service import Service

JOBS_LOOKED_AT = 500
"""The newest jobs, among which those of a scenario are looked for."""
JOBS_OF_A_SCENARIO = 5


def scenario_lines(service: Service) -> tuple[list[ScenarioLine], tuple[str, ...]]:
    """Every scenario, what can be told of it in a line or two; and which sweeps cannot be seen to, and why."""
    known = service.series()
    rows, series = service.store.jobs(JOBS_LOOKED_AT), _series(service, known)
    lines = [_line(service, name, found, rows, series.get(name, ())) for name, found in service.scenarios()]
    return lines, known.problems


def scenario_line(service: Service, name: str) -> ScenarioLine:
    """One scenario with the plots of its series; NoSuchJob where nobody knows it."""
    found = next((found for known, found in service.scenarios() if known == name), None)
    rows = service.store.jobs(JOBS_LOOKED_AT)
    if found is None and not any(row.request.scenario.name == name for row in rows):
        raise NoSuchJob(f"there is no scenario {name[:200]!r}", then="/scenarios shows those there are")
    # One that only jobs know was given on a command line, or is gone.
    return _line(service, name, found or "", rows, _series(service, service.series(), drawn=name).get(name, ()))


def _line(
    service: Service, name: str, found: Scenario | str, rows: list[JobRow], series: tuple[SeriesPart, ...]
) -> ScenarioLine:
    own = (row for row in rows if name in (row.request.scenario.name, row.request.scenario_text))
    jobs = tuple(line_of(row, service.queue.entry(row.job)) for row in islice(own, JOBS_OF_A_SCENARIO))
    if isinstance(found, str):
        return ScenarioLine(name=name, description="", problem=found, jobs=jobs, series=series)
    return ScenarioLine(
        name=name,
        description=found.description,
        metrics=tuple(metric.name for metric in found.metrics),
        jobs=jobs,
        series=series,
    )


def _series(service: Service, known: Known, drawn: str = "") -> dict[str, tuple[SeriesPart, ...]]:
    """The series of the sweeps by their scenarios, those of the scenario `drawn` with plots and answers."""
    found: dict[str, tuple[SeriesPart, ...]] = {}
    for number, state in enumerate(known.states):
        name = state.watched.name
        part = _part(service, state, f"series-{number}", drawn=name.scenario == drawn)
        found[name.scenario] = (*found.get(name.scenario, ()), part)
    return found


def _part(service: Service, state: SeriesState, identifier: str, *, drawn: bool) -> SeriesPart:
    name, metric, history = state.watched.name, state.watched.metric, state.history
    unknown = {change.job for change in moves.open_changes(history)}
    searched = [entry for entry in reversed(history) if isinstance(entry, Searched)]
    return SeriesPart(
        name=str(name),
        metric=name.metric,
        where=f"{name.repository}, branch {name.branch}, hosts of class {name.host_class}",
        lines=series_lines(metric, history, state.next_tick),
        changes=tuple(
            ChangeLine(
                job=entry.job,
                day=date(int(entry.time)),
                worse=entry.worse,
                open=entry.job in unknown,
                good=entry.good,
                bad=entry.bad,
                answer=_answer(service, entry.job) if drawn else "",
            )
            for entry in searched
        ),
        plot=history_figure(identifier, metric, history) if drawn else None,
    )


def _answer(service: Service, job: str) -> str:
    """What a job found; "" while it found nothing."""
    try:
        return service.store.job(job).sentence
    except JobError:
        return ""
