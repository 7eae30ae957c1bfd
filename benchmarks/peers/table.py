"""The plays as Markdown, between two marks of a page, and as JSON beside it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.peers.cases import Case
from benchmarks.peers.play import NOT_IN_TIME, Played

BEGIN, END = "<!-- plays -->", "<!-- end of plays -->"
VERDICTS = ("right", "one of", "wrong", "no answer", NOT_IN_TIME)


def write(page: Path, plays: Sequence[Played], cases: Sequence[Case]) -> None:
    """The page's part between its marks, and a JSON file of the page's name."""
    page.with_suffix(".json").write_text(json.dumps([asdict(each) for each in plays], indent=1) + "\n")
    text = page.read_text() if page.exists() else ""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{markdown(plays, cases)}\n{END}{after}")


def markdown(plays: Sequence[Played], cases: Sequence[Case]) -> str:
    """All tools together, then each case."""
    return "\n".join([*_together(plays), "", *_apart(plays, cases), "", _load(plays)])


def _together(plays: Sequence[Played]) -> Iterator[str]:
    yield "| tool | cases | right | one of several | wrong | no answer | not in time | runs | builds | s | lines |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for tool in dict.fromkeys(each.tool for each in plays):
        own = [each for each in plays if each.tool == tool]
        verdicts = [sum(each.verdict.startswith(verdict) for each in own) for verdict in VERDICTS]
        cost = [sum(each.runs for each in own), sum(each.builds for each in own)]
        seconds = f"{sum(each.seconds for each in own):,.0f}"
        yield _row(tool, len(own), *verdicts, *cost, seconds, own[0].lines)


def _apart(plays: Sequence[Played], cases: Sequence[Case]) -> Iterator[str]:
    yield "| case, range | candidates | step; the culprit | tool | answer | runs | builds | seconds |"
    yield "|---|--:|---|---|---|--:|--:|--:|"
    for case in cases:
        for number, each in enumerate(each for each in plays if each.case == case.name):
            what = (f"{case.name} `{case.good}..{case.bad}`", each.candidates, f"{case.step}; {case.history}")
            yield _row(*(("", "", "") if number else what), each.tool, _answer(each), *_cost(each))


def _answer(played: Played) -> str:
    (commit,) = played.commits if len(played.commits) == 1 else ("",)
    return f"{played.verdict} (`{commit[:8]}`)" if commit and played.verdict == "wrong" else played.verdict


def _cost(played: Played) -> tuple[object, ...]:
    return played.runs, played.builds, f"{played.seconds:.0f}"


def _load(plays: Sequence[Played]) -> str:
    loads = [each.load for each in plays]
    return f"Load of the machine when a play began: {min(loads):.1f} to {max(loads):.1f}." if loads else ""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
