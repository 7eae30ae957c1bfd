"""Settings to what lets alerts join jobs."""

from collections.abc import Callable
from dataclasses import replace

from bisector.core.model.investigation import Investigation
from bisector.engine.joining import Joining, JoiningPorts
from bisector.engine.telling import told
from bisector.report.document import Report
from bisector.wiring import Wiring


def make_joining(wiring: Wiring, tell: Callable[[str], None]) -> Joining:
    """What lets alerts join jobs, and sees to it that each is answered."""
    from bisector.adapters.store.sql_joins import SqlJoins

    ports = JoiningPorts(
        joins=SqlJoins(wiring.database, wiring.clock),
        queue=wiring.queue,
        store=wiring.store,
        open=wiring.repository,
        report=lambda job, metrics: _report(wiring, job, metrics),
    )
    return Joining(ports, tell)


def _report(wiring: Wiring, job: str, metrics: tuple[str, ...]) -> Report:
    """The report as if these metrics had been asked for; without flame graphs, which nobody looks at here."""
    row = wiring.store.job(job)
    investigation = Investigation.replay(job, replace(row.request, metrics=metrics), wiring.store.facts(job))
    page = wiring.artifacts.report(job) / "report.html"
    return told(investigation, row, lambda _: None, page, working=False)
