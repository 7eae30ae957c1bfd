"""Scenario files: what they mean, and what is said of mistakes."""

import json
from pathlib import Path

import jsonschema
import pytest

from bisector.core.model.scenario import Better, Scenario
from bisector.errors import ScenarioError
from bisector.formats.scenario import parse_scenario, scenario_schema

FULL = Path(__file__).parent / "data" / "full.toml"
LEAST = b'name = "least"\n[run]\ncommand = ["true"]\n'


def parse(text: bytes) -> Scenario:
    return parse_scenario(text, where="scenario.toml")


def test_the_least_scenario_measures_wall_time() -> None:
    found = parse(LEAST)
    assert [metric.name for metric in found.metrics] == ["wall"]
    assert found.run.warmup_runs == 1
    assert found.run.network == "none"


def test_every_key_of_the_design_is_known() -> None:
    found = parse(FULL.read_bytes())
    assert found.build.image == "python:3.11-slim"
    assert found.build.env == {"SETUPTOOLS_SCM_PRETEND_VERSION": "0"}
    assert found.build.patches[0].file == "fix-import.patch"
    assert found.run.memory_bytes == 2147483648
    assert found.metrics[0].better is Better.LOWER
    assert found.profile.rate_hz == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[run", "not a TOML file"),
        (b"\xff", "not a TOML file"),
        (b'name = "x"\n', "run is missing"),
        (LEAST + b"timeout = 3\n", "unknown key run.timeout; did you mean 'timeout_is'?"),
        (b'name = "x"\ncommand = ["a"]\n[run]\ncommand = ["a"]\n', "unknown key command; it belongs in [run]"),
        (b'nome = "x"\n[run]\ncommand = ["a"]\n', "unknown key nome; did you mean 'name'?"),
        (b'name = "x"\n[run]\ncommand = "a b"\n', "run.command: Input should be a valid list"),
        (b'name = "x"\n[run]\ncommand = []\n', "run.command: List should have at least 1 item"),
        (b'name = "X y"\n[run]\ncommand = ["a"]\n', "name: String should match pattern"),
        (LEAST + b"timeout_seconds = 0\n", "run.timeout_seconds: Input should be greater than 0"),
        (LEAST + b'[[metrics]]\nname = "a"\nsource = "jsn"\n', "no such source: 'jsn'; did you mean 'json'?"),
        (LEAST + b'[[metrics]]\nname = "a"\nsource = "regex:("\n', "no such source"),
        (LEAST + b'[[metrics]]\nname = "a"\n[[metrics]]\nname = "a"\n', "two metrics are called 'a'"),
        (LEAST + b'[build]\ndockerfile = "a"\ncandidate_dockerfile = "b"\n', "not both"),
        (b"schema = 2\n" + LEAST, "schema: Input should be 1"),
        (b"#" * 70_000, "more than 65536 bytes"),
        (b"a." * 5000 + b"a = 1\n", "scenario.toml"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: bytes, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse(text)
    assert told in str(raised.value)
    assert "scenario.toml" in str(raised.value)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as raised:
        parse(b'nome = "x"\n[run]\ncomand = ["a"]\n')
    for told in ("nome", "name is missing", "comand", "run.command is missing"):
        assert told in str(raised.value)


def test_counters_are_exact_without_saying_so() -> None:
    found = parse(LEAST + b'[[metrics]]\nname = "a"\nexact = true\n[[metrics]]\nname = "b"\n')
    assert [metric.exact for metric in found.metrics] == [True, False]


def test_the_published_schema_accepts_what_is_accepted_and_refuses_unknown_keys() -> None:
    import tomllib

    schema = scenario_schema()
    json.dumps(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(tomllib.loads(FULL.read_text()))
    assert list(validator.iter_errors({"name": "x", "run": {"command": ["a"], "comand": 1}}))
