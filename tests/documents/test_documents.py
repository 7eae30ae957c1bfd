"""The documents say what is so: links lead somewhere, commands are understood, scenarios and settings are read."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bisector.cli.main import command
from bisector.errors import BisectorError
from bisector.formats.scenario import ScenarioFile, scenario_from
from bisector.settings import Settings
from tests.helpers.markdown import Block, anchors, blocks, commands, links

TOP = Path(__file__).parents[2]
SKIPPED = {".venv", ".git", "node_modules", "build", "dist", ".bench", "site"}


def documents() -> list[Path]:
    return sorted(path for path in TOP.rglob("*.md") if SKIPPED.isdisjoint(path.relative_to(TOP).parts))


DOCUMENTS = documents()
PAGES = [path for path in DOCUMENTS if path.parent in {TOP, TOP / "docs", TOP / "scenarios", TOP / "docs" / "search"}]
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TOP)))


def broken_links(path: Path, text: str) -> Iterator[str]:
    for line, target in links(text):
        place, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", place):
            continue
        there = (path.parent / place).resolve() if place else path
        if not there.exists():
            yield f"{path.relative_to(TOP)}:{line}: there is no {place}"
        elif anchor and there.suffix == ".md":
            known = anchors(text if there == path else there.read_text())
            if anchor not in known:
                yield f"{path.relative_to(TOP)}:{line}: {place or 'this page'} has no #{anchor}"


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken_links(path, path.read_text())) == []


@pytest.mark.parametrize(
    "planted",
    ["[a](nowhere.md)", "[a](docs/jobs.md#no-such-part)", "[a](#no-such-part)", '<img src="docs/no-picture.svg">'],
)
def test_a_broken_link_is_found(planted: str) -> None:
    assert len(list(broken_links(TOP / "README.md", f"# Title\n\nText {planted} and `[b](c)`.\n"))) == 1


def resolved(arguments: tuple[str, ...]) -> None:
    """Parse `arguments` as the command line would, without running anything; click.ClickException if it would not."""
    group: click.Command = command
    parent: click.Context | None = None
    rest = list(arguments)
    name = "bisector"
    while True:
        parent = group.make_context(name, rest, parent=parent)
        if not isinstance(group, click.Group):
            return
        left = [*parent._protected_args, *parent.args]
        found, sub, rest = group.resolve_command(parent, left)
        assert sub is not None
        name, group = found or "", sub


def shell_lines(block: Block) -> Iterator[Block]:
    """The block; of a recipe in YAML each text in it that calls us."""
    if block.language != "yaml":
        yield block
        return
    waiting = [yaml.safe_load(block.text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str) and "bisector " in value:
            yield Block(language="", line=block.line, text=value)


def calls_in(block: Block) -> list[tuple[int, tuple[str, ...]]]:
    """Every call of ours in the block, as its arguments, with its line."""
    return [call for part in shell_lines(block) for call in commands(part, "bisector")]


@each_page
def test_commands_are_understood(path: Path) -> None:
    """Each command and option exists and takes such a value. Nothing is run."""
    wrong = []
    for block in blocks(path.read_text()):
        for line, arguments in calls_in(block):
            try:
                resolved(tuple(argument for argument in arguments if argument not in {"…", "..."}))
            except click.exceptions.Exit:
                continue  # --help and --version
            except (click.ClickException, BisectorError) as error:
                said = error.format_message() if isinstance(error, click.ClickException) else str(error)
                wrong.append(f"{path.name}:{line}: bisector {' '.join(arguments)}: {said}")
    assert wrong == []


def test_commands_are_found_where_there_are_any() -> None:
    calls = [call for path in PAGES for block in blocks(path.read_text()) for call in calls_in(block)]
    assert len(calls) > 50
    assert {arguments[0] for _, arguments in calls} >= {"bisect", "check", "jobs", "report", "serve", "worker"}


@pytest.mark.parametrize(
    "line", ["bisector bisekt a b", "bisector bisect a b --no-such -- x", "bisector demo --runner podman"]
)
def test_a_command_that_is_not_there_is_found(line: str) -> None:
    block = Block(language="console", line=1, text=f"$ {line}  # a remark")
    (call,) = commands(block, "bisector")
    with pytest.raises(click.ClickException):
        resolved(call[1])


def tables(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """What is written in TOML on a page."""
    for block in blocks(path.read_text()):
        looks = re.match(r"(#.*\n)*(\[\[?[a-z.]+\]\]?|[a-z_]+ = [\"\[{\d])", block.text) is not None
        if block.language == "toml" or (block.language == "" and looks):
            yield block.line, tomllib.loads(block.text)


OF_SCENARIOS = {field.alias or name for name, field in ScenarioFile.model_fields.items()}


def read_settings(table: Mapping[str, Any]) -> None:
    """A part of `bisector.toml`, with the repositories that it speaks of."""
    known = {entry["name"] for entry in table.get("repositories", ())}
    named = {
        name
        for key in ("hooks", "notify", "marks", "sweeps")
        for entry in table.get(key, ())
        for name in [*entry.get("repositories", ()), *filter(None, [entry.get("repository")])]
    }
    missing = [{"name": name, "location": f"https://example.com/{name}.git"} for name in sorted(named - known)]
    Settings(**{**table, "repositories": [*table.get("repositories", ()), *missing]})


def read_table(table: Mapping[str, Any]) -> None:
    """As a scenario, or the part of one, where its keys are those of scenarios; else as settings."""
    if set(table) <= OF_SCENARIOS:
        run = {"command": ["true", "{port}"], **table.get("run", {})}
        scenario_from({"name": "part", **table, "run": run}, where="a document")
    else:
        read_settings(table)


@each_page
def test_scenarios_and_settings_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole one as it stands, a part of one with what it leaves out put in."""
    monkeypatch.delenv("BISECTOR_CONFIG", raising=False)
    for line, table in tables(path):
        try:
            read_table(table)
        except (BisectorError, ValueError) as error:
            pytest.fail(f"{path.relative_to(TOP)}:{line}: {error}")


def test_tables_are_found_where_there_are_any() -> None:
    found = [table for path in PAGES for _, table in tables(path)]
    scenarios = [table for table in found if set(table) <= OF_SCENARIOS]
    assert len(scenarios) > 5
    assert len(found) - len(scenarios) > 5


@pytest.mark.parametrize("table", [{"run": {"comand": ["x"]}}, {"hooks": [{"source": "carrier-pigeon"}]}])
def test_a_table_that_is_not_read_is_found(table: Mapping[str, Any]) -> None:
    with pytest.raises((BisectorError, ValueError)):
        read_table(table)
