"""A build that lacks a tool of the machine: no knowledge about the commit, for the tool can be installed."""

import json
import os
from pathlib import Path

import pytest

from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

SCENARIO = """\
name = "level"
[build]
STEPS
[run]
command = ["sh", "-c", "cat level"]
[[metrics]]
name = "seconds"
source = "number"
exact = true
"""
LEVEL = '"sed -n s/LEVEL.=.//p lib.py >level"'
STEPS = {
    "make": f"steps = [{LEVEL}, \"printf 'all:\\\\n\\\\tmade-for-this-test x\\\\n' | make -f -\"]",
    "dependency": f'dependency_steps = ["made-for-this-test"]\nsteps = [{LEVEL}]',
}


@pytest.mark.parametrize("where", STEPS)
def test_what_failed_for_want_of_a_tool_is_built_again_once_it_is_installed(
    cli: Cli, repository: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tools}")
    (tmp_path / "level").mkdir()
    (tmp_path / "level" / "scenario.toml").write_text(SCENARIO.replace("STEPS", STEPS[where]))
    bisect = ("bisect", "good", "bad", "--repo", repository.top, "--scenario", tmp_path / "level")
    how = ("--runner", "local", "--no-profile", "--json", "-")
    without = cli(*bisect, *how)
    assert (without.code, "made-for-this-test" in without.err) == (4, True), without.err
    (tools / "made-for-this-test").write_text("#!/bin/sh\n")
    (tools / "made-for-this-test").chmod(0o755)
    installed = cli(*bisect, *how)
    assert installed.code == 0, installed.err
    assert [each["subject"] for each in json.loads(installed.out)["culprits"]] == ["Change 5"]
