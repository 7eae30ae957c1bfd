"""`bisector sweep` on a real repository, as cron calls it."""

import time
from pathlib import Path

import pytest

from bisector.errors import UsageError
from bisector.settings import load_settings
from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

SETTINGS = """\
[[repositories]]
name = "shop"
location = "{repository}"
runner = "local"
[[sweeps]]
name = "nightly"
repository = "shop"
scenarios = ["level"]
cron = "* * * * * *"
runs = 3
"""


def test_a_night_is_measured_in_this_process_and_listed(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    Path("scenarios").mkdir()
    scenario.rename(Path("scenarios/level").absolute())
    Path("bisector.toml").write_text(SETTINGS.format(repository=repository.top))
    begun = cli("sweep", "run", "--once")
    assert begun.code == 0
    assert "the series begins with it" in begun.err
    tip = repository.commit("another", {"number.txt": "9"})
    # A tick is a second.
    time.sleep(1.1)
    measured = cli("sweep", "run", "--once")
    assert measured.code == 0
    assert f"measured {tip[:12]}, 3 runs beside 3" in measured.err
    listed = cli("sweep", "list")
    assert "shop/main/level/seconds@default" in listed.out
    assert "last night" in listed.out
    assert cli("sweep", "accept", "level", "--note", "as it should be").code == 0
    assert "acknowledged: as it should be" in cli("sweep", "list").out
    assert cli("sweep", "accept", "elsewhere").code == 2


def test_a_scenario_that_cannot_be_read_keeps_no_other_from_its_sweep(
    cli: Cli, repository: Sandbox, scenario: Path
) -> None:
    Path("scenarios").mkdir()
    scenario.rename(Path("scenarios/level").absolute())
    Path("scenarios/broken").mkdir()
    Path("scenarios/broken/scenario.toml").write_text("[run]\n")
    settings = SETTINGS.format(repository=repository.top).replace('["level"]', '["broken", "level"]')
    Path("bisector.toml").write_text(settings)
    begun = cli("sweep", "run", "--once")
    assert begun.code == 2, "what is wrong is told"
    assert "the series begins with it" in begun.err
    listed = cli("sweep", "list")
    assert listed.code == 2
    assert "shop/main/level/seconds@default" in listed.out
    assert "broken" in listed.err
    assert cli("sweep", "accept", "level").code == 0
    week = cli("weekly")
    assert week.code == 0
    assert "level" in week.out
    assert "broken" in week.out, "and of the other it says why it is not there"


def test_without_sweeps_or_a_way_to_run_the_next_thing_to_do_is_said(cli: Cli) -> None:
    assert "no sweep is configured" in cli("sweep", "list").err
    assert "either --once or --enqueue" in cli("sweep", "run").err


def test_every_mistake_of_the_settings_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BISECTOR_CONFIG", raising=False)
    text = SETTINGS.format(repository="/r").replace('"level"', '"other"').replace("* * * * * *", "nightly")
    Path("bisector.toml").write_text(text.replace("runs = 3", "runs = 300\ncrom = 1"))
    with pytest.raises(UsageError) as caught:
        load_settings()
    assert "not a cron expression: 'nightly'" in caught.value.what
    assert "sweeps.0.runs" in caught.value.what
    assert "unknown setting sweeps.0.crom; did you mean 'cron'?" in caught.value.what
    text = SETTINGS.format(repository="/r").replace('runner = "local"', 'runner = "local"\nscenarios = ["other"]')
    Path("bisector.toml").write_text(text.replace('repository = "shop"', 'repository = "shop"\nbranch = "next"'))
    with pytest.raises(UsageError) as caught:
        load_settings()
    assert "the branch 'next'" in caught.value.what
    assert "the scenario 'level'" in caught.value.what
