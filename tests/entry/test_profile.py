"""`bisector profile` and the options about profiles, on simulated worlds."""

import json
from pathlib import Path

import pytest

from tests.entry.conftest import Cli

WORLD = "candidates=16,culprit=10,effect=0.3,noise=0.01"


def test_two_commits_are_compared_and_written(cli: Cli, tmp_path: Path) -> None:
    done = cli("profile", "9", "10", "--simulate", WORLD, "--report", tmp_path / "out")
    assert done.code == 0, done.err
    assert "parse (app.py:1)" in done.out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    sides = {f"{side}.{kind}" for side in ("before", "after") for kind in ("speedscope.json", "folded.txt")}
    assert names == {*sides, "difference.html", "difference.svg"}
    assert all(str(tmp_path / "out" / name) in done.out for name in names)


def test_one_commit_is_shown_by_its_dearest_functions(cli: Cli, tmp_path: Path) -> None:
    done = cli("profile", "bad", "--simulate", WORLD, "--report", tmp_path / "out")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[2].split()[:1] == ["61.5"]
    assert "parse (app.py)" in lines[2]
    assert "render (app.py)" in lines[3]
    assert (tmp_path / "out" / "flamegraph.html").exists()


def test_nothing_is_measured_and_no_job_is_made(cli: Cli, tmp_path: Path) -> None:
    cli("profile", "9", "10", "--simulate", WORLD, "--report", tmp_path / "out")
    assert "1 " not in cli("jobs", "list").out


def test_equal_commits_do_not_differ(cli: Cli, tmp_path: Path) -> None:
    done = cli("profile", "8", "9", "--simulate", WORLD, "--report", tmp_path / "out")
    assert "do not differ by more than noise" in done.out


@pytest.mark.parametrize(("option", "suspects"), [("--profile", 1), ("--no-profile", 0)])
def test_a_bisect_profiles_when_it_is_told_to(cli: Cli, option: str, suspects: int) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, option, "--json", "-", "--no-descend")
    assert len(json.loads(done.out)["culprits"][0]["suspects"]) == suspects


def test_a_ref_that_names_nothing_is_a_usage_error(cli: Cli) -> None:
    refused = cli("profile", "nothing", "--simulate", WORLD)
    assert refused.code == 2
    assert "nothing" in refused.err.splitlines()[0]
