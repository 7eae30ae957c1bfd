"""What stands for a command that runs elsewhere, compiled and in Python: one behaviour."""

import os
import subprocess
from pathlib import Path

import pytest

from bisector.adapters.measure.tools import Tools


def call(tools: Tools, *arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    command = [*tools.here("attend"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=30, check=False)


@pytest.mark.parametrize("status", ["0", "3"])
def test_it_waits_until_it_is_released_and_ends_as_it_is_told(tools: Tools, tmp_path: Path, status: str) -> None:
    pipe = tmp_path / "held"
    os.mkfifo(pipe)  # of a run before
    command = [*tools.here("attend"), "hold", str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert process.poll() is None
        assert call(tools, "release", pipe, status).returncode == 0
        assert process.wait(30) == int(status)


def test_what_nobody_holds_cannot_be_released(tools: Tools, tmp_path: Path) -> None:
    assert call(tools, "release", tmp_path / "nowhere", "0").returncode == 125
    os.mkfifo(tmp_path / "left")
    assert call(tools, "release", tmp_path / "left", "0").returncode == 125
