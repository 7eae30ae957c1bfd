"""The result for programs: exactly what its schema says, for every kind of job."""

import json
import math
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.history import main
from bisector.core.model.samples import Purpose
from bisector.core.model.verdict import Change
from bisector.report.attached import Artifact
from bisector.report.json_export import render_json, result_of, result_schema
from tests.report import worlds
from tests.report.worlds import report

KINDS = worlds.by_verdict()
CONTRACT = [
    *("schema", "kind", "job", "verdict", "reason", "sentence", "repository", "good", "bad", "candidates", "scenario"),
    *("runner", "metric", "ends", "culprits", "opposite", "others", "untestable", "patches", "cost", "environment"),
    *("reproduce", "artifacts", "trial", "still_at_head", "head", "packages", "rebuilt", "parts", "counted"),
]


def check(result: dict[str, Any]) -> None:
    """Raise unless `result` is what the schema says."""
    jsonschema.Draft202012Validator(result_schema()).validate(result)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(result_schema())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_job_keeps_to_the_schema(kind: str) -> None:
    text = render_json(report(KINDS[kind]))
    result = json.loads(text)
    check(result)
    assert list(result) == CONTRACT
    assert text.isascii()


def test_every_stage_of_a_job_keeps_to_the_schema() -> None:
    for state, investigation in worlds.stages():
        result = result_of(report(investigation, state))
        check(result)
        assert (result["verdict"] is None) == (investigation.verdict is None)


@pytest.mark.parametrize("case", ["far apart", "all equal", "zero", "negative", "tiny", "huge"])
def test_odd_values_keep_to_the_schema(case: str) -> None:
    values = {"far apart": [1e-9, 1e9], "all equal": [2.0], "zero": [0.0], "negative": [-1.0, -2.0]}
    values |= {"tiny": [1e-300, 2e-300], "huge": [1e300, 2e300]}
    check(json.loads(render_json(report(worlds.with_values(values[case]), "running"))))


def test_a_number_that_is_none_is_null() -> None:
    done = KINDS["culprit"]
    assert done.verdict is not None
    wild = replace(done.verdict, change=Change(relative=math.inf, low=-math.inf, high=math.nan))
    result = json.loads(render_json(report(worlds.concluded(done, wild))))
    check(result)
    assert result["ends"]["change"] == {"relative": None, "low": None, "high": None}


def test_what_stands_where() -> None:
    result = result_of(report(KINDS["culprit"]))
    (culprit,) = result["culprits"]
    done = KINDS["culprit"]
    assert culprit["commit"] == done.line.commit(40).sha
    assert culprit["parent"] == done.line.commit(39).sha
    assert culprit["date"] == "2023-11-16T14:13:20Z"
    assert culprit["inner"]["set"] == [culprit["inner"]["commit"]]
    assert result["ends"]["good"]["n"] == sum(
        1 for each in done.samples if each.place == main(0) and each.values and each.purpose is not Purpose.WARMUP
    )
    assert [each["outcome"] for each in result["untestable"]] == ["build_failed", "build_failed"]
    assert result["candidates"] == 64


def test_a_set_names_all_of_its_commits() -> None:
    (culprit,) = result_of(report(KINDS["culprit_set untestable"]))["culprits"]
    line = KINDS["culprit_set untestable"].line
    assert culprit["set"] == [line.commit(index).sha for index in (37, 38, 39)]
    assert culprit["commit"] in culprit["set"]


def test_artifacts() -> None:
    files = (
        Artifact(kind="report", path="report.html", sha256="a" * 64),
        Artifact(kind="build_log", path="x", side="bad"),
    )
    result = result_of(replace(report(KINDS["culprit"]), artifacts=files))
    check(result)
    assert [each["side"] for each in result["artifacts"]] == [None, "bad"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("schema", 2), ("verdict", "guilty"), ("good", "main"), ("extra", 1), ("cost", {}), ("candidates", -1)],
)
def test_the_schema_refuses(key: str, value: object) -> None:
    result = result_of(report(KINDS["culprit"]))
    with pytest.raises(jsonschema.ValidationError):
        check({**result, key: value})


def test_a_comparison_and_a_verification_tell_their_pairs() -> None:
    compared = result_of(report(worlds.compared(World(candidates=2, culprit=1))))
    check(compared)
    pairs = compared["ends"]["paired"]
    assert pairs["pairs"] == min(compared["ends"][end]["n"] for end in ("good", "bad"))
    assert pairs["change"]["low"] <= pairs["change"]["relative"] <= pairs["change"]["high"]
    assert pairs["signed_rank"] < 0.05
    found = result_of(report(KINDS["culprit"]))
    verified = found["culprits"][0]["paired"]
    assert verified["pairs"] >= 3
    assert verified["change"]["low"] <= 0.1 <= verified["change"]["high"]
