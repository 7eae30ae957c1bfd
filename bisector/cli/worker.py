"""`bisector worker`: takes jobs from the queue until it is asked to end."""

import click


@click.command(name="worker")
def command() -> int:
    """Take jobs from the queue and work on them, one at a time, until asked to end.

    Asked to end (Ctrl-C, SIGTERM) it finishes the step in hand if that is done within `drain_seconds`, and gives the
    job back; asked again it gives it back at once. Nothing that was measured is lost either way.
    """
    # Imported here: help and mistyped options are answered without what only the work needs.
    from bisector.cli.working import run_worker

    run_worker()
    return 0
