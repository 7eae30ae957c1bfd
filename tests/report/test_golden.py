"""Whole documents, compared with files that a person has looked at."""

from collections.abc import Callable

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.search.outlook import outlook
from bisector.report.html import render_html
from bisector.report.json_export import render_json
from bisector.report.live import live_lines
from bisector.report.markdown import render_markdown
from bisector.report.plots import figures, standalone
from bisector.report.terminal import render_terminal
from tests.report import worlds
from tests.report.worlds import BROKEN, CREEP, MERGE, STEADY, TWICE, compared, finished, report

Golden = Callable[[str, str], None]
STORED: dict[str, Callable[[], Investigation]] = {
    "culprit": lambda: finished(MERGE),
    "culprit_set": lambda: finished(BROKEN),
    "several": lambda: finished(TWICE),
    "creep": lambda: finished(CREEP),
    "not_reproduced": lambda: finished(STEADY),
    "comparison": lambda: compared(World(candidates=1, culprit=1)),
    "half_way": lambda: worlds.stages()[60][1],
}


def state_of(name: str) -> str:
    """The state the stored job is in."""
    return "running" if name == "half_way" else "done"


@pytest.mark.parametrize("name", STORED)
def test_documents(name: str, golden: Golden) -> None:
    told = report(STORED[name](), state_of(name))
    golden(f"{name}.html", render_html(told))
    golden(f"{name}.md", render_markdown(told))
    golden(f"{name}.json", render_json(told))
    golden(f"{name}.txt", render_terminal(told, path="/state/report.html"))


@pytest.mark.parametrize("name", ["culprit", "culprit_set"])
def test_plots(name: str, golden: Golden) -> None:
    for plot in figures(report(STORED[name]())):
        golden(f"{name}-{plot.identifier}.svg", standalone(plot))


def test_live_screen(golden: Golden) -> None:
    investigation = STORED["half_way"]()
    golden("half_way.live.txt", "\n".join(live_lines(investigation, outlook(investigation), 75.0)) + "\n")


def test_the_same_job_makes_the_same_documents_again() -> None:
    request, facts = worlds.facts_of(MERGE)
    again = Investigation.replay("1", request, facts)
    assert render_html(report(again)) == render_html(report(finished(MERGE)))
