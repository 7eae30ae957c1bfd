"""The measuring modes on the command line."""

import json
import re

import pytest

from tests.entry.conftest import Cli

WORLD = "candidates=32,culprit=21,effect=0.1,noise=0.02"


def test_a_bracket_is_asked_for_recorded_and_asked_for_again(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--bracket", "always", "--json", "-")
    result = json.loads(done.out)
    assert (done.code, result["culprits"][0]["subject"]) == (0, "Change 21")
    assert "--bracket always" in result["reproduce"]
    plain = json.loads(cli("bisect", "good", "bad", "--simulate", WORLD, "--no-reuse", "--json", "-").out)
    assert "--bracket" not in plain["reproduce"]
    assert re.search(r"Run .*, beside it 0 ×", cli("jobs", "log", "1").out)


def test_a_comparison_on_a_drifting_machine_tells_the_change_by_its_pairs(cli: Cli) -> None:
    world = "candidates=2,culprit=1,effect=0.1,noise=0.002,drift=0.02"
    ends = json.loads(cli("compare", "good", "bad", "--simulate", world, "--json", "-").out)["ends"]
    assert ends["paired"]["preferred"]
    assert ends["change"] == ends["paired"]["change"]
    steady = json.loads(cli("compare", "good", "bad", "--simulate", WORLD, "--no-reuse", "--json", "-").out)["ends"]
    assert not steady["paired"]["preferred"]
    assert steady["change"] != steady["paired"]["change"]


LOUD = "candidates=32,culprit=21,effect=0.08,noise=0.01,shared=0.1"


def test_a_duet_is_asked_for_told_and_asked_for_again(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", LOUD, "--duet", "--json", "-")
    result = json.loads(done.out)
    assert (done.code, result["culprits"][0]["subject"]) == (0, "Change 21")
    assert "--duet" in result["reproduce"]
    assert result["ends"]["paired"]["preferred"]
    assert "at the same moment" in done.err
    compared = json.loads(cli("compare", "good", "bad", "--simulate", LOUD, "--duet", "--json", "-").out)
    assert compared["ends"]["paired"]["preferred"]
    assert compared["ends"]["change"]["low"] < 0.08 < compared["ends"]["change"]["high"]


def test_too_few_processors_for_a_duet_are_said_plainly(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", f"{LOUD},cores=1", "--duet")
    assert done.code == 2
    assert "--duet takes 2 processors for two runs of 1, and this host has 1" in done.err
    assert cli("jobs", "list").out.count("good") == 0
    untied = cli("compare", "good", "bad", "--simulate", f"{LOUD},cores=0", "--duet")
    assert (untied.code, "cannot tie" in untied.err) == (2, True)


@pytest.mark.parametrize("command", ["calibrate", "profile"])
def test_what_measures_no_two_commits_has_no_duets(cli: Cli, command: str) -> None:
    done = cli(command, "good", "--simulate", LOUD, "--duet")
    assert done.code == 2
    assert "--duet" in done.err


def test_a_duet_compares_single_runs_only(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", LOUD, "--duet", "--across-runs", "p95")
    assert done.code == 2
    assert "--duet and --across-runs p95 exclude each other" in done.err


PLENTY = "candidates=64,culprit=21,effect=0.08,noise=0.02,cores=8"


def test_several_runs_at_once_are_asked_for_told_and_asked_for_again(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", PLENTY, "--parallel", "4", "--json", "-")
    result = json.loads(done.out)
    assert (done.code, result["culprits"][0]["subject"]) == (0, "Change 21")
    assert "--parallel 4" in result["reproduce"]
    assert "4 runs at a time" in done.err
    compared = cli("compare", "good", "bad", "--simulate", PLENTY, "--parallel", "2", "--json", "-")
    assert "--parallel 2" in json.loads(compared.out)["reproduce"]
    assert cli("bisect", "good", "bad", "--simulate", PLENTY, "--parallel", "4", "--dry-run").code == 0


def test_too_few_processors_for_runs_at_once_are_said_plainly(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", f"{PLENTY},cores=3", "--parallel", "4")
    assert done.code == 2
    assert "--parallel takes 4 processors for 4 runs of 1, and this host has 3" in done.err
    untied = cli("bisect", "good", "bad", "--simulate", f"{PLENTY},cores=0", "--parallel", "2")
    assert (untied.code, "cannot tie" in untied.err) == (2, True)


@pytest.mark.parametrize("other", [("--duet",), ("--across-runs", "p95")])
def test_runs_at_once_and_other_ways_of_reading_several_exclude_each_other(cli: Cli, other: tuple[str, ...]) -> None:
    done = cli("bisect", "good", "bad", "--simulate", PLENTY, "--parallel", "4", *other)
    assert done.code == 2
    assert "exclude each other" in done.err
