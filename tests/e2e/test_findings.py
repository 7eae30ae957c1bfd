"""What the rules say, for real: a program planted for each, both sides profiled and counted by the real command."""

import pytest

from tests.helpers.installs import Install
from tests.helpers.planted import FINDINGS, SLOWER_CALLEE
from tests.helpers.whys import explained

pytestmark = [pytest.mark.slow, pytest.mark.alone]
IN_CI = ("a cache that stopped hitting",)


def check(install: Install, name: str) -> None:
    planted, sentence = FINDINGS[name]
    told = explained(install, planted)
    findings = [line for line in told.findings if not line.startswith("Profiled with")]
    assert any(sentence in finding for finding in findings), told.text
    assert len(findings) == 1, "the rules that do not hold say nothing"


@pytest.mark.parametrize("name", IN_CI)
def test_what_was_planted_is_said(local_install: Install, name: str) -> None:
    check(local_install, name)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in FINDINGS if name not in IN_CI])
def test_what_was_planted_elsewhere_is_said_too(local_install: Install, name: str) -> None:
    check(local_install, name)


@pytest.mark.long
def test_a_function_that_is_only_slower_gives_rise_to_no_finding(local_install: Install) -> None:
    told = explained(local_install, SLOWER_CALLEE)
    assert [line for line in told.findings if not line.startswith("Profiled with")] == []
