"""`bisector gc`: remove what no job needs."""

import click

from bisector.cli.session import wired
from bisector.report.numbers import count, size
from bisector.wiring import Wiring, collect_garbage


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


def _collect(wiring: Wiring, keep_days: float | None, keep_gigabytes: float | None, *, dry_run: bool) -> int:
    settings = wiring.settings
    days = settings.keep_days if keep_days is None else keep_days
    gigabytes = settings.keep_gigabytes if keep_gigabytes is None else keep_gigabytes
    found = collect_garbage(wiring, 86400 * days, int(gigabytes * (1 << 30)), dry_run=dry_run)
    verb = "would be removed" if dry_run else "removed"
    click.echo(f"builds     {count(found.builds, 'build')} {verb} ({size(found.freed)}), {found.kept} kept")
    click.echo(f"left over  {count(found.left_over, 'container')} of killed processes {verb}")
    click.echo(f"pins       {count(found.unpinned, 'finished job')} let go of in the mirrors" if not dry_run else "")
    for problem in found.problems:
        click.echo(f"not done   {problem}", err=True)
    return 0
