"""`--across-runs` on the command line, and the note where the level holds but the spread does not."""

import json

from tests.entry.conftest import Cli

WIDER = "candidates=32,culprit=21,effect=0,noise=0.02,spread=5"
"""The culprit makes the runs five times as uneven and leaves their level alone."""


def test_a_change_of_the_spread_is_found_where_it_is_asked_for(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WIDER, "--across-runs", "iqr", "--json", "-")
    result = json.loads(done.out)
    assert done.code == 0
    assert result["culprits"][0]["subject"] == "Change 21"
    assert "made iqr of seconds worse" in result["sentence"]
    assert "--across-runs iqr" in result["reproduce"]
    assert result["metric"]["min_effect"] == 0.5
    assert "Each value is the iqr of 10 runs in a row of one build." in done.err


def test_a_change_of_a_tail_is_found(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WIDER, "--across-runs", "p95", "--json", "-")
    result = json.loads(done.out)
    assert result["culprits"][0]["subject"] == "Change 21"
    assert "made p95 of seconds worse" in result["sentence"]


def test_a_level_is_found_by_another_statistic_too(cli: Cli) -> None:
    world = "candidates=16,culprit=7,effect=0.1,noise=0.01"
    done = cli("bisect", "good", "bad", "--simulate", world, "--across-runs", "mean", "--json", "-")
    assert json.loads(done.out)["culprits"][0]["subject"] == "Change 7"


def test_the_level_holds_but_the_spread_does_not_and_that_is_said(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WIDER)
    assert done.code == 1
    assert "The spread of seconds at bad is" in done.out
    assert "though its level holds: --across-runs iqr" in done.out.replace("\n      ", " ")


def test_an_even_spread_is_not_talked_about(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", "candidates=32,noise=0.02")
    assert "spread of seconds" not in done.out


def test_a_budget_is_kept_to_the_run(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WIDER, "--across-runs", "iqr", "--max-runs", "95", "--json", "-")
    assert json.loads(done.out)["cost"]["runs"] <= 95


MODES = "candidates=32,culprit=21,effect=0,noise=0.02,mode=0.3"
"""From the culprit on three runs of ten are slower by a third; the median hardly moves."""


def test_the_level_holds_but_there_is_a_second_mode_and_that_is_said(cli: Cli) -> None:
    done = [
        cli("bisect", "good", "bad", "--simulate", MODES, "--min-effect", "1%", "--seed", str(seed)) for seed in (1, 3)
    ]
    told = [" ".join(each.out.split()) for each in done]
    assert any("seconds has two modes at bad, not at good, though its level holds" in each for each in told)


def test_a_second_mode_is_found_where_the_tail_is_asked_for(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", MODES, "--across-runs", "p90", "--json", "-")
    assert json.loads(done.out)["culprits"][0]["subject"] == "Change 21"


def test_too_few_runs_to_be_sure_of_the_spread_are_told_where_they_look_uneven(cli: Cli) -> None:
    world = "candidates=32,culprit=21,effect=0,noise=0.01,mode=0.2"
    done = [cli("bisect", "good", "bad", "--simulate", world, "--seed", str(seed)).out for seed in (1, 4, 5)]
    assert any("seconds looks less even at bad, but" in " ".join(each.split()) for each in done)
