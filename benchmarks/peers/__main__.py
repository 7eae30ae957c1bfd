"""bisector beside git bisect, asv and git-bayesect, on regressions of public projects.

    python -m benchmarks.peers --clones DIR [--case NAME …] [--tool RECIPE …] [--work DIR] [--limit SECONDS]

DIR holds the projects' clones: jinja, marshmallow, dateutil, mistune and packaging. Each tool works on a clone of its
own, runs the same benchmark in fresh processes, has the same time, and what its user had to write is in `recipes/`.
git, hyperfine and awk have to be there; asv and git-bayesect are installed below the work directory. Each play is
kept there: the same command goes on where it stood, and `--again` plays anew. The tables go to docs/peers.md, and
docs/peers.json.
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.peers.cases import CASES, Case
from benchmarks.peers.play import Played, judged, play
from benchmarks.peers.table import write
from benchmarks.peers.tools import TOOLS
from benchmarks.peers.workshop import ROOT, open_workshop

LIMIT_SECONDS = 360.0


def main() -> None:
    """Play what was not played yet, write the tables after each."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # what a play started is ended with it
    cases = [case for case in CASES if not options.case or case.name in options.case]
    if missing := sorted({case.clone for case in cases if not (options.clones / case.clone).exists()}):
        sys.exit(f"Not in {options.clones}: {', '.join(missing)}")
    work = (options.work or options.clones / "peers").resolve()
    for played in _plays(options, work, cases):
        print(f"{played.case}, {played.tool}: {played.verdict}, {played.runs} runs, {played.seconds:.0f} s", flush=True)
        write(options.page, _kept(work), CASES)
    write(options.page, _kept(work), CASES)


def _plays(options: argparse.Namespace, work: Path, cases: Sequence[Case]) -> Iterator[Played]:
    tools = [tool for tool in TOOLS if not options.tool or tool.recipe in options.tool]
    workshop = open_workshop(work, CASES, peers=any(tool.recipe in {"asv", "git-bayesect"} for tool in tools))
    for case in cases:
        for tool in tools:
            file = _file(work, case.name, tool.name)
            if options.again or not file.exists():
                played = play(case, tool, workshop, options.clones, options.limit)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(asdict(played)))
                yield played


def _kept(work: Path) -> list[Played]:
    files = [_file(work, case.name, tool.name) for case in CASES for tool in TOOLS]
    records = [json.loads(file.read_text()) for file in files if file.exists()]
    plays = [Played(**{**record, "commits": tuple(record["commits"])}) for record in records]
    return [judged(each, next(case for case in CASES if case.name == each.case)) for each in plays]


def _file(work: Path, case: str, tool: str) -> Path:
    return work / "plays" / f"{case}, {tool}.json"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", type=Path, required=True)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--tool", action="append", choices=sorted({tool.recipe for tool in TOOLS}))
    parser.add_argument("--work", type=Path, help="where plays are kept; DIR/peers when left out")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds that a tool has for a case")
    parser.add_argument("--again", action="store_true", help="also what was played already")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "peers.md")
    return parser


if __name__ == "__main__":
    main()
