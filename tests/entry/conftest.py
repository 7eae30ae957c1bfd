"""The command line, run in this process with directories of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bisector.cli.main import entry
from tests.helpers.repositories import Sandbox

BENCH = """\
import json, sys
from lib import LEVEL
print(json.dumps({"seconds": LEVEL + 0.0001 * (hash(str(id(object()))) % 7)}))
"""
SCENARIO = """\
name = "level"
[build]
steps = ["python -m py_compile lib.py"]
[run]
command = ["python", "{scenario}/bench.py"]
env = {PYTHONPATH = "{source}"}
timeout_seconds = 30
[[metrics]]
name = "seconds"
unit = "s"
"""


@dataclass(frozen=True)
class Printed:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Cli = Callable[..., Printed]


@pytest.fixture(scope="session")
def new_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a new virtual environment holds, kept for the tests of this process: each would make it anew."""
    return tmp_path_factory.mktemp("venv")


@pytest.fixture
def cli(tmp_path: Path, new_packages: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run `bisector` with the given arguments; state and cache lie under the test's directory."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "venv").symlink_to(new_packages)
    monkeypatch.setenv("BISECTOR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BISECTOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("BISECTOR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Printed:
        capfd.readouterr()
        code = entry([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Printed(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def repository(tmp_path: Path) -> Sandbox:
    """Eight commits, the fifth of which raises LEVEL by half; tags good and bad."""
    made = Sandbox.make(tmp_path / "repository")
    for number in range(9):
        level = 1.0 if number < 5 else 1.5
        made.commit(f"Change {number}", {"lib.py": f"LEVEL = {level}\n", "number.txt": str(number)})
    made.git("tag", "good", "HEAD~8")
    made.git("tag", "bad", "HEAD")
    return made


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A scenario that prints LEVEL."""
    made = tmp_path / "level"
    made.mkdir()
    (made / "scenario.toml").write_text(SCENARIO)
    (made / "bench.py").write_text(BENCH)
    return made
