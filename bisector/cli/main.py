"""The command group. Each command is imported when it is called: `bisector --help` must stay quick."""

import importlib
import sys
from collections.abc import Sequence

import click

from bisector import __version__
from bisector.cli.faults import disk_fault
from bisector.errors import BisectorError

COMMANDS = {
    "bisect": ("bisector.cli.bisect", "Find the merge that made the difference."),
    "compare": ("bisector.cli.compare", "Measure two commits against each other, without a search."),
    "check": ("bisector.cli.check", "Pass or fail for a pipeline: against a commit, an accepted level or limits."),
    "verify": ("bisector.cli.verify", "Does reverting a commit on top of bad give the change back?"),
    "try": ("bisector.cli.attempt", "Does a patch on top of bad restore good's level, for the question of a job?"),
    "profile": ("bisector.cli.profile", "Where a commit spends its time, or what another one spends more."),
    "diff": ("bisector.cli.diff", "The difference of two profile files of any tool."),
    "scenario": ("bisector.cli.scenario", "Make, check, run and list scenarios."),
    "calibrate": ("bisector.cli.calibrate", "How noisy is this scenario here, and what can be seen?"),
    "jobs": ("bisector.cli.jobs", "List, show, watch, cancel, resume and rerun jobs."),
    "sweep": ("bisector.cli.sweep", "Measure night after night, and search where the level moves."),
    "serve": ("bisector.server.command", "Take orders and alerts over HTTP, and show what comes of them."),
    "worker": ("bisector.cli.worker", "Take jobs from the queue and work on them."),
    "report": ("bisector.cli.report", "Write a job's report again."),
    "weekly": ("bisector.cli.weekly", "What the week brought: trends, movers, open regressions, lead time."),
    "export": ("bisector.cli.export", "Jobs, culprits, samples, builds and series as CSV or Parquet."),
    "reproduce": ("bisector.cli.reproduce", "Measure an evidence bundle again: does this host agree?"),
    "doctor": ("bisector.cli.doctor", "Check this machine and say what to do about each finding."),
    "gc": ("bisector.cli.gc", "Remove builds, containers and mirrors that no job needs."),
    "db": ("bisector.cli.db", "Check or upgrade the database."),
    "demo": ("bisector.cli.demo", "Bisect a made-up regression, from nothing to a report."),
}


class _Lazy(click.Group):
    """Knows its commands by name and help line; imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]} has no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bisector")
def command() -> None:
    """From a good commit, a bad commit and a way to measure to the merge that made the difference.

    \b
    bisector bisect v1.0 main -- python bench.py          the run's own time, or what it prints
    bisector bisect v1.0 main --scenario parse-big        a scenario with its build and metrics
    bisector compare main .                               what do my uncommitted changes do?
    """


def entry(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code. Every error of ours ends here, as one message."""
    try:
        code = command.main(list(arguments), prog_name="bisector", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except BisectorError as error:
        return report_error(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        fault = disk_fault(error)
        if fault is None:
            raise
        return report_error(fault)


def report_error(error: BisectorError) -> int:
    """Print one message for `error`; its exit code."""
    from bisector.report.text import harmless

    message = "\n".join(harmless(line) for line in str(error).splitlines())
    click.echo(f"bisector: {message}", err=True)
    return error.exit_code
