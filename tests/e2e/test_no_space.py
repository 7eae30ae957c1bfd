"""A disk that fills up in the middle of a job: told in one message, and the job goes on from where it was."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.helpers.installs import Install
from tests.helpers.repositories import Sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root"),
    pytest.mark.alone,
]


def mount(at: Path, mebibytes: int, *options: str) -> None:
    settings = ",".join([*options, f"size={mebibytes}m"])
    subprocess.run(["mount", "-t", "tmpfs", "-o", settings, "bisector-test", str(at)], check=True)


def test_what_was_measured_before_the_disk_was_full_is_kept(local_install: Install, tmp_path: Path) -> None:
    repository = Sandbox.make(tmp_path / "repository")
    for number in range(9):
        level = 1.0 if number < 5 else 1.5
        repository.commit(f"Change {number}", {"lib.py": f"LEVEL = {level}\n", "bulk": bytes(16 << 20)})
    command = ("python", "-c", "from lib import LEVEL; print(LEVEL)")
    cache = local_install.top / "cache"
    cache.mkdir()
    mount(cache, 90)  # enough for the helper, py-spy and the ends
    try:
        ends = ("main~8", "main", "--repo", repository.top, "--runner", "local")
        full = local_install.bisect(*ends, "--build", "true", "--", *command)
        assert full.code == 5
        assert "no space left on the disk" in full.err
        assert "bisector jobs resume 1" in full.err
        assert "Traceback" not in full.err
        before = local_install.run("jobs", "log", "1").out
        mount(cache, 600, "remount")
        resumed = local_install.run("jobs", "resume", "1")
    finally:
        subprocess.run(["umount", "--lazy", str(cache)], check=True)
    assert resumed.code == 0, resumed.err
    assert "Change 5" in resumed.out
    assert "Build 8: " in before
    assert local_install.run("jobs", "log", "1").out.startswith(before.rstrip().rpartition("\n")[0])
