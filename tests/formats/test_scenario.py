"""Scenario files: what they mean, and what is said of mistakes."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from bisector.core.model.scenario import Better, Probe, Ready, Scenario, Service
from bisector.errors import ScenarioError
from bisector.formats.scenario import parse_scenario, scenario_schema

FULL = Path(__file__).parent / "data" / "full.toml"
LEAST = b'name = "least"\n[run]\ncommand = ["true"]\n'


def parse(text: bytes) -> Scenario:
    return parse_scenario(text, where="scenario.toml")


def test_the_least_scenario_measures_wall_time() -> None:
    found = parse(LEAST)
    assert [metric.name for metric in found.metrics] == ["wall"]
    assert found.run.warmup_runs is None
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


SERVED = LEAST.replace(b'command = ["true"]', b'command = ["load", "{port}"]')
DB = b'[[run.services]]\nname = "db"\ncommand = ["db", "{port}"]\n'
WEB = b'[[run.services]]\nname = "web"\ncommand = ["web"]\nready = {http = "http://localhost:8080"}\n'


def test_a_service_has_a_name_and_is_ready_when_its_port_is_open_unless_it_says_otherwise() -> None:
    found = parse(SERVED + b'[run.service]\ncommand = ["serve", "{port}"]\n').run.services
    ready = Ready(probe=Probe.TCP, words=("{port}",))
    assert found == (Service(name="service", command=("serve", "{port}"), ready=ready),)


@pytest.mark.parametrize(
    ("ready", "probe", "words"),
    [
        (b"{tcp = 8080}", Probe.TCP, ("8080",)),
        (b'{tcp = "{port}"}', Probe.TCP, ("{port}",)),
        (b'{http = "http://127.0.0.1:{port}/health?a=1"}', Probe.HTTP, ("{port}", "/health?a=1")),
        (b'{http = "http://localhost:8080"}', Probe.HTTP, ("8080", "/")),
        (b'{log = "listening on"}', Probe.LOG, ("listening on",)),
        (b'{command = ["pg_isready", "-p", "{port}"]}', Probe.COMMAND, ("pg_isready", "-p", "{port}")),
    ],
)
def test_how_a_service_is_told_to_be_ready(ready: bytes, probe: Probe, words: tuple[str, ...]) -> None:
    found = parse(SERVED + b'[run.service]\ncommand = ["serve"]\nready = ' + ready + b"\n").run.services
    assert found[0].ready == Ready(probe=probe, words=words)


def test_the_last_of_several_services_is_the_one_that_is_looked_at() -> None:
    run = parse(SERVED + DB + WEB).run
    assert [service.name for service in run.services] == ["db", "web"]
    assert run.looked_at == ("web",)
    assert parse(LEAST).run.looked_at == ("true",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'[run.service]\ncommand = ["a"]\n', "say how to tell that it is ready"),
        (
            b'[run.service]\ncommand = ["a"]\nready = {tcp = 80, log = "x"}\n',
            "exactly one of tcp, http, log and command",
        ),
        (b'[run.service]\ncommand = ["a"]\nready = {tcp = 70000}\n', "no port: 70000"),
        (b'[run.service]\ncommand = ["a"]\nready = {http = "https://example.org/"}\n', "it is asked on loopback"),
        (b'[run.service]\ncommand = ["a"]\nredy = {tcp = 80}\n', "unknown key run.service.redy; did you mean 'ready'?"),
        (b'[run.service]\ncommand = ["a"]\nready = {htp = "x"}\n', "did you mean 'http'?"),
        (b'[run.service]\ncommand = ["{port}"]\nstop_signal = "SIGKILL"\n', "run.service.stop_signal"),
        (DB + DB, "two services are called 'db'"),
        (DB.replace(b"{port}", b"{port.cache}") + WEB, "say how to tell that it is ready"),
        (DB + WEB.replace(b'["web"]', b'["web", "{port.cache}"]'), "no service is called 'cache'; there are: db, web"),
        (DB + b'[run.service]\ncommand = ["{port}"]\n', "not both"),
        (b"".join(DB.replace(b"db", b"db%d" % n) for n in range(9)), "9 services, more than 8"),
    ],
)
def test_a_mistake_in_a_service_is_named(text: bytes, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse(SERVED + text)
    assert told in str(raised.value)


def test_samples_of_other_services_are_not_comparable() -> None:
    with_one = [parse(SERVED + text).run.identity() for text in (b"", DB, DB + WEB, DB.replace(b'["db"', b'["db2"'))]
    assert len(set(with_one)) == 4


def test_a_share_within_a_limit_is_better_high_and_has_no_unit() -> None:
    text = b'[[metrics]]\nname = "a"\nstatistic = "share<=0.2"\n[[metrics]]\nname = "b"\nstatistic = "share>2"\n'
    text += b'[[metrics]]\nname = "c"\nstatistic = "share<2"\nbetter = "lower"\n'
    text += b'[[metrics]]\nname = "d"\nstatistic = "p99.9"\n'
    found = parse(LEAST + text).metrics
    assert [metric.better for metric in found] == [Better.HIGHER, Better.LOWER, Better.LOWER, Better.LOWER]
    with pytest.raises(ScenarioError, match="a share has no unit"):
        parse(LEAST + b'[[metrics]]\nname = "a"\nstatistic = "share<=0.2"\nunit = "s"\n')


@pytest.mark.parametrize(
    "name", ["mode", "p0", "p100", "p", "p5.", "share", "share<=", "share=1", "share<=x", "share<nan"]
)
def test_a_statistic_that_is_not_known_is_named(name: str) -> None:
    with pytest.raises(ScenarioError, match="no such statistic"):
        parse(LEAST + f'[[metrics]]\nname = "a"\nstatistic = "{name}"\n'.encode())


KEPT = sorted((Path(__file__).parents[2] / "scenarios").rglob("scenario.toml"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.name)
def test_every_scenario_that_is_kept_says_what_it_needs(path: Path) -> None:
    text = path.read_text()
    found = parse_scenario(text.encode(), where=str(path))
    assert found.name == path.parent.name
    assert found.description
    assert "/root/" not in text
    named = re.findall(r"\{scenario\}/([\w./-]+)", text)
    assert [name for name in named if not (path.parent / name).is_file()] == []
    assert len([line for line in text.splitlines() if line.strip()]) <= 40


def test_each_scenario_of_the_demo_has_a_commit_to_find() -> None:
    from bisector.cli.demo_history import PLANTED

    assert {path.parent.name for path in KEPT if path.parent.parent.name == "scenarios"} == set(PLANTED)
