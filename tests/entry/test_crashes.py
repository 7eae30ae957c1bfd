"""`--crash-is-bad` on the command line."""

import json

import jsonschema

from bisector.report.json_export import result_schema
from tests.entry.conftest import Cli

WORLD = "candidates=32,crash=20-32"


def test_a_crash_is_searched_for_when_it_is_bad(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--crash-is-bad", "--json", "-")
    result = json.loads(done.out)
    jsonschema.validate(result, result_schema())
    assert done.code == 0
    assert result["culprits"][0]["subject"] == "Merge branch 'topic-20'"
    assert result["culprits"][0]["inner"]["commit"] is not None
    assert "made the run fail" in result["sentence"]
    assert "--crash-is-bad" in result["reproduce"]


def test_else_the_nearest_commit_that_runs_stands_for_bad(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD)
    assert done.code == 1
    assert "stands for bad" in done.out
