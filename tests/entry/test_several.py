"""Several changes and a creep on the command line: sentence, JSON, exit code."""

import json

import jsonschema

from bisector.report.json_export import result_schema
from tests.entry.conftest import Cli

THREE = "candidates=64,culprit=20,effect=0.15,noise=0.01,also=35:0.2/50:-0.08"


def test_several_culprits_are_told_with_their_shares_and_what_takes_a_part_back(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", THREE, "--json", "-")
    assert done.code == 0
    result = json.loads(done.out)
    jsonschema.validate(result, result_schema())
    assert result["verdict"] == "several"
    assert [culprit["subject"] for culprit in result["culprits"]] == ["Change 35", "Merge branch 'topic-20'"]
    assert [culprit["subject"] for culprit in result["opposite"]] == ["Change 50"]
    for culprit in (*result["culprits"], *result["opposite"]):
        assert culprit["share_interval"]["low"] < culprit["share"] < culprit["share_interval"]["high"]
    assert result["opposite"][0]["share"] < 0
    assert "2 changes" in done.err
    assert "Apart from that" in done.err


def test_the_log_and_the_events_tell_when_a_culprit_was_named(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", THREE, "--events", "-")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [event["kind"] for event in events if event["event"] == "fact"].count("CulpritNamed") >= 2
    assert "a change remains beside it" in cli("jobs", "log", "1").out


def test_a_creep_is_inconclusive_and_blames_nobody(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", "candidates=64,noise=0.01,creep=0.3", "--json", "-")
    result = json.loads(done.out)
    assert (done.code, result["verdict"], result["reason"]) == (3, "inconclusive", "creep")
    assert result["culprits"] == []
    assert "No single commit made it" in result["sentence"]


def test_a_mistyped_world_is_said_to_be_one(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", "also=35-0.2")
    assert done.code == 2
    assert "also=35-0.2" in done.err
