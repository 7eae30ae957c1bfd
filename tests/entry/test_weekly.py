"""`bisector weekly`."""

from pathlib import Path

from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox


def test_the_command_prints_markdown_or_writes_both(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    Path("scenarios").mkdir()
    scenario.rename(Path("scenarios/level").absolute())
    Path("bisector.toml").write_text(
        f'[[repositories]]\nname = "shop"\nlocation = "{repository.top}"\nrunner = "local"\n'
        '[[sweeps]]\nname = "nightly"\nrepository = "shop"\nscenarios = ["level"]\n'
    )
    assert cli("bisect", "good", "bad", "--simulate", "candidates=8,culprit=5,effect=0.2,noise=0.01").code == 0
    done = cli("weekly")
    assert done.code == 0
    assert "1 search ended: culprit found (1)." in done.out
    assert "`command line`" in done.out
    assert "`shop/main/level/seconds@default`" in done.out
    written = cli("weekly", "--report", "out")
    assert written.out == f"Week: {Path('out/weekly.html').resolve()}\n"
    assert Path("out/weekly.md").read_text() == done.out
    assert "<!DOCTYPE html>" in Path("out/weekly.html").read_text()
    assert "No search ended" in cli("weekly", "--until", "2020-01-31").out
    assert "The week to 2020-01-31" in cli("weekly", "--until", "2020-01-31").out
    assert cli("weekly", "--until", "soon").code == 2
