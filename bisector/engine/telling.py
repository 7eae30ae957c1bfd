"""A job's report from what is stored: the same for whoever asks, at the terminal or over the network."""

from collections.abc import Callable
from pathlib import Path

from bisector.core.model.investigation import Investigation
from bisector.engine.job import JobRow, JobState
from bisector.engine.ports import Artifacts, Store
from bisector.errors import BisectorError
from bisector.report.attached import Artifact
from bisector.report.compose import JobFacts, report_of
from bisector.report.document import Report
from bisector.report.explanation import wanted_files

MOST_LOGS = 5
"""Commits whose services' logs are named in a report."""


def investigation_of(job: str, store: Store) -> Investigation:
    """The investigation as far as its facts go; JobError when there is no such job."""
    return Investigation.replay(job, store.job(job).request, store.facts(job))


def kept_file(artifacts: Artifacts) -> Callable[[str], bytes | None]:
    """Reads a file that a job kept by its digest; None when it is gone."""

    def read(sha256: str) -> bytes | None:
        try:
            return artifacts.kept(sha256).read_bytes()
        except (BisectorError, OSError):
            return None

    return read


def told(
    investigation: Investigation, row: JobRow, kept: Callable[[str], bytes | None], page: Path, *, working: bool
) -> Report:
    """The report of an investigation. `working` says whether somebody works on it now: then the time goes on."""
    ended = row.state is JobState.DONE or not working
    logs = [
        Artifact(kind="build_log", path=build.log)
        for build in investigation.builds.values()
        if build.log and not build.usable
    ]
    logs += _service_logs(investigation)
    files = {name: content for name in wanted_files(investigation) if (content := kept(name)) is not None}
    facts = JobFacts(
        state=row.state,
        elapsed_seconds=investigation.plans[-1].elapsed if investigation.plans and ended else None,
        scenario=investigation.request.scenario_text or None,
        artifacts=(Artifact(kind="report", path=str(page)), *logs),
        files=files,
    )
    return report_of(investigation, facts)


def _service_logs(investigation: Investigation) -> list[Artifact]:
    """What services wrote in the first run that failed of each commit; of so many commits as somebody looks into."""
    first = {sample.place: sample.log for sample in reversed(investigation.samples) if sample.log}
    return [
        Artifact(kind="service_log", path=first[place], side=investigation.commit(place).sha[:10])
        for place in sorted(first, key=lambda place: (place.line, place.index))[:MOST_LOGS]
    ]
