"""Whether several runs at the same moment can be had here."""

from bisector.cli.options import MeasureOptions, SearchOptions
from bisector.core.model.request import Across
from bisector.core.model.scenario import Scenario
from bisector.engine.ports import Runner
from bisector.errors import UsageError
from bisector.report.numbers import count


def check_lanes(runner: Runner, scenario: Scenario, measure: MeasureOptions, search: SearchOptions) -> None:
    """UsageError where the host has too few processors for what was asked, or where what is compared is not one run."""
    if not measure.duet and measure.parallel == 1:
        return
    if measure.duet and measure.parallel > 1:
        raise UsageError(
            "--duet and --parallel exclude each other",
            then="A duet is two runs at once, read in pairs; leave one of the two out",
        )
    name = "--duet" if measure.duet else "--parallel"
    if search.across_runs != Across.MEDIAN:
        raise UsageError(
            f"{name} and --across-runs {search.across_runs} exclude each other",
            then="A value of several runs belongs to no one moment; leave one of the two out",
        )
    wanted = 2 if measure.duet else measure.parallel
    have, want = runner.processors(), wanted * scenario.run.cpus
    if have == 0:
        raise UsageError(
            f"{name}: this engine cannot tie containers to processors of their own",
            then=f"Leave {name} out: the runs are then made in turns",
        )
    if have < want:
        runs = "two runs" if measure.duet else count(wanted, "run")
        raise UsageError(
            f"{name} takes {want} processors for {runs} of {scenario.run.cpus}, and this host has {have}",
            then=f"Leave {name} out: the runs are then made in turns. Or lower `cpus` in the scenario",
        )
