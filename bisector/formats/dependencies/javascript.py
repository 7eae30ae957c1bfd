"""JavaScript: package.json and the locks of npm, yarn and pnpm."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

_PARTS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_YARN_NAME = re.compile(r'"?(@?[^@"\s]+)@')
_YARN_VERSION = re.compile(r'  version:?\s+"?([^"\s]+)"?')
_PNPM = re.compile(r"  ['\"]?/?(@?[^@'\"\s]+?)[@/]([0-9][^:('\"]*)(?:\([^:]*)?['\"]?:.*")


def manifest(text: str) -> dict[str, str]:
    """What a package.json wants."""
    table = json.loads(text)
    return {name: str(wish) for part in _PARTS for name, wish in table.get(part, {}).items()}


def package_lock(text: str) -> dict[str, str]:
    """package-lock.json, of any version."""
    table = json.loads(text)
    if "packages" in table:
        return _joined(
            (path.rpartition("node_modules/")[2], str(entry["version"]))
            for path, entry in table["packages"].items()
            if "node_modules/" in path and "version" in entry
        )
    return _joined(_nested(table.get("dependencies", {})))


def yarn_lock(text: str) -> dict[str, str]:
    """yarn.lock, classic or berry."""
    return _joined(_yarn(text))


def pnpm_lock(text: str) -> dict[str, str]:
    """pnpm-lock.yaml: the keys of its packages."""
    return _joined(_pnpm(text))


def _nested(dependencies: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in dependencies.items():
        yield name, str(entry.get("version", ""))
        yield from _nested(entry.get("dependencies", {}))


def _yarn(text: str) -> Iterator[tuple[str, str]]:
    name = ""
    for line in text.splitlines():
        if line[:1] not in {"", " ", "#"}:
            found = _YARN_NAME.match(line)
            name = found[1] if found is not None else ""
        elif name and (version := _YARN_VERSION.fullmatch(line)) is not None:
            yield name, version[1]
            name = ""


def _pnpm(text: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in text.splitlines():
        if line[:1] not in {"", " "}:
            inside = line.startswith("packages:")
        elif inside and (found := _PNPM.fullmatch(line)) is not None:
            yield found[1], found[2]


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for name, version in pairs:
        found.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}
