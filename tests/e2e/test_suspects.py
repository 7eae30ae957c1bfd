"""Who is named, for real: programs with a known guilty function, both sides profiled by the real command.

Ten of Python, whose figure stands in docs/profiling.md, and a compiled one. CI tries one of the ten.
"""

import shutil

import pytest

from tests.helpers.installs import Install
from tests.helpers.interpreter import INTERPRETER
from tests.helpers.planted import TEN
from tests.helpers.whys import explained

pytestmark = [pytest.mark.slow, pytest.mark.alone]
IN_CI = ("more calls",)


def check(install: Install, name: str) -> None:
    planted = TEN[name]
    told = explained(install, planted)
    assert told.suspects[:1] == ((planted.guilty, planted.file),), told.text
    assert "changed here" in told.words[0]


@pytest.mark.parametrize("name", IN_CI)
def test_the_guilty_function_comes_first(local_install: Install, name: str) -> None:
    check(local_install, name)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in TEN if name not in IN_CI])
def test_the_guilty_function_comes_first_in_the_other_cases_too(local_install: Install, name: str) -> None:
    check(local_install, name)


@pytest.mark.long
def test_a_compiled_caller_that_was_changed_comes_before_what_it_calls_more_often(local_install: Install) -> None:
    if shutil.which("perf") is None or shutil.which("valgrind") is None:
        pytest.skip("perf or valgrind is not installed (tests/environment/up.sh profilers)")
    told = explained(local_install, INTERPRETER)
    assert told.suspects[0][0] == "execute", told.text
    assert "changed here" in told.words[0]
    assert "mostly in release" in told.words[0] or "mostly in fresh" in told.words[0], told.text
    assert any("perf, 3 captures" in line for line in told.findings), told.text
