"""`bisector doctor --profilers`: a table of what really works, and the documentation that holds it."""

import json
from pathlib import Path

import pytest

from bisector.cli import profilers
from bisector.cli.profilers import RUNNERS, TOOLS, marks, put_into, table
from bisector.core.model.request import RunnerName
from bisector.errors import UsageError
from tests.entry.conftest import Cli

DOCUMENT = Path(__file__).parents[2] / "docs" / "profiling.md"
NOTHING = {runner: dict.fromkeys(TOOLS, "no") for runner in RUNNERS}


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of a Markdown table."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")]


def test_a_reason_is_text_in_the_table() -> None:
    found = {RunnerName.LOCAL: {"perf": "a|b <b> `c`"}, RunnerName.DOCKER: {"py-spy": "works: 3 samples in 1 run"}}
    told = rows(table(found))
    assert told[2] == ["py-spy", "not tried: what it needs failed before", "works: 3 samples in 1 run"]
    assert told[4][1] == r"a\|b \<b> \`c\`"
    assert len(told) == 2 + len(TOOLS)


def test_the_table_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    first, last = marks()
    path.write_text(f"before\n\n{first}\nold\n{last}\n\nafter\n")
    for _ in range(2):
        put_into(path, ["new"])
        assert path.read_text() == f"before\n\n{first}\n\nnew\n\n{last}\n\nafter\n"


def test_a_document_without_marks_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("text\n")
    with pytest.raises(UsageError, match="there are no lines"):
        put_into(path, ["new"])
    assert path.read_text() == "text\n"


def test_into_is_for_the_table(cli: Cli, tmp_path: Path) -> None:
    refused = cli("doctor", "--into", tmp_path / "x.md")
    assert refused.code == 2
    assert "--into is for the table of --profilers" in refused.err


def test_the_documentation_holds_what_the_command_writes() -> None:
    """Its head and its rows are those of the command, and each cell says that it works or why it does not."""
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition("<!-- bisector doctor --profilers: root -->")
    block, ended, _ = rest.partition("<!-- end of root -->")
    assert ended
    told, expected = rows(block.splitlines()), rows(table(NOTHING))
    assert told[:2] == expected[:2]
    assert [row[0] for row in told] == [row[0] for row in expected]
    assert all(cell for row in told[2:] for cell in row)
    assert "Tried as root, " in block


@pytest.mark.long
def test_every_profiler_is_really_tried(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profilers, "RUNNERS", {RunnerName.LOCAL: "this machine"})
    done = cli("doctor", "--profilers")
    assert done.code == 0, done.err
    told = {row[0]: row[1] for row in rows(done.out.splitlines())[2:]}
    assert list(told) == list(TOOLS.values())
    for name in ("pyinstrument", "tracemalloc", TOOLS["counts"], TOOLS["allocations"]):
        assert told[name].startswith("works: "), told


@pytest.mark.docker
def test_findings_for_people_and_for_programs(cli: Cli) -> None:
    told = cli("doctor", "--json")
    document = json.loads(told.out)
    findings = {found["subject"]: found for found in document["findings"]}
    assert document["schema"] == 1
    wanted = "processors|frequency|turbo|threads|address layout|load|clock|state directory|git|database|schema|SQLite"
    assert set(wanted.split("|")) | {"queue", "workers", "Docker", "engine", "engine directory"} <= set(findings)
    assert {"subject", "judgement", "seen", "advice"} == set(findings["git"])
    assert told.code == any(found["judgement"] == "problem" for found in findings.values())
    assert all(found["advice"] for found in findings.values() if found["judgement"] != "fine")


def test_a_database_that_cannot_be_used_is_a_problem_and_the_rest_is_looked_at(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "bisector.sqlite3").write_bytes(b"not a database" * 1000)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    told = cli("doctor")
    assert told.code == 1
    assert "✗ database" in told.out
    assert "! Docker" in told.out
    assert "profilers here" in told.out
