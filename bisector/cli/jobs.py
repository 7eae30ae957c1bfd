"""`bisector jobs`: list, show, watch, cancel, resume, rerun, log."""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from bisector.cli.answer import show
from bisector.cli.options import OutputOptions, output_options
from bisector.cli.progress import watching
from bisector.cli.rerun import command as rerun
from bisector.cli.session import as_it_stands, wired, work_on
from bisector.core.model.captures import Profiled
from bisector.core.model.facts import (
    Adopted,
    BranchListed,
    BuildRecorded,
    Concluded,
    CulpritNamed,
    EnvironmentSeen,
    Fact,
    HistoryListed,
    Planned,
)
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Sample
from bisector.core.search.planner import PLANNER
from bisector.core.search.replay import replay
from bisector.engine.job import JobRow, JobState
from bisector.errors import JobError
from bisector.report.numbers import count, quantity, seconds
from bisector.report.sentence import SHORT, sentence_of
from bisector.report.terminal import wrapped
from bisector.report.text import columns, one_line
from bisector.wiring import Wiring

POLL_SECONDS = 0.5
ANSWER_INDENT = 5
INTERRUPTED = "interrupted"
"""Shown for a job that says it is running while no process works on it: its process was killed."""


@click.group(name="jobs")
def command() -> None:
    """List, show, watch, cancel, resume and rerun jobs."""


@command.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Every job, not the last 20.")
def list_jobs(everything: bool) -> None:
    """List jobs, the newest first."""
    with wired() as wiring:
        rows = wiring.store.jobs()
        if not rows:
            click.echo("There are no jobs yet.")
            return
        for line in _listed(rows if everything else rows[:20], wiring):
            click.echo(line)
        if len(rows) > 20 and not everything:
            click.echo(f"{len(rows) - 20} more: bisector jobs list --all")


@command.command(name="show")
@click.argument("job")
@output_options
def show_job(job: str, **output: Any) -> int:
    """Show a job as it stands, finished or not."""
    with wired() as wiring:
        return show(as_it_stands(job, wiring), wiring, OutputOptions(**output))


@command.command(name="watch")
@click.argument("job")
def watch(job: str) -> int:
    """Follow a job that another process works on, until it ends."""
    with wired() as wiring:
        wiring.store.job(job)
        with watching(job, quiet=False) as observer:
            seen = 0
            while True:
                facts = wiring.store.facts(job)
                investigation = as_it_stands(job, wiring)
                for fact in facts[seen:]:
                    observer.learned(investigation, fact)
                seen = len(facts)
                if wiring.locks.working_on(job) is None:
                    break
                wiring.stop.wait(POLL_SECONDS)
        return show(as_it_stands(job, wiring), wiring, OutputOptions(json=None, events=None, report=None))


@command.command(name="cancel")
@click.argument("job")
def cancel(job: str) -> None:
    """Stop a job in order; what it has measured is kept, and it can be resumed."""
    with wired() as wiring:
        row = wiring.store.job(job)
        if row.state is JobState.DONE:
            raise JobError(f"job {job} is done already")
        wiring.store.request_cancel(job)
        owner = wiring.locks.working_on(job)
        if owner is None:
            wiring.store.set_state(job, JobState.CANCELLED)
        else:
            # The flag is looked at between steps; the signal ends the step that is under way.
            os.kill(owner, signal.SIGTERM)
        click.echo(f"job {job} is {'being stopped' if owner else 'cancelled'}; go on with: bisector jobs resume {job}")


@command.command(name="resume")
@click.argument("job")
@output_options
def resume(job: str, **output: Any) -> int:
    """Go on with a job that was stopped, paused or killed; at most the run in flight is repeated."""
    with wired() as wiring:
        row = wiring.store.job(job)
        if row.state is JobState.DONE:
            raise JobError(f"job {job} is done", then=f"See it with `bisector jobs show {job}`")
        return work_on(job, wiring, wiring.for_request(row.request), OutputOptions(**output))


@command.command(name="log")
@click.argument("job")
@click.option("--replay", "decide_again", is_flag=True, help="Decide every step again from the facts, and compare.")
def log(job: str, decide_again: bool) -> int:
    """Print every step with its reason, and what the world answered.

    With --replay each step and the verdict are computed anew from the facts before them: exit code 0 when they are the
    same, 1 when one differs.
    """
    with wired() as wiring:
        investigation = as_it_stands(job, wiring)
        if decide_again:
            return _replay(investigation, wiring)
        for fact in wiring.store.facts(job):
            for line in _aligned(fact, _log_lines(fact, investigation.metric.name, investigation.metric.unit)):
                click.echo(line)
        return 0


command.add_command(rerun)


def _replay(investigation: Investigation, wiring: Wiring) -> int:
    """Say whether the facts give the job's steps and verdict again; the exit code."""
    job = investigation.job
    found = replay(job, investigation.request, wiring.store.facts(job))
    for planned in found.differing:
        version = "" if planned.planner == PLANNER else f" (planned by version {planned.planner}, now {PLANNER})"
        click.echo(f"step {planned.number} comes out otherwise{version}: {_step(planned)}: {planned.step.reason}")
    steps = count(found.steps, "step")
    if found.recorded is None:
        click.echo(f"{steps} decided again; the job has no verdict yet")
    else:
        click.echo(f"recorded   {one_line(str(sentence_of(investigation)), 400)}")
        again = replace(investigation, verdict=found.decided)
        told = one_line(str(sentence_of(again)), 400) if found.decided is not None else "no verdict"
        click.echo(f"replayed   {told}")
    same = f"{steps} and the verdict are the same" if found.recorded is not None else f"{steps} are the same"
    click.echo(same if found.same else "the replay differs")
    return 0 if found.same else 1


def _listed(rows: Sequence[JobRow], wiring: Wiring) -> Iterator[str]:
    """Columns of what is short, and under each job its answer, which is a sentence and finds no room in a column."""
    headings = ("job", "state", "started", "scenario", "range")
    table = [headings, *(tuple(one_line(cell, 80) for cell in _cells(row, wiring)) for row in rows)]
    widths = [max(columns(cell) for cell in column) for column in zip(*table, strict=True)]
    across = shutil.get_terminal_size().columns
    for number, cells in enumerate(table):
        padded = (f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()
        answer = one_line(rows[number - 1].sentence, 400) if number else ""
        yield from wrapped(answer, across, first=" " * ANSWER_INDENT, rest=" " * ANSWER_INDENT) if answer else ()


def _cells(row: JobRow, wiring: Wiring) -> tuple[str, ...]:
    request = row.request
    running = row.state is JobState.RUNNING
    state = INTERRUPTED if running and wiring.locks.working_on(row.job) is None else row.state.value
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created.timestamp()))
    asked = ((request.good_text, request.good), (request.bad_text, request.bad))
    ends = (sha[:SHORT] if text in {"", sha} else text for text, sha in asked)
    return row.job, state, local, request.scenario.name, "..".join(ends)


def _aligned(fact: Fact, lines: Sequence[str]) -> Iterator[str]:
    """Steps with their number and time in columns, and below each what came of it, further in."""
    head = f"{fact.number:4}  {seconds(fact.elapsed):>12}  " if isinstance(fact, Planned) else " " * 20
    yield from (f"{head}{one_line(line, 400)}" for line in lines)


def _log_lines(fact: Fact, metric: str, unit: str) -> list[str]:
    match fact:
        case Planned():
            return [f"{_step(fact)}: {fact.step.reason}"]
        case Sample():
            value = quantity(fact.values[metric], unit) if metric in fact.values else fact.reason
            return [f"{fact.place} {fact.purpose} run: {fact.outcome} {value}"]
        case BuildRecorded():
            how = "at hand" if fact.build.reused else f"in {seconds(fact.build.seconds)}"
            return [f"{fact.place} build: {fact.build.outcome} {how} {fact.build.reason}"]
        case HistoryListed():
            return [f"{fact.line.size} candidates"]
        case EnvironmentSeen():
            return [f"host {fact.host[:SHORT]}"]
        case _:
            return _rarer_lines(fact)


def _rarer_lines(fact: Fact) -> list[str]:
    match fact:
        case Adopted():
            places = len({sample.place for sample in fact.samples})
            samples = count(len(fact.samples), "sample")
            return [f"{samples} of {count(places, 'commit')} taken over from job {fact.job}"]
        case BranchListed():
            return [f"{count(fact.line.size, 'commit')} brought in by merge {fact.merge}"]
        case CulpritNamed():
            return [f"named {fact.culprit.place}{f' for {fact.metric}' if fact.metric else ''}"]
        case Profiled():
            return [f"{fact.place} profile by {fact.tool}: {fact.problem or count(fact.samples, 'sample')}"]
        case Concluded():
            others = [f"{each.metric}: {each.verdict.kind}: {each.verdict.explanation}" for each in fact.others]
            return [f"{fact.verdict.kind}: {fact.verdict.explanation}", *others]
        case _:
            return []


def _step(fact: Planned) -> str:
    step = fact.step
    place = getattr(step, "place", None) or getattr(step, "merge", None)
    slots = getattr(step, "slots", None)
    what = f" {place}" if place else f" {len(slots)} runs" if slots else ""
    return f"{type(step).__name__}{what}"
