"""Contract: what a killed process left behind is found and taken away; what others have is not touched."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from tests.adapters.runner.laboratory import Laboratory, marker, processes, wait_until_asleep, wait_until_gone

KEY = "abad1dea" * 8
TOP = Path(__file__).parents[3]


@contextlib.contextmanager
def at_work(lab: Laboratory, cache: Path, instance: str, what: str, mark: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process of the same install that builds or runs something."""
    arguments = [lab.runner.name, instance, cache, lab.root, lab.image_id or "", what]
    command = [sys.executable, "-m", "tests.adapters.runner.abandoned", *map(str, arguments)]
    with subprocess.Popen(command, cwd=TOP, env={**os.environ, "MARK": mark}) as process:
        try:
            wait_until_asleep(mark)
            yield process
        finally:
            process.kill()


@pytest.fixture
def instance_name(lab: Laboratory, request: pytest.FixtureRequest) -> str:
    """The install's name, where the runner has one."""
    return str(request.getfixturevalue("instance")) if lab.runner.name == "docker" else ""


@pytest.mark.parametrize("what", ["build", "run"])
def test_what_a_killed_process_left_is_swept(lab: Laboratory, cache: Path, instance_name: str, what: str) -> None:
    lab.runner.sweep()
    mark = marker()
    with at_work(lab, cache, instance_name, what, mark) as process:
        assert lab.runner.sweep() == 0, "it lives"
        assert processes(mark) != []
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert lab.runner.sweep() == 1
    wait_until_gone(mark)
    assert lab.runner.sweep() == 0
    again = lab.make(lab.order({"a": ""}, key=KEY))
    assert again.reused is (what == "run"), "a finished build outlives its maker, a half-made one does not count"


def test_what_lives_is_not_swept(lab: Laboratory, plain: Build) -> None:
    with lab.session(plain, "true") as session:
        assert lab.runner.sweep() == 0
        assert session.run().outcome is Outcome.OK
    assert lab.runner.holds(plain)
