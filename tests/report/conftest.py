"""What tests of the report share: golden files and the browser."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.browser import FLAGS, browser_program

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a whole document with the golden file of that name."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"there is no golden file {name}: run pytest tests/report --update-golden"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def browser() -> str:
    """The browser's program. Without one a test skips at home and fails in CI."""
    return browser_program()


@pytest.fixture
def dump(browser: str, tmp_path: Path) -> Callable[[Path], str]:
    """Opens a file in the browser and returns the page as it stands once its scripts, if any, have run."""

    def open_page(path: Path) -> str:
        profile = tmp_path / f"profile-{path.stem}"
        command = [browser, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", path.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        return done.stdout.decode()

    return open_page
