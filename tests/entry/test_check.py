"""`bisector check` on a real repository: exit codes, limits, a bypass with a name."""

from pathlib import Path

import pytest

from bisector.engine.stop import StopSignal
from bisector.wiring import Wiring
from tests.entry.conftest import Cli, Printed
from tests.helpers.repositories import Sandbox


def check(cli: Cli, repository: Sandbox, scenario: Path, *arguments: str) -> Printed:
    return cli("check", "--repo", repository.top, "--runner", "local", "--scenario", scenario, *arguments)


def test_worse_than_a_commit_fails_and_no_worse_passes(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    assert check(cli, repository, scenario, "bad", "--against", "good").code == 1
    assert check(cli, repository, scenario, "bad", "--against", "bad~2").code == 0
    printed = check(cli, repository, scenario, "bad~3", "--against", "good", "--max", "seconds=1.2")
    assert "median of seconds is 1.5" in printed.err
    assert printed.code == 1


def test_a_limit_alone_judges_no_change(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    # bad~3 is the commit that made it slower than its parent; the limit holds all the same.
    assert check(cli, repository, scenario, "bad~3", "--max", "seconds=1.6").code == 0
    broken = check(cli, repository, scenario, "bad~3", "--max", "p90:seconds=1.2", "--min", "seconds=0.1")
    assert broken.code == 1
    assert "p90 of seconds is 1.5" in broken.err
    assert "at least 100 ms" in broken.err


def test_a_bypass_passes_in_a_name_that_is_kept_with_the_job(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    arguments = ("bad", "--against", "good", "--bypass", "A. Person", "--reason", "known")
    printed = check(cli, repository, scenario, *arguments)
    assert printed.code == 0
    assert "passed in the name of A. Person: known" in printed.err
    wiring = Wiring(StopSignal())
    try:
        (row,) = wiring.store.jobs()
    finally:
        wiring.close()
    assert row.request.bypass is not None
    assert (row.request.bypass.by, row.request.bypass.reason) == ("A. Person", "known")


def test_the_time_is_kept(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    (scenario / "bench.py").write_text("import time\ntime.sleep(20)\n")
    printed = check(cli, repository, scenario, "bad", "--against", "good", "--within", "3s")
    assert printed.code == 3
    assert "the time is up" in printed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "there is nothing to check against"),
        (("--max", "nonsense"), "not a limit: 'nonsense'"),
        (("--max", "secnds=1"), "has no metric 'secnds'"),
        (("--against", "good", "--bypass", "A. Person"), "a bypass needs a name and a reason"),
        (("--against", "good", "--bypass", " ", "--reason", "x"), "a bypass needs a name and a reason"),
        (("--against", "accepted"), "accepted 0 levels"),
    ],
)
def test_mistakes_are_told(
    cli: Cli, repository: Sandbox, scenario: Path, arguments: tuple[str, ...], told: str
) -> None:
    printed = check(cli, repository, scenario, "bad", *arguments)
    assert printed.code == 2
    assert told in printed.err
