"""`bisector doctor --tune` and `--untune`: settings of the kernel, said before they are changed, and taken back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bisector.cli.session import wired
from bisector.errors import Cancelled

if TYPE_CHECKING:
    from bisector.wiring.tuning import Outcome, Plan

ROOT = Path("/")


def tune(*, really: bool, hold: bool, root: Path = ROOT) -> int:
    """Say what would be changed; change it if `really`, and until somebody stops us if `hold`. The exit code."""
    from bisector.wiring import tuning

    with wired() as wiring:
        kept = tuning.kept(wiring)
        _say_plan(tuning.plan(root), really=really)
        if not really:
            return 0
        if not hold:
            code = _say(tuning.tune(kept, root), "now")
            if tuning.is_tuned(kept, root):
                click.echo(f"What stood there is in {kept}. Take it back: bisector doctor --untune")
            return code
        try:
            with tuning.tuned(kept, root) as outcome:
                _say(outcome, "now")
                click.echo("Until Ctrl-C; then all of it is taken back.")
                while True:
                    wiring.stop.wait(3600.0)
        except Cancelled:
            click.echo("taken back")
        return 0


def untune(root: Path = ROOT) -> int:
    """Take back what was changed; the exit code."""
    from bisector.wiring import tuning

    with wired() as wiring:
        kept = tuning.kept(wiring)
        if not tuning.is_tuned(kept, root):
            kept.unlink(missing_ok=True)
            click.echo("Nothing is to be taken back: nothing was changed since this machine was started.")
            return 0
        return _say(tuning.untune(kept, root), "again")


def _say_plan(plan: "Plan", *, really: bool) -> None:
    for change in plan.changes if not really else ():
        click.echo(f"would change  {change.name:<15} /{change.path}: {change.before} → {change.after}")
    for name in plan.fine:
        click.echo(f"as it should  {name}")
    for name in plan.absent:
        click.echo(f"not here      {name}: this machine has no such file")
    if plan.changes and not really:
        click.echo("Change it: bisector doctor --tune --yes (back: --untune; for a while only: --hold)")


def _say(outcome: "Outcome", when: str) -> int:
    for change in outcome.done:
        value = change.after if when == "now" else change.before
        click.echo(f"{when:<13} {change.name:<15} /{change.path}: {value}")
    for change, why in outcome.left:
        click.echo(f"left          {change.name:<15} /{change.path}: {why}")
    return 1 if outcome.left else 0
