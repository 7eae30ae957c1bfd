"""The house: which way imports run, who owns which library, how large things may grow, what values look like."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bisector"
LAYERS = ("errors", "core", "formats", "report", "engine", "adapters", "settings", "wiring", "cli", "worker", "server")
PEERS = frozenset({"cli", "worker", "server"})
INSIDE_CORE = {"model": {"model"}, "search": {"model", "search"}, "explain": {"model", "explain"}}
INSIDE_CORE["watch"] = {"model", "watch"}
SHARED_ADAPTERS = frozenset({"durable", "measure"})
"""What others under adapters may use: the measuring helper serves both runners, and all pass the one seam."""
ENGINE_PORTS = frozenset(
    [
        *("background", "commands", "deliveries", "dispatch", "job", "marks", "notify", "ports", "queue"),
        *("joins", "records", "stop"),
    ]
)
"""Modules of the engine that hold ports and their values, which is all that adapters may know of it."""

IMPURE = frozenset(
    [
        "asyncio",
        "atexit",
        "builtins",
        "concurrent",
        "ctypes",
        "curses",
        "fcntl",
        "getpass",
        "glob",
        "http",
        "io",
        "locale",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "pwd",
        "random",
        "resource",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "sqlite3",
        "subprocess",
        "sys",
        "tempfile",
        "termios",
        "threading",
        "time",
        "tty",
        "urllib",
        "uuid",
        "webbrowser",
    ]
)
PURE_STDLIB = sys.stdlib_module_names - IMPURE
MAY_USE = {
    "errors": PURE_STDLIB,
    "core": PURE_STDLIB | {"numpy", "scipy.special"},
    "formats": PURE_STDLIB | {"pydantic", "cronsim"},
    "report": PURE_STDLIB | {"jinja2", "markupsafe", "numpy"},
    "engine": (PURE_STDLIB | {"threading", "pathlib", "io"}),
}
OWNED = {
    "git": {"adapters.git"},
    "docker": {"adapters.docker"},
    "sqlalchemy": {"adapters.store"},
    "alembic": {"adapters.store"},
    "procrastinate": {"adapters.queue"},
    "psycopg": {"adapters.queue"},
    "psycopg_pool": {"adapters.queue"},
    "pyarrow": {"adapters.parquet"},
    "pydantic_settings": {"settings"},
    "click": {"cli", "server.command", "server.running"},
    "cronsim": {"formats.cron"},
    "fastapi": {"server"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "prometheus_client": {"server"},
    "rich": {"cli"},
    "smtplib": {"adapters.notify"},
    "http": {"adapters.notify", "adapters.store.data_sets", "server"},
    "subprocess": {"adapters.git", "adapters.local", "adapters.measure", "adapters.docker", "cli"},
    "fcntl": {"adapters.locks", "adapters.processes", "adapters.git", "adapters.local", "adapters.measure"},
}
LONGEST_MODULE, LONGEST_FUNCTION, MOST_PARAMETERS = 350, 60, 6


def modules(package: Path) -> Iterator[tuple[str, ast.Module, int]]:
    """Dotted name below the package, syntax tree and number of lines of every module."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_text()
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(text), text.count("\n")


def imports(tree: ast.Module) -> Iterator[str]:
    """Every dotted name a module imports, `from a import b` as "a.b" (a module or a name in one)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import at line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(package: Path) -> list[str]:
    """Everything in the package that breaks a rule of the house."""
    found: list[str] = []
    for name, tree, lines in modules(package):
        found += [f"{name}: {problem}" for problem in _import_problems(name, tree)]
        found += [f"{name}: {problem}" for problem in _size_problems(tree, lines)]
        found += [f"{name}: {problem}" for problem in _value_problems(name, tree)]
        found += [f"{name}: {problem}" for problem in _exit_problems(name, tree)]
    return found


def _import_problems(name: str, tree: ast.Module) -> Iterator[str]:
    layer = name.split(".", maxsplit=1)[0]
    if layer not in LAYERS:
        return
    for imported in imports(tree):
        if imported.startswith("bisector."):
            yield from _own_import_problems(name, imported.removeprefix("bisector."))
            continue
        if imported == "bisector.__version__" or imported.split(".")[0] == "bisector":
            continue
        allowed = MAY_USE.get(layer)
        if allowed is not None and not any(imported == a or imported.startswith(f"{a}.") for a in allowed):
            yield f"{layer} may not import {imported}"
        owners = OWNED.get(imported.split(".")[0])
        if owners is not None and not any(name == owner or name.startswith(f"{owner}.") for owner in owners):
            yield f"{imported.split('.')[0]} belongs to {', '.join(sorted(owners))}"


def _own_import_problems(name: str, imported: str) -> Iterator[str]:
    layer, other = name.split(".", maxsplit=1)[0], imported.split(".", maxsplit=1)[0]
    if other not in LAYERS:
        return
    if LAYERS.index(other) > LAYERS.index(layer) or (layer != other and {layer, other} <= PEERS):
        yield f"{layer} may not import {other}"
    if layer == other == "core":
        room, wanted = name.split(".")[1:2], imported.split(".")[1:2]
        if room and wanted and room[0] in INSIDE_CORE and wanted[0] not in INSIDE_CORE[room[0]]:
            yield f"core.{room[0]} may not import core.{wanted[0]}"
    if layer == other == "adapters":
        room, wanted = name.split(".")[1:2], imported.split(".")[1:2]
        if room and wanted and room != wanted and wanted[0] not in SHARED_ADAPTERS:
            yield f"adapters.{room[0]} may not import adapters.{wanted[0]}"
    if layer == "adapters" and other == "engine" and imported.split(".")[1] not in ENGINE_PORTS:
        yield f"adapters may import the engine's ports only, not {imported}"
    if other == "adapters" and layer not in {"adapters", "wiring"}:
        yield f"only wiring names adapters, not {layer}"


def _size_problems(tree: ast.Module, lines: int) -> Iterator[str]:
    if lines > LONGEST_MODULE:
        yield f"{lines} lines, more than {LONGEST_MODULE}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > LONGEST_FUNCTION:
            yield f"{node.name} has {length} lines, more than {LONGEST_FUNCTION}"
        arguments = [a for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in {"self", "cls"}]
        command = any("click" in ast.unparse(d) or "command" in ast.unparse(d) for d in node.decorator_list)
        if len(arguments) + len(node.args.kwonlyargs) > MOST_PARAMETERS and not command:
            yield f"{node.name} has more than {MOST_PARAMETERS} parameters"


def _value_problems(name: str, tree: ast.Module) -> Iterator[str]:
    if not name.startswith("core"):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                if "dataclass" in text and not ("frozen=True" in text and "kw_only=True" in text):
                    yield f"{node.name} is not a frozen, keyword-only dataclass"
        if isinstance(node, ast.Name) and node.id == "Any":
            yield "core knows its types: no Any"


def _exit_problems(name: str, tree: ast.Module) -> Iterator[str]:
    if name.split(".", maxsplit=1)[0] in PEERS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sys.exit", "exit", "os._exit", "print"}:
            yield f"{ast.unparse(node.func)} at line {node.lineno}: only the entry points exit or print"


def test_house_is_in_order() -> None:
    assert violations(PACKAGE) == []


PLANTED = {
    "core imports a process": ("core/model/planted.py", "import subprocess\n", "core may not import subprocess"),
    "core imports randomness": ("core/search/planted.py", "import random\n", "core may not import random"),
    "core imports scipy.stats": ("core/search/planted.py", "from scipy import stats\n", "scipy.stats"),
    "model imports search": (
        "core/model/planted.py",
        "from bisector.core.search.decide import decide\n",
        "core.model may not import core.search",
    ),
    "core imports report": ("core/planted.py", "from bisector.report import text\n", "core may not import report"),
    "engine imports an adapter": (
        "engine/planted.py",
        "from bisector.adapters.clock import SystemClock\n",
        "engine may not import adapters",
    ),
    "cli names an adapter": (
        "cli/planted.py",
        "from bisector.adapters.clock import SystemClock\n",
        "only wiring names adapters",
    ),
    "an adapter imports another": (
        "adapters/local/planted.py",
        "from bisector.adapters.docker.runner import DockerRunner\n",
        "adapters.local may not import adapters.docker",
    ),
    "an adapter imports the loop": (
        "adapters/planted.py",
        "from bisector.engine.loop import run_job\n",
        "adapters may import the engine's ports only",
    ),
    "a stranger imports sqlalchemy": ("engine/planted.py", "import sqlalchemy\n", "sqlalchemy belongs to"),
    "a stranger imports git": ("cli/planted.py", "import git\n", "git belongs to adapters.git"),
    "a stranger imports docker": ("wiring.py", "import docker\n", "docker belongs to adapters.docker"),
    "a module grows": ("engine/planted.py", "x = 1\n" * 351, "351 lines"),
    "a function grows": ("engine/planted.py", "def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
    "a function takes too much": ("engine/planted.py", "def f(a, b, c, d, e, g, h): ...\n", "more than 6 parameters"),
    "a value thaws": (
        "core/model/planted.py",
        "from dataclasses import dataclass\n@dataclass\nclass A: ...\n",
        "not a frozen",
    ),
    "core forgets a type": ("core/model/planted.py", "from typing import Any\nx: Any = 1\n", "no Any"),
    "the engine exits": ("engine/planted.py", "import x\nsys.exit(1)\n", "only the entry points exit"),
    "an adapter prints": ("adapters/planted.py", "print(1)\n", "only the entry points exit or print"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_violation_is_seen(case: str, tmp_path: Path) -> None:
    where, text, told = PLANTED[case]
    planted = tmp_path / where
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(text)
    assert any(told in problem for problem in violations(tmp_path))


def test_every_port_has_a_fake() -> None:
    """Every protocol of the engine has an implementation in memory, so that the whole runs without a machine."""
    ports = ast.parse((PACKAGE / "engine" / "ports.py").read_text())
    protocols = {
        node.name
        for node in ports.body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
    }
    fakes = "\n".join(path.read_text() for path in (PACKAGE / "adapters" / "in_memory").glob("*.py"))
    missing = {name for name in protocols - {"Session", "Observer"} if f"ports.{name}`" not in fakes}
    assert missing == set()
