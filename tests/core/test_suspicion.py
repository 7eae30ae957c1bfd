"""A culprit that changes nothing the program could notice looks odd."""

import pytest

from bisector.core.model.captures import ChangeSeen
from bisector.core.model.history import main
from bisector.core.model.verdict import Doubt
from bisector.core.search.suspicion import doubt_about

CASES = [
    (("README.md", "docs/conf.py", "CHANGELOG.rst"), Doubt.DOCUMENTATION),
    (("tests/test_a.py",), Doubt.TESTS),
    (("src/pkg/tests/data.json", "README.md"), Doubt.TESTS),
    (("pkg/thing_test.go", "conftest.py"), Doubt.TESTS),
    (("src/io_windows.c", "src/win32/pipe.c"), Doubt.PLATFORM),
    (("build/run.ps1", "tests/test_a.py"), Doubt.PLATFORM),
    (("src/macos/clock.m",), Doubt.PLATFORM),
    (("src/a.py",), None),
    (("src/latest.py", "src/contest.py", "src/attest/a.py"), None),
    (("src/winner.py", "src/darwinian.py", "src/ant.py"), None),
    (("README.md", "src/a.py"), None),
    ((), None),
]


@pytest.mark.parametrize(("files", "doubt"), CASES)
def test_what_a_culprit_changes_makes_it_odd_or_not(files: tuple[str, ...], doubt: Doubt | None) -> None:
    assert doubt_about(ChangeSeen(place=main(3), files=files)) is doubt


def test_a_change_that_no_profile_shows_is_odd_and_one_nobody_profiled_is_not() -> None:
    found = {
        seen: doubt_about(ChangeSeen(place=main(3), files=("a.py",), profiled=seen)) for seen in (True, False, None)
    }
    assert found == {True: None, False: Doubt.UNSEEN, None: None}


def test_what_was_not_listed_whole_is_not_judged() -> None:
    assert doubt_about(ChangeSeen(place=main(3), files=("README.md",), left_out=1)) is None
