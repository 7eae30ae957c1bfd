"""What else ran on a run's processors: on a planted /proc and /sys, and for real."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.adapters.local.runner import LocalRunner
from bisector.adapters.local.session import measuring_cpus
from bisector.adapters.measure.company import Company, looking
from bisector.core.model.samples import Outcome, Usage
from bisector.engine.ports import RunRecord
from tests.adapters.runner.laboratory import Laboratory

STAT = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 900 0 0 0 0 0 0 0 0 0\ncpu1 {user} 10 20 1000 50 3 2 {steal} 0 0\nintr 1\n"


def plant(root: Path, *, user: int = 100, steal: int = 0, throttled: int | None = 4) -> None:
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc/stat").write_text(STAT.format(user=user, steal=steal))
    if throttled is not None:
        heat = root / "sys/devices/system/cpu/cpu1/thermal_throttle"
        heat.mkdir(parents=True, exist_ok=True)
        (heat / "core_throttle_count").write_text(f"{throttled}\n")


def said(root: Path, own: float, seconds: float = 1.0, **after: int) -> str:
    """What is said of a run of so many seconds on processor 1, with what stands there after it."""
    company = Company([1], root)
    plant(root)
    before = replace(company.look(), at=0.0)
    plant(root, **after)
    return company.between(before, replace(company.look(), at=seconds), own)


def test_what_others_took_is_what_was_busy_beyond_the_runs_own(tmp_path: Path) -> None:
    assert said(tmp_path, 0.9, user=200) == ""
    assert said(tmp_path, 0.5, user=200) == "other processes took 50% of its processors' time"
    assert said(tmp_path, 0.0, user=108, seconds=0.2) == "", "less than a tenth of a second says nothing"
    assert said(tmp_path, 0.0, user=900, seconds=1) == "other processes took 100% of its processors' time"


def test_a_hypervisor_and_heat_are_told(tmp_path: Path) -> None:
    assert said(tmp_path, 1.0, user=200, steal=12) == "the hypervisor took 12% of its processors' time"
    assert said(tmp_path, 1.0, user=200, steal=5) == ""
    assert said(tmp_path, 1.0, user=200, throttled=7) == "heat slowed its processors down (3 times)"


def test_a_machine_without_such_files_says_nothing(tmp_path: Path) -> None:
    company = Company([1], tmp_path)
    assert company.between(company.look(), replace(company.look(), at=1e9), 0.0) == ""
    plant(tmp_path, throttled=None)
    assert company.look().throttled == 0
    record = RunRecord(outcome=Outcome.OK, usage=Usage(wall=1, cpu=0, peak_memory=1))
    with looking(None) as told:
        pass
    assert told.of(record) == record


@pytest.mark.alone
def test_a_process_on_the_same_processor_is_seen_for_real(tmp_path: Path) -> None:
    runner = LocalRunner(tmp_path / "cache", host_env=os.environ, watched=True)
    lab = Laboratory(runner=runner, image_id=None, root=tmp_path)
    build = lab.build({"file": "x"})
    work = ("python3", "-c", "import time\nwhile time.process_time() < 0.5: pass")
    hog = f"import os\nos.sched_setaffinity(0, {set(measuring_cpus(1))})\nprint(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", hog], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            record = lab.run(build, *work)
        finally:
            process.kill()
    assert record.outcome is Outcome.OK
    assert record.disturbed.startswith("other processes took ")
    alone = [lab.run(build, *work).disturbed for _ in range(3)]
    # Somebody else may be here; of a run that has its processor to itself nothing may be said.
    assert "" in alone or os.getloadavg()[0] > 1
