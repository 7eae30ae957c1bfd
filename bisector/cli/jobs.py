"""`bisector jobs`: list, show, watch, cancel, resume, rerun, log."""

import os
import signal
import time
from dataclasses import replace
from typing import Any

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bisector.cli.answer import show
from bisector.cli.options import OutputOptions, output_options, queue_options
from bisector.cli.progress import watching
from bisector.cli.rerun import command as rerun
from bisector.cli.session import as_it_stands, person_has, under_way, wired, work_on
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
from bisector.engine.queue import AT_TERMINAL, Cancelling, Order
from bisector.errors import JobError
from bisector.report.numbers import count, quantity, seconds
from bisector.report.sentence import SHORT, sentence_of
from bisector.report.text import one_line
from bisector.wiring import Wiring

POLL_SECONDS = 0.5
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
        table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
        for heading in ("job", "state", "started", "scenario", "range", "answer"):
            table.add_column(heading, overflow="fold" if heading == "answer" else "ellipsis")
        for row in rows if everything else rows[:20]:
            table.add_row(*(one_line(cell, 400) for cell in _cells(row, wiring)))
        if not rows:
            click.echo("There are no jobs yet.")
            return
        console = Console(highlight=False, markup=False)
        console.print(table)
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
    """Follow a job that waits or that another process works on, until it ends."""
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
                if not under_way(job, wiring):
                    break
                wiring.stop.wait(POLL_SECONDS)
        return show(as_it_stands(job, wiring), wiring, OutputOptions(json=None, events=None, report=None))


@command.command(name="cancel")
@click.argument("job")
def cancel(job: str) -> None:
    """Stop a job in order; what it has measured is kept, and it can be resumed."""
    with wired() as wiring:
        wiring.reap()
        found = wiring.queue.cancel(job)
        owner = wiring.locks.working_on(job)
        if found is Cancelling.ASKED and owner is not None and person_has(job, wiring):
            # The wish is looked for every second; the signal ends the step of a command at once. A worker goes on.
            os.kill(owner, signal.SIGTERM)
        told = "cancelled" if found is Cancelling.AT_ONCE else "being stopped"
        click.echo(f"job {job} is {told}; go on with: bisector jobs resume {job}")


@command.command(name="resume")
@click.argument("job")
@output_options
@queue_options
def resume(job: str, **options: Any) -> int:
    """Go on with a job that was stopped, paused or killed; at most the run in flight is repeated."""
    with wired() as wiring:
        row = wiring.store.job(job)
        if row.state is JobState.DONE:
            raise JobError(f"job {job} is done", then=f"See it with `bisector jobs show {job}`")
        output = OutputOptions.of(options)
        if output.detach:
            wiring.reap()
            wiring.queue.put_back(job, Order(host_class=output.host_class, asked_by=AT_TERMINAL))
            click.echo(f"job {job} waits for a worker", err=True)
            return 0
        return work_on(job, wiring, wiring.for_request(row.request), output)


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
            for line in _log_lines(fact, investigation.metric.name, investigation.metric.unit):
                click.echo(one_line(line, 400) if not line.startswith("  ") else f"  {one_line(line, 400)}")
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


def _cells(row: JobRow, wiring: Wiring) -> tuple[str, ...]:
    request = row.request
    running = row.state is JobState.RUNNING
    state = INTERRUPTED if running and not under_way(row.job, wiring) else row.state.value
    local = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.created.timestamp()))
    ends = tuple(
        text or sha[:SHORT] for text, sha in ((request.good_text, request.good), (request.bad_text, request.bad))
    )
    return row.job, state, local, request.scenario.name, "..".join(ends), row.sentence or "–"


def _log_lines(fact: Fact, metric: str, unit: str) -> list[str]:
    match fact:
        case Planned():
            return [f"{fact.number:4}  {seconds(fact.elapsed):>9}  {_step(fact)}: {fact.step.reason}"]
        case Sample():
            value = quantity(fact.values[metric], unit) if metric in fact.values else fact.reason
            return [f"  {fact.place} {fact.purpose} run: {fact.outcome} {value}"]
        case BuildRecorded():
            how = "at hand" if fact.build.reused else f"in {seconds(fact.build.seconds)}"
            return [f"  {fact.place} build: {fact.build.outcome} {how} {fact.build.reason}"]
        case HistoryListed():
            return [f"  {fact.line.size} candidates"]
        case EnvironmentSeen():
            return [f"  host {fact.host[:SHORT]}"]
        case _:
            return _rarer_lines(fact)


def _rarer_lines(fact: Fact) -> list[str]:
    match fact:
        case Adopted():
            places = len({sample.place for sample in fact.samples})
            samples = count(len(fact.samples), "sample")
            return [f"  {samples} of {count(places, 'commit')} taken over from job {fact.job}"]
        case BranchListed():
            return [f"  {count(fact.line.size, 'commit')} brought in by merge {fact.merge}"]
        case CulpritNamed():
            return [f"  named {fact.culprit.place}{f' for {fact.metric}' if fact.metric else ''}"]
        case Profiled():
            return [f"  {fact.place} profile by {fact.tool}: {fact.problem or count(fact.samples, 'sample')}"]
        case Concluded():
            others = [f"  {each.metric}: {each.verdict.kind}: {each.verdict.explanation}" for each in fact.others]
            return [f"  {fact.verdict.kind}: {fact.verdict.explanation}", *others]
        case _:
            return []


def _step(fact: Planned) -> str:
    step = fact.step
    place = getattr(step, "place", None) or getattr(step, "merge", None)
    slots = getattr(step, "slots", None)
    what = f" {place}" if place else f" {len(slots)} runs" if slots else ""
    return f"{type(step).__name__}{what}"
