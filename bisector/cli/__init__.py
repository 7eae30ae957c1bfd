"""The command line: parse, wire, run, print. With the worker and the server the only place that exits."""

import sys

from bisector.cli.main import entry


def main() -> None:
    """The console script."""
    sys.exit(entry(sys.argv[1:]))
