"""Rust: Cargo.toml and Cargo.lock."""

import tomllib
from typing import Any

from bisector.formats.dependencies.python import ANY, of_tables

_PARTS = ("dependencies", "dev-dependencies", "build-dependencies")


def lock(text: str) -> dict[str, str]:
    """Cargo.lock."""
    return of_tables(tomllib.loads(text).get("package", []))


def manifest(text: str) -> dict[str, str]:
    """What a Cargo.toml wants, its workspace's and its targets' wishes included."""
    table = tomllib.loads(text)
    found: dict[str, str] = {}
    for holder in (table, table.get("workspace", {}), *table.get("target", {}).values()):
        for part in _PARTS:
            found |= {name: _wish(wish) for name, wish in holder.get(part, {}).items()}
    return found


def _wish(wish: Any) -> str:
    if isinstance(wish, dict):
        return str(wish.get("version") or wish.get("rev") or wish.get("tag") or wish.get("branch") or ANY)
    return str(wish)
