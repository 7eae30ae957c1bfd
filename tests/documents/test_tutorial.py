"""The tutorial, done as it says: its own commands and its own benchmark."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.markdown import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()


def shell(line: str, where: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line, shell=True, cwd=where, env=environment, capture_output=True, text=True, timeout=1500, check=False
    )


def lines_of(page: str) -> list[str]:
    """The commands of its steps up to the fifth, in order; those of the sixth are for afterwards."""
    steps = page.partition("## 6.")[0]
    return [
        re.sub(r"^\$ ", "", line).partition("  #")[0].strip()
        for block in blocks(steps)
        if block.language == "console"
        for line in block.text.splitlines()
    ]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and this interpreter's `bisector` first on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"HOME": str(tmp_path), "PATH": path, "LANG": "C.UTF-8"}


def begun(tmp_path: Path, environment: dict[str, str]) -> tuple[Path, list[str]]:
    """The repository with the scenario of steps 1 and 2, and the commands that are left."""
    made, *rest = lines_of(PAGE)
    assert shell(made, tmp_path, environment).returncode == 0
    there = tmp_path / rest.pop(0).removeprefix("cd ")
    while rest[0].startswith(("git log", "bisector scenario new")):
        done = shell(rest.pop(0), there, environment)
        assert (done.returncode, done.stderr) == (0, "")
    (benchmark,) = [block.text for block in blocks(PAGE) if block.language == "python"]
    (there / "scenarios" / "words" / "bench.py").write_text(benchmark)
    return there, rest


def test_the_scenario_of_the_tutorial_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    """The cheap half: steps 1 to 3."""
    there, rest = begun(tmp_path, environment)
    done = shell(rest[0], there, environment)
    assert rest[0].startswith("bisector scenario run words")
    assert done.returncode == 0, done.stderr
    assert "seconds" in done.stdout


@pytest.mark.long
def test_the_tutorial_ends_with_what_it_promises(tmp_path: Path, environment: dict[str, str]) -> None:
    there, rest = begun(tmp_path, environment)
    printed = {line: shell(line, there, environment) for line in rest}
    codes = {line.split()[1]: done.returncode for line, done in printed.items()}
    assert codes == {"scenario": 0, "compare": 1, "bisect": 0, "jobs": 0}
    (answer,) = [done.stdout for line, done in printed.items() if " bisect " in line]
    assert "Merge branch 'hyphens'" in answer
    assert "Drop soft hyphens from words" in answer
