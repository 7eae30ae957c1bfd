"""The pages that are made from the code: keys of scenarios and settings, commands, the API over HTTP."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from bisector.cli.main import COMMANDS, command
from bisector.formats.scenario import scenario_schema
from bisector.settings import Settings

Schema = Mapping[str, Any]
NOTE = "<!-- Made from the code by `python -m docs`; change it there. -->\n"
SCENARIOS = """\
# Scenario reference

Every key of `scenario.toml`, made from the JSON Schema that `bisector scenario schema` prints. [A first
scenario](tutorial.md) is in the tutorial, what sources read is in [results.md](results.md), services are in
[under-load.md](under-load.md), and examples that run are in [scenarios/](../scenarios/README.md).

`{scenario}` is the scenario's directory, `{source}` the checkout (also the working directory), `{out}` an empty
writable directory per run; they are replaced in steps, commands and values of `env`. An unknown key is an error that
names the nearest known one. `bisector scenario check NAME` reads a file and tries it.
"""
SETTINGS = """\
# Settings reference

Every key of `bisector.toml`. It is looked for where `BISECTOR_CONFIG` says, else where you stand, else in
`~/.config/bisector/`. A key of the first table can also be set as `BISECTOR_` and its name in capitals, and the
environment wins. Nothing has to be set for work at a terminal; what a service wants is in [server.md](server.md), an
example in [`deploy/bisector.example.toml`](../deploy/bisector.example.toml).
"""
COMMAND_LINE = """\
# Commands

What `--help` says of each. Exit codes are in the [README](../README.md#what-the-answer-can-be).

Completion, in bash (`zsh` and `fish` alike):

```console
$ echo 'eval "$(_BISECTOR_COMPLETE=bash_source bisector)"' >> ~/.bashrc
```
"""
API = """\
# API over HTTP

Of `bisector serve`. `GET /v1/openapi.json` describes it for programs, with every field; `bisector report
--schema` prints the schema of a result. Who may ask and how alerts prove themselves is in [server.md](server.md).
"""
DECISIONS = """\
# Decisions

Why things are as they are, one short page each. Whoever changes one changes its page.
"""
WIDE: Mapping[str, Any] = {"terminal_width": 110, "max_content_width": 110}


def pages() -> dict[str, str]:
    """The text of each page by its name below docs/."""
    made = {
        "scenario-reference.md": [SCENARIOS, *_keys(scenario_schema(), "scenario.toml")],
        "settings-reference.md": [SETTINGS, *_keys(_of_settings(), "bisector.toml")],
        "commands.md": [COMMAND_LINE, *_commands()],
        "api.md": [API, *_paths(_openapi())],
        "decisions/README.md": [DECISIONS, *_decisions()],
    }
    return {name: "\n".join([parts[0], NOTE, *parts[1:]]).rstrip() + "\n" for name, parts in made.items()}


def _of_settings() -> Schema:
    """The settings' schema, in which what depends on whose home it is says so."""
    schema = Settings.model_json_schema()
    for name, said in (
        ("state_dir", "database, reports, logs; `~/.local/state/bisector` by default"),
        ("cache_dir", "mirrors and local builds; `~/.cache/bisector` by default"),
    ):
        schema["properties"][name].update(description=said)
    return schema


def _keys(schema: Schema, top: str) -> Iterator[str]:
    """A table of keys for the file and for each table in it, in the order of the file."""
    waiting = [(f"The top of {top}", "", schema)]
    seen: set[str] = set()
    while waiting:
        title, path, table = waiting.pop(0)
        yield f"## {title}\n"
        if path and "description" in table:
            yield f"{table['description']}\n"
        needed = set(table.get("required", ()))
        yield "| key | value | default | meaning |\n|---|---|---|---|"
        further = []
        for key, stated in table["properties"].items():
            value = _plain(stated, schema["$defs"])
            default = "needed" if key in needed else _default(value)
            yield f"| `{key}` | {_value(value)} | {default} | {_cell(value.get('description', ''))} |"
            for many, name in _tables(value):
                if name not in seen:
                    seen.add(name)
                    below = f"{path}{key}"
                    further.append((f"`[[{below}]]`" if many else f"`[{below}]`", f"{below}.", schema["$defs"][name]))
        waiting = further + waiting
        yield ""


def _plain(value: Any, known: Schema) -> Any:
    """The value with the names of what is no table (a choice of words, say) replaced by what they stand for."""
    if isinstance(value, list):
        return [_plain(each, known) for each in value]
    if not isinstance(value, dict):
        return value
    meant = known.get(value.get("$ref", "").rpartition("/")[2], {"properties": {}})
    if "properties" not in meant:
        return {**meant, **{key: each for key, each in value.items() if key != "$ref"}}
    return {key: _plain(each, known) for key, each in value.items()}


def _tables(value: Schema, *, many: bool = False) -> Iterator[tuple[bool, str]]:
    """The tables that a value is made of: whether it is a list of them, and their name in the schema."""
    if "$ref" in value:
        yield many, value["$ref"].rpartition("/")[2]
    for each in value.get("anyOf", ()):
        yield from _tables(each, many=many)
    if "items" in value:
        yield from _tables(value["items"], many=True)


def _value(value: Schema) -> str:
    """What may be written, in a few words."""
    if "$ref" in value:
        return "table"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_value(each) for each in value["anyOf"] if each.get("type") != "null"))
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"] if each)
    if "const" in value:
        return f"`{value['const']}`"
    if value["type"] == "array":
        return "list of " + {"table": "tables", "text": "texts"}.get(inner := _value(value["items"]), inner)
    if value["type"] == "object":
        return "table of texts"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}[
        value["type"]
    ] + _bounds(value)


def _bounds(value: Schema) -> str:
    low = value.get("minimum", value.get("exclusiveMinimum"))
    high = value.get("maximum", value.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    if high is None:
        return f", over {low}" if "exclusiveMinimum" in value else f", {low} or more"
    if low is None:
        return f", at most {high}"
    over, below = "over " * ("exclusiveMinimum" in value), "below " * ("exclusiveMaximum" in value)
    return f", {over}{low} to {below}{high}"


def _default(value: Schema) -> str:
    default = value.get("default")
    if default is None or default in ("", [], {}) or isinstance(default, dict):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _commands() -> Iterator[str]:
    top = click.Context(command, info_name="bisector", **{**command.context_settings, **WIDE})
    yield from _below(top, list(COMMANDS))


def _below(group: click.Context, names: Iterable[str]) -> Iterator[str]:
    """Each command of a group with what its `--help` prints, and those below it."""
    within = group.command
    if not isinstance(within, click.Group):
        return
    for name in names:
        sub = within.get_command(group, name)
        if sub is None or sub.hidden:
            continue
        context = click.Context(sub, info_name=name, parent=group, **WIDE)
        yield f"## {context.command_path}\n\n```text\n{sub.get_help(context)}\n```\n"
        if isinstance(sub, click.Group):
            yield from _below(context, sub.list_commands(context))


def _decisions() -> Iterator[str]:
    """A line for each decision, by its own title."""
    for page in sorted(Path(__file__).with_name("decisions").glob("[0-9]*.md")):
        title = page.read_text().partition("\n")[0].removeprefix("# ")
        yield f"- [{title}]({page.name})"


def _openapi() -> Schema:
    """The description that a server without any repository gives of itself."""
    from bisector.engine.stop import StopSignal
    from bisector.server.app import create_app
    from bisector.server.assembly import service_of
    from bisector.wiring import Wiring

    with tempfile.TemporaryDirectory() as place:
        settings = Settings(state_dir=Path(place), cache_dir=Path(place))
        wiring = Wiring(StopSignal(), settings)
        try:
            return create_app(service_of(wiring, settings, ())).openapi()
        finally:
            wiring.close()


def _paths(document: Schema) -> Iterator[str]:
    yield "| | what it does | parameters | answers |\n|---|---|---|---|"
    for path, ways in document["paths"].items():
        for way, about in ways.items():
            yield f"| `{way.upper()} {path}` | {_about(about)} | {_parameters(about, document)} | {_answers(about)} |"


def _about(about: Schema) -> str:
    return _cell(about.get("description") or about.get("summary", "")).partition(". ")[0].rstrip(".")


def _parameters(about: Schema, document: Schema) -> str:
    named = [f"`{each['name']}`" for each in about.get("parameters", ())]
    content: Iterable[Schema] = about.get("requestBody", {}).get("content", {}).values()
    for kind in content:
        reference = kind["schema"].get("$ref", "").rpartition("/")[2]
        fields = document["components"]["schemas"].get(reference, {}).get("properties", ())
        named += [f"`{field}`" for field in fields]
    return ", ".join(named)


def _answers(about: Schema) -> str:
    return ", ".join(about["responses"])
