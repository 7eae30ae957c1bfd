"""The measuring modes on the command line."""

import json

from tests.entry.conftest import Cli

WORLD = "candidates=32,culprit=21,effect=0.1,noise=0.02"


def test_a_bracket_is_asked_for_recorded_and_asked_for_again(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--bracket", "always", "--json", "-")
    result = json.loads(done.out)
    assert (done.code, result["culprits"][0]["subject"]) == (0, "Change 21")
    assert "--bracket always" in result["reproduce"]
    plain = json.loads(cli("bisect", "good", "bad", "--simulate", WORLD, "--no-reuse", "--json", "-").out)
    assert "--bracket" not in plain["reproduce"]
    assert "reference run" in cli("jobs", "log", "1").out
