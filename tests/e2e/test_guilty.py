"""Ten planted slowdowns of ten kinds: the function that is to blame is the prime suspect."""

import re
from pathlib import Path

import pytest

from tests.e2e.guilty import BENCH, CASES, SCENARIO, Guilty, files_of
from tests.helpers.installs import Install
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.alone]
PRIME = re.compile(r"^ *[\d.]+ %  (\S+) \(app/", re.MULTILINE)
SAMPLE = frozenset(("more calls",))
"""What CI has time for; `make long` has it for all."""


def blamed(case: Guilty, install: Install, place: Path) -> str:
    """The prime suspect of a case."""
    before, after = files_of(case)
    repository = Sandbox.make(place / "repository")
    repository.commit("before", before)
    repository.commit("after", after)
    scenario = place / "scenario"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(SCENARIO)
    (scenario / "bench.py").write_text(BENCH)
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local", "--report", place / "out")
    done = install.run("profile", "HEAD~1", "HEAD", *where)
    assert done.code == 0, done.err
    prime = PRIME.search(done.out)
    assert prime is not None, done.out
    return prime[1]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=() if case.name in SAMPLE else (pytest.mark.long,)) for case in CASES],
)
def test_the_guilty_function_is_the_prime_suspect(case: Guilty, local_install: Install, tmp_path: Path) -> None:
    assert blamed(case, local_install, tmp_path).rpartition(".")[2] in case.guilty
