"""Every command has help, and none is slow to say so."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bisector import __version__
from bisector.cli.main import COMMANDS, command
from tests.entry.conftest import Cli


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        sub = group.get_command(context, name)
        found.append((*path, name))
        if isinstance(sub, click.Group):
            found += commands(sub, (*path, name))
    return found


@pytest.mark.parametrize("path", commands(command), ids=" ".join)
def test_a_command_has_help(cli: Cli, path: tuple[str, ...]) -> None:
    done = cli(*path, "--help")
    assert done.code == 0
    assert len(done.out.splitlines()) > 3
    assert "Usage: bisector" in done.out


def test_the_group_lists_every_command_with_a_line(cli: Cli) -> None:
    printed = cli("--help").out
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in printed
        assert line.split(".")[0][:30] in printed


HEAVY = {"numpy", "scipy", "sqlalchemy", "alembic", "docker", "git", "pydantic", "rich", "jinja2"}


@pytest.mark.parametrize("path", [(), *commands(command)], ids=lambda path: " ".join(path) or "bisector")
def test_help_does_not_import_what_is_heavy(path: tuple[str, ...]) -> None:
    """What makes help quick, without a clock: none of the heavy libraries is imported for it."""
    code = (
        f"import sys\nfrom bisector.cli.main import entry\nentry({[*path, '--help']})\n"
        f"print('HEAVY', sorted({HEAVY} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "HEAVY []" in done.stdout


NOT_FOR_A_LIST = {
    *("scipy", "docker", "git", "rich", "jinja2", "fastapi", "procrastinate"),
    *("bisector.core.search.planner", "bisector.report.document", "bisector.engine.worker"),
}


def test_a_list_of_jobs_imports_only_what_it_needs(tmp_path: Path) -> None:
    """It reads a database and prints: nothing is planned or reported for it, and no engine is asked."""
    code = (
        "import sys\nfrom bisector.cli.main import entry\n"
        "assert entry(['jobs', 'list']) == 0\n"
        f"print('HEAVY', sorted({NOT_FOR_A_LIST} & set(sys.modules)))\n"
    )
    environment = {**os.environ, "BISECTOR_STATE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines() == ["There are no jobs yet.", "HEAVY []"]


def test_python_can_be_asked_for_the_module() -> None:
    asked = [sys.executable, "-m", "bisector", "--version"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"bisector, version {__version__}\n"
