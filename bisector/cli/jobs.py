"""`bisector jobs`: list, show, watch, cancel, resume, rerun, log."""

from typing import Any

import click

from bisector.cli.options import OutputOptions, output_options, queue_options
from bisector.cli.rerun import command as rerun
from bisector.cli.session import as_it_stands, under_way, wired, work_on
from bisector.engine.job import JobState
from bisector.errors import JobError

POLL_SECONDS = 0.5
MOST_LISTED = 20


@click.group(name="jobs")
def command() -> None:
    """List, show, watch, cancel, resume and rerun jobs."""


@command.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Every job, not the last 20.")
def list_jobs(everything: bool) -> None:
    """List jobs, the newest first."""
    from bisector.cli.joblist import print_table

    with wired() as wiring:
        rows = wiring.store.jobs()
        if not rows:
            click.echo("There are no jobs yet.")
            return
        print_table(rows if everything else rows[:MOST_LISTED], wiring)
        if len(rows) > MOST_LISTED and not everything:
            click.echo(f"{len(rows) - MOST_LISTED} more: bisector jobs list --all")


@command.command(name="show")
@click.argument("job")
@output_options
def show_job(job: str, **output: Any) -> int:
    """Show a job as it stands, finished or not."""
    from bisector.cli.answer import show

    with wired() as wiring:
        return show(as_it_stands(job, wiring), wiring, OutputOptions(**output))


@command.command(name="watch")
@click.argument("job")
def watch(job: str) -> int:
    """Follow a job that waits or that another process works on, until it ends."""
    from bisector.cli.answer import show
    from bisector.cli.progress import watching

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
    from bisector.engine.queue import Cancelling

    with wired() as wiring:
        wiring.reap()
        # Whoever has it looks for the wish every second, in the middle of a step as well.
        told = "cancelled" if wiring.queue.cancel(job) is Cancelling.AT_ONCE else "being stopped"
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
            from bisector.engine.queue import AT_TERMINAL, Order

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
    from bisector.cli.joblog import print_log, print_replay

    with wired() as wiring:
        investigation = as_it_stands(job, wiring)
        if decide_again:
            return print_replay(investigation, wiring)
        print_log(investigation, wiring)
        return 0


command.add_command(rerun)
