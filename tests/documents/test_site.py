"""The site is built from the documents, with every page in its place."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parents[2]


def pages(entries: list[object]) -> list[str]:
    """The pages of a navigation, in order."""
    found: list[str] = []
    for entry in entries:
        for below in entry.values() if isinstance(entry, dict) else [entry]:
            found += pages(below) if isinstance(below, list) else [str(below)]
    return found


def test_every_page_is_in_the_navigation() -> None:
    listed = pages(yaml.safe_load((TOP / "mkdocs.yml").read_text())["nav"])
    there = {path.name for path in (TOP / "docs").glob("*.md")}
    assert there == {name for name in listed if "/" not in name}
    assert all((TOP / "docs" / name).exists() for name in listed)


@pytest.mark.slow
def test_the_site_is_built(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "which commit" in (tmp_path / "site" / "tutorial" / "index.html").read_text().lower()
