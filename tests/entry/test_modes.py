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


def test_a_comparison_on_a_drifting_machine_tells_the_change_by_its_pairs(cli: Cli) -> None:
    world = "candidates=2,culprit=1,effect=0.1,noise=0.002,drift=0.02"
    ends = json.loads(cli("compare", "good", "bad", "--simulate", world, "--json", "-").out)["ends"]
    assert ends["paired"]["preferred"]
    assert ends["change"] == ends["paired"]["change"]
    steady = json.loads(cli("compare", "good", "bad", "--simulate", WORLD, "--no-reuse", "--json", "-").out)["ends"]
    assert not steady["paired"]["preferred"]
    assert steady["change"] != steady["paired"]["change"]
