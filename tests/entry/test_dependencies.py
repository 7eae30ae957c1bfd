"""Culprits that only move packages or a submodule are told as what they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entry.conftest import SCENARIO, Cli
from tests.helpers.repositories import Sandbox

BENCH = """
import json, pathlib, sys
text = "".join(path.read_text() for path in map(pathlib.Path, ("requirements.txt", ".gitmodules")) if path.exists())
print(json.dumps({"seconds": 1.5 if "2.0" in text else 1.0}))
"""
OLD, NEW = "1" * 40, "2" * 40


@pytest.fixture
def reading(tmp_path: Path) -> Path:
    """A scenario whose level is what the files of wanted packages say."""
    made = tmp_path / "reading"
    made.mkdir()
    (made / "scenario.toml").write_text(SCENARIO.replace("python -m py_compile lib.py", "true"))
    (made / "bench.py").write_text(BENCH)
    return made


def history(top: Path, culprit: dict[str, str], *, bump: bool = False) -> Sandbox:
    """Eight commits after the first, the fifth of which has the files `culprit`."""
    made = Sandbox.make(top)
    files = {"requirements.txt": "foo==1.0\nbar==3\n", "lib.py": "A = 1\n", ".gitmodules": "# 1\n"}
    for number in range(9):
        files = {**files, **(culprit if number == 5 else {})}
        if bump:
            made.git("update-index", "--add", "--cacheinfo", f"160000,{NEW if number >= 5 else OLD},vendor/lib")
        made.write({**files, f"notes/{number}.py": f"{number}\n"} if number != 5 else files)
        made.now += 60
        made.git("add", *files, *([] if number == 5 else [f"notes/{number}.py"]))
        made.git("commit", "--quiet", "-m", f"Change {number}")
    return made


def culprit_of(cli: Cli, made: Sandbox, scenario: Path) -> tuple[dict[str, Any], str]:
    where = ("--repo", made.top, "--scenario", scenario, "--runner", "local", "--no-profile", "--json", "-")
    printed = cli("bisect", "HEAD~8", "HEAD", *where)
    result = json.loads(printed.out)
    assert result["verdict"] == "culprit", printed.err
    (culprit,) = result["culprits"]
    assert culprit["subject"] == "Change 5"
    return culprit, result["sentence"]


@pytest.mark.long
def test_a_commit_that_only_moves_pinned_packages_is_a_dependency(cli: Cli, tmp_path: Path, reading: Path) -> None:
    made = history(tmp_path / "git", {"requirements.txt": "foo==2.0\nbar==3\n", "README.md": "news\n"})
    culprit, sentence = culprit_of(cli, made, reading)
    assert culprit["kind"] == "dependency"
    assert culprit["packages"] == [{"source": "python", "name": "foo", "old": "1.0", "new": "2.0"}]
    assert "it only moves packages: foo 1.0 → 2.0" in sentence


def test_every_report_says_what_kind_of_culprit_it_is(cli: Cli, tmp_path: Path, reading: Path) -> None:
    made = history(tmp_path / "git", {"requirements.txt": "foo==2.0\nbar==3\n"})
    culprit_of(cli, made, reading)
    reports = tmp_path / "state" / "reports" / "1"
    html = next(reports.glob("*.html")).read_text()
    assert "it only moves packages" in html
    assert "foo 1.0 → 2.0" in html
    assert "it only moves packages" in cli("report", "1").out + "".join(
        path.read_text() for path in reports.glob("*.md")
    )


@pytest.mark.long
def test_a_commit_that_changes_code_as_well_is_a_commit_and_its_packages_are_listed(
    cli: Cli, tmp_path: Path, reading: Path
) -> None:
    made = history(tmp_path / "git", {"requirements.txt": "foo==2.0\nbar==3\n", "lib.py": "A = 2\n"})
    culprit, sentence = culprit_of(cli, made, reading)
    assert (culprit["kind"], [move["name"] for move in culprit["packages"]]) == ("commit", ["foo"])
    assert "only moves" not in sentence


def test_a_commit_that_only_moves_a_submodule_is_one(cli: Cli, tmp_path: Path, reading: Path) -> None:
    made = history(tmp_path / "git", {".gitmodules": "# 2.0\n"}, bump=True)
    culprit, sentence = culprit_of(cli, made, reading)
    assert (culprit["kind"], culprit["packages"]) == ("submodule", [])
    assert culprit["submodules"] == [{"path": "vendor/lib", "old": OLD, "new": NEW}]
    assert f"it only moves submodule vendor/lib {OLD[:10]} → {NEW[:10]}" in sentence
