"""The answer handed over: files, standard output, exit code."""

import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from bisector.cli.options import OutputOptions
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.verdict import VerdictKind
from bisector.engine.telling import told
from bisector.report.attached import Artifact
from bisector.report.document import Report
from bisector.report.explanation import Explanation
from bisector.report.html import render_html
from bisector.report.json_export import render_json
from bisector.report.markdown import render_markdown
from bisector.report.profile_files import profile_files
from bisector.report.sentence import direction_of
from bisector.report.terminal import ANSI, PLAIN, render_terminal
from bisector.wiring import Wiring, write_file

EXIT_CODES = {
    VerdictKind.CULPRIT: 0,
    VerdictKind.CULPRIT_SET: 0,
    VerdictKind.SEVERAL: 0,
    VerdictKind.NOT_REPRODUCED: 1,
    VerdictKind.INCONCLUSIVE: 3,
    VerdictKind.FAILED: 4,
    VerdictKind.ENVIRONMENT_CHANGED: 5,
    VerdictKind.CANCELLED: 130,
    VerdictKind.RESTORED: 0,
    VerdictKind.NOT_RESTORED: 1,
}
COMPARED = {VerdictKind.NOT_REPRODUCED: 0, VerdictKind.CULPRIT_SET: 3, VerdictKind.SEVERAL: 3}


def deliver(investigation: Investigation, wiring: Wiring, output: OutputOptions) -> int:
    """Write the report, print the answer, and return the exit code that carries it."""
    directory = report_directory(wiring, investigation.job, output)
    plain = _report(investigation, wiring, directory)
    report = replace(plain, artifacts=(*plain.artifacts, *write_profiles(plain.explanations, directory / "profiles")))
    page = write_report(report, directory)
    if output.json is not None:
        _write(output.json, render_json(report))
    to_stdout = "-" not in (output.json, output.events)
    stream = sys.stdout if to_stdout else sys.stderr
    style = ANSI if stream.isatty() and "NO_COLOR" not in os.environ else PLAIN
    width = min(shutil.get_terminal_size().columns, 110) if stream.isatty() else 100
    click.echo(render_terminal(report, width=width, style=style, path=str(page)), err=not to_stdout)
    return exit_code(investigation)


def report_directory(wiring: Wiring, job: str, output: OutputOptions) -> Path:
    """Where the report of a job is written."""
    return Path(output.report) if output.report else wiring.artifacts.report(job)


def show(investigation: Investigation, wiring: Wiring, output: OutputOptions) -> int:
    """Deliver an investigation that is only looked at: the exit code says nothing about the answer."""
    deliver(investigation, wiring, output)
    return 0


def write_report(report: Report, directory: Path) -> Path:
    """The report as HTML, Markdown and JSON in `directory`; the path of the page."""
    page = directory / "report.html"
    for path, text in (
        (page, render_html(report)),
        (directory / "report.md", render_markdown(report)),
        (directory / "result.json", render_json(report)),
    ):
        write_whole(path, text)
    return page.resolve()


def write_profiles(explanations: Sequence[Explanation], directory: Path) -> list[Artifact]:
    """Write the profiles for other viewers into `directory`; what was written."""
    written = []
    for file in profile_files(explanations):
        path = directory / file.name
        write_whole(path, file.text)
        sha256 = hashlib.sha256(file.text.encode()).hexdigest()
        written.append(Artifact(kind=file.kind, path=str(path), side=file.side, sha256=sha256))
    return written


def write_whole(path: Path, text: str) -> None:
    """Write a file that nobody sees half of."""
    write_file(path, text.encode())


def exit_code(investigation: Investigation) -> int:
    """The exit code that carries the verdict; 130 for a job without one, which was stopped."""
    verdict = investigation.verdict
    if verdict is None:
        return 130
    if investigation.request.kind is JobKind.COMPARE:
        if verdict.kind is VerdictKind.CULPRIT and verdict.change is not None:
            return int(direction_of(investigation, verdict.change) == "worse")
        return COMPARED.get(verdict.kind, EXIT_CODES[verdict.kind])
    if investigation.request.trial is not None and verdict.kind is VerdictKind.NOT_REPRODUCED:
        return EXIT_CODES[VerdictKind.INCONCLUSIVE]
    return EXIT_CODES[verdict.kind]


def _report(investigation: Investigation, wiring: Wiring, directory: Path) -> Report:
    job = investigation.job
    working = wiring.locks.working_on(job) is not None
    return told(investigation, wiring.store.job(job), wiring.kept, directory / "report.html", working=working)


def _write(target: str, text: str) -> None:
    if target == "-":
        click.echo(text)
        return
    Path(target).write_text(text + "\n", encoding="utf-8")
