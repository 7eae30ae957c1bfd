"""`--suspect` and `--no-prior` on the command line."""

import json

from tests.entry.conftest import Cli

WORLD = "candidates=32,culprit=21,effect=0.1,noise=0.01,docs=20/21/22"


def test_what_is_suspected_is_told_and_can_be_asked_again(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--suspect", "21", "--json", "-")
    result = json.loads(done.out)
    assert result["culprits"][0]["subject"] == "Change 21"
    assert "--suspect 21" in result["reproduce"]
    assert "Commits that touch 21 were suspected first." in done.err
    assert "3 candidates that seem to change only documentation" in done.err


def test_the_prior_can_be_switched_off(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--no-prior", "--json", "-")
    result = json.loads(done.out)
    assert result["culprits"][0]["subject"] == "Change 21"
    assert "--no-prior" in result["reproduce"]
    assert "suspected last" not in done.err
