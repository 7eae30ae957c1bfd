"""Python: requirements and constraints, pyproject.toml, and the locks of poetry, uv, pdm and pipenv."""

import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)", re.DOTALL)
_EXACT = re.compile(r"={2,3}\s*([^\s,*]+)")
ANY = "any"
"""What is told of a package that is wanted in no particular version."""


def requirements(text: str) -> dict[str, str]:
    """A requirements or constraints file."""
    joined = re.sub(r"\\\r?\n", " ", text)
    return _wishes(re.sub(r"(?:^|\s)#.*", "", line) for line in joined.splitlines())


def wanted(text: str) -> dict[str, tuple[str, ...]]:
    """The lines of a requirements or constraints file that want each package, continued ones whole."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines(text):
        name = _wanted(line)
        if name is not None:
            found[name] = (*found.get(name, ()), line)
    return found


def partly(old: str, new: str, moved: frozenset[str]) -> str:
    """The file `new` as far as it speaks of the packages in `moved`, and of whatever it wants like the file `old`; the
    other packages as `old` wants them."""
    before, after = wanted(old), wanted(new)
    still = {name for name in {*before, *after} - moved if before.get(name) != after.get(name)}
    kept: list[str] = []
    told: set[str] = set()
    for line in _lines(new):
        name = _wanted(line)
        if name is None or name not in still:
            kept.append(line)
        elif name not in told:
            told.add(name)
            kept.extend(before.get(name, ()))
    gone = [line for name in sorted(still - {*after}) for line in before[name]]
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in (*kept, *gone))


def _lines(text: str) -> list[str]:
    """The lines of a requirements file with their ends, one that is continued together with what continues it."""
    return [line for line in re.findall(r"(?:[^\n]*\\\r?\n)*[^\n]*(?:\n|\Z)", text) if line]


def _wanted(line: str) -> str | None:
    """The package that a line of a requirements file wants; None for any other line."""
    bare = re.sub(r"(?:^|\s)#.*", "", re.sub(r"\\\r?\n", " ", line)).strip()
    match = None if bare.startswith("-") else _LINE.fullmatch(bare)
    return None if match is None else normal(match[1])


def pyproject(text: str) -> dict[str, str]:
    """What a pyproject.toml wants to build, to run and for its extras and groups."""
    table = tomllib.loads(text)
    project, poetry = table.get("project", {}), table.get("tool", {}).get("poetry", {})
    lists = [
        table.get("build-system", {}).get("requires", []),
        project.get("dependencies", []),
        *project.get("optional-dependencies", {}).values(),
        *table.get("dependency-groups", {}).values(),
    ]
    found = _wishes(wish for part in lists for wish in part if isinstance(wish, str))
    groups = [poetry, *poetry.get("group", {}).values()]
    for group in groups:
        for part in ("dependencies", "dev-dependencies"):
            found |= {normal(name): _poetry(wish) for name, wish in group.get(part, {}).items()}
    return found


def lock(text: str) -> dict[str, str]:
    """poetry.lock, uv.lock or pdm.lock."""
    return of_tables(tomllib.loads(text).get("package", []), normal)


def pipfile_lock(text: str) -> dict[str, str]:
    """Pipfile.lock."""
    table = json.loads(text)
    found = {}
    for part in ("default", "develop"):
        for name, entry in table.get(part, {}).items():
            found[normal(name)] = str(entry.get("version") or entry.get("ref") or ANY).removeprefix("==")
    return found


def of_tables(tables: Iterable[dict[str, Any]], name_of: "Any" = str) -> dict[str, str]:
    """Packages of `[[package]]` tables; several versions of one are told together."""
    found: dict[str, list[str]] = {}
    for table in tables:
        if "version" in table:
            found.setdefault(name_of(str(table["name"])), []).append(_with_commit(table))
    return {name: ", ".join(sorted(set(versions))) for name, versions in found.items()}


def _with_commit(table: dict[str, Any]) -> str:
    """The version, and the commit where the package comes from a repository."""
    source = table.get("source")
    told = source if isinstance(source, str) else str((source or {}).get("git", ""))
    commit = re.search(r"#([0-9a-f]{12})", told) or re.match(r"([0-9a-f]{12})", str(_reference(source)))
    return f"{table['version']} ({commit[1]})" if commit is not None else str(table["version"])


def _reference(source: object) -> object:
    return source.get("resolved_reference", "") if isinstance(source, dict) else ""


def _wishes(lines: Iterable[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        wish = line.strip()
        if wish.startswith("-") or not (match := _LINE.fullmatch(wish)):
            continue
        found[normal(match[1])] = _version(match[2])
    return found


def _version(wish: str) -> str:
    """ "==1.2 --hash=…; python_version>'3'" as "1.2", ">=1,<2" as it stands."""
    bare = re.split(r";|\s--", wish)[0].strip().strip("()").strip()
    exact = _EXACT.fullmatch(bare)
    return exact[1] if exact is not None else re.sub(r"\s+", "", bare) or ANY


def _poetry(wish: object) -> str:
    if isinstance(wish, dict):
        return str(wish.get("version") or wish.get("rev") or wish.get("tag") or wish.get("branch") or ANY)
    return str(wish)


def normal(name: str) -> str:
    """A package's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
