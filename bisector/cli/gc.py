"""`bisector gc`: remove what no job needs."""

from typing import TYPE_CHECKING

import click

from bisector.cli.session import wired
from bisector.core.model.request import RunnerName

if TYPE_CHECKING:
    from bisector.wiring import Wiring


@click.command(name="gc")
@click.option("--keep-days", type=float, help="Remove builds unused for longer.  [default: the setting, 30]")
@click.option("--keep-gigabytes", type=float, help="Remove the longest unused beyond this.  [default: the setting, 20]")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def command(keep_days: float | None, keep_gigabytes: float | None, dry_run: bool) -> int:
    """Remove builds beyond the age and size that are kept, and what killed processes left behind.

    Nothing that an unfinished job has built or measured is removed, and nothing that is not bisector's own.
    """
    with wired() as wiring:
        return _collect(wiring, keep_days, keep_gigabytes, dry_run=dry_run)


def _collect(wiring: "Wiring", keep_days: float | None, keep_gigabytes: float | None, *, dry_run: bool) -> int:
    from bisector.engine.garbage import Keeping, collect
    from bisector.report.numbers import count, size

    settings = wiring.settings
    if not dry_run:
        wiring.reap()
    keeping = Keeping(
        now=wiring.clock.now().timestamp(),
        seconds=86400 * (settings.keep_days if keep_days is None else keep_days),
        size=int((settings.keep_gigabytes if keep_gigabytes is None else keep_gigabytes) * (1 << 30)),
    )
    runners = {name: wiring.runner(name) for name in (RunnerName.LOCAL, RunnerName.DOCKER)}
    found = collect(wiring.store, runners, wiring.repository, keeping, locks=wiring.locks, dry_run=dry_run)
    verb = "would be removed" if dry_run else "removed"
    click.echo(f"builds     {count(found.builds, 'build')} {verb} ({size(found.freed)}), {found.kept} kept")
    if not dry_run:
        left_over = found.left_over + wiring.artifacts.sweep() + wiring.locks.sweep()
        click.echo(f"left over  {count(left_over, 'container')} or files of killed processes removed")
        click.echo(f"pins       of {count(found.unpinned, 'finished job')} let go in the mirrors")
    for problem in found.problems:
        click.echo(f"skipped    {problem}", err=True)
    return 0
