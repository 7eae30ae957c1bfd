"""What is installed: the wheel holds all that is needed, and works without a checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
CALL = "from bisector.cli import main; import bisector; print(bisector.__file__, file=__import__('sys').stderr); main()"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked as an installation would."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place), str(TOP)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "installed")
    return place / "installed"


def run(unpacked: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`bisector` of the wheel, with the libraries that are here and nothing of the checkout."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", CALL, *arguments], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith(str(unpacked)), "another bisector than that of the wheel"
    return done


@pytest.mark.slow
def test_the_wheel_holds_every_file(unpacked: Path) -> None:
    """Programs in C, templates, styles, migrations, schemas, and the scenarios with their benchmarks."""
    listed = subprocess.run(
        ["git", "ls-files", "bisector", "scenarios"], cwd=TOP, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    held = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    wanted = {f"bisector/{name}" if name.startswith("scenarios/") else name for name in listed}
    assert len(wanted) > 300
    assert wanted - held == set()


@pytest.mark.long
def test_the_wheel_works_without_a_checkout(unpacked: Path, tmp_path: Path) -> None:
    """What reads files that are no modules: the measuring program, migrations, templates, the demo's scenario."""
    made = run(unpacked, tmp_path, "demo", "--only-repository", "--in", "tinytext")
    assert made.returncode == 0, made.stderr
    told = run(unpacked, tmp_path, "scenario", "run", "demo", "--repo", "tinytext", "--runner", "local", "--runs", "1")
    assert (told.returncode, "cpu_seconds" in told.stdout) == (0, True), told.stderr
    weekly = run(unpacked, tmp_path, "weekly", "--report", "week")
    assert (weekly.returncode, (tmp_path / "week" / "weekly.html").exists()) == (0, True), weekly.stderr


@pytest.mark.long
def test_the_demo_runs_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    done = run(unpacked, tmp_path, "demo", "--runner", "local", "--report", "answer")
    assert done.returncode == 0, done.stderr
    assert "That is what was found." in done.stdout
    assert (tmp_path / "answer" / "report.html").stat().st_size > 50_000
