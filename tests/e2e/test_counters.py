"""A bisect on a counter: one run a commit finds what wall time needs many for, and it is said to be a proxy."""

import shutil
from pathlib import Path

import pytest

from benchmarks.counters import AGAIN, HEADER, LIBRARY, MAIN, SCENARIO
from tests.helpers.installs import BASE_IMAGE, Done, Install
from tests.helpers.repositories import Sandbox

COMMITS, CULPRIT = 6, 4


@pytest.fixture
def repository(tmp_path: Path) -> Sandbox:
    """Six commits in C, of which one makes everything 3 % more work; one does not build."""
    made = Sandbox.make(tmp_path / "repository")
    for number in range(COMMITS + 1):
        broken = "#error not yet\n" if number == 2 else f"/* {number} */\n"
        library = LIBRARY.format(extra=broken, again=AGAIN if number >= CULPRIT else "")
        made.commit(f"Change {number}", {"digest.c": library, "digest.h": HEADER.format(number=number), "main.c": MAIN})
    return made


def bisect(install: Install, repository: Sandbox, tmp_path: Path, runner: str) -> Done:
    """Search all of them by instructions, in runs too short to be timed."""
    scenario = tmp_path / "digest"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO.format(turns=8, image=BASE_IMAGE))
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", runner)
    return install.bisect(f"HEAD~{COMMITS}", "HEAD", *where, "--no-profile")


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["local", pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.long])])
def test_a_regression_of_3_percent_is_found_with_one_run_a_commit(
    runner: str, repository: Sandbox, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed (tests/environment/up.sh profilers)")
    install: Install = request.getfixturevalue(f"{runner}_install")
    done = bisect(install, repository, tmp_path, runner)
    culprit = done.culprit
    assert culprit["commit"] == repository.git("rev-parse", f"HEAD~{COMMITS - CULPRIT}")
    assert 0.02 < culprit["change"]["relative"] < 0.035
    assert done.result["ends"]["good"]["n"] >= 2
    # Two of each end, one of what lies between, a pair afresh; and five of each side by themselves.
    assert done.result["cost"]["runs"] <= 2 * 2 + 3 + 2 + 2 * 5
    counted = done.result["counted"]
    assert counted["by"].startswith(("valgrind", "perf"))
    assert counted["wall_seconds"]["old"]["n"] == counted["wall_seconds"]["new"]["n"] == 5
    assert "is a proxy" in " ".join(done.out.split())
    assert "Wall time" in done.out
