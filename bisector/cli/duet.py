"""Whether two runs at the same moment can be had here."""

from bisector.cli.options import SearchOptions
from bisector.core.model.request import Across
from bisector.core.model.scenario import Scenario
from bisector.engine.ports import Runner
from bisector.errors import UsageError


def check_duet(runner: Runner, scenario: Scenario, search: SearchOptions) -> None:
    """UsageError where the host has too few processors for two runs, or where what is compared is not one run."""
    if search.across_runs != Across.MEDIAN:
        raise UsageError(
            f"--duet and --across-runs {search.across_runs} exclude each other",
            then="A value of several runs has no partner; leave one of the two out",
        )
    have, want = runner.processors(), 2 * scenario.run.cpus
    if have == 0:
        raise UsageError(
            "--duet: this engine cannot tie containers to processors of their own",
            then="Leave --duet out: the runs are then made in turns",
        )
    if have < want:
        raise UsageError(
            f"--duet takes {want} processors for two runs of {scenario.run.cpus}, and this host has {have}",
            then="Leave --duet out: the runs are then made in turns. Or lower `cpus` in the scenario",
        )
