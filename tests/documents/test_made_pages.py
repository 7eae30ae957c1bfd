"""The pages that are made from the code are those of this code, and say something of every key."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bisector.formats.scenario import scenario_schema
from docs.pages import pages

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    return pages()


MADE = ["scenario-reference.md", "settings-reference.md", "commands.md", "api.md", "decisions/README.md"]


@pytest.mark.parametrize("name", MADE)
def test_pages_are_up_to_date(name: str, made: Mapping[str, str]) -> None:
    """Where one is not: `python -m docs` writes them anew."""
    assert made[name] == (DOCS / name).read_text()


def test_every_key_of_a_scenario_says_what_it_is_for() -> None:
    schema = scenario_schema()
    tables: dict[str, Any] = {"the top": schema, **schema["$defs"]}
    silent = [
        f"{table}: {key}"
        for table, content in tables.items()
        for key, value in content.get("properties", {}).items()
        if not value.get("description")
    ]
    assert silent == []


def test_every_key_of_a_scenario_is_on_its_page(made: Mapping[str, str]) -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", made["scenario-reference.md"], re.MULTILINE))
    schema = scenario_schema()
    keys = {key for table in (schema, *schema["$defs"].values()) for key in table.get("properties", {})}
    assert keys == listed
