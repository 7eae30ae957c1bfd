"""What a person typed, and what the job then holds."""

import os
from pathlib import Path

import pytest

from tests.entry.conftest import Cli


@pytest.mark.parametrize("made", ["nothing", "a directory", "a scenario"])
def test_a_scenario_is_named_as_it_was_found(cli: Cli, tmp_path: Path, made: str) -> None:
    """A directory that merely has a scenario's name is not that scenario; the command that reproduces knows it."""
    repository = tmp_path / "repository"
    assert cli("demo", "--only-repository", "--in", str(repository)).code == 0
    here = Path(os.getcwd()) / "python-cpu"
    if made != "nothing":
        here.mkdir()
    if made == "a scenario":
        (here / "scenario.toml").write_text('name = "x"\n[run]\ncommand = ["true"]\n')
    asked = ["v1.0", "main", "--repo", str(repository), "--runner", "local"]
    done = cli("bisect", *asked, "--scenario", "python-cpu", "--detach")
    assert done.code == 0, done.err
    expected = str(here) if made == "a scenario" else "python-cpu"
    assert f"--scenario {expected} " in cli("jobs", "show", "1").out
