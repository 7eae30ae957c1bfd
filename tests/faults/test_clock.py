"""The time of day jumps by a day in the middle of a job, there and back: durations, leases and the answer stay."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bisector.core.model.facts import Concluded
from bisector.core.model.samples import Sample
from tests.e2e.test_workers import Service, assert_answered
from tests.helpers.postgres import wait_until

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
DAY = 86_400
WORLD = "candidates=64,culprit=40,effect=0.3,noise=0.005,seed=5,pace=0.2"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (tests/environment/up.sh tools)"),
]


@pytest.mark.parametrize("jumps", [(DAY, 0), (-DAY, DAY)])
def test_a_clock_that_leaps_by_a_day_loses_no_lease_and_changes_no_duration(
    jumps: tuple[int, int], tmp_path: Path
) -> None:
    hands = tmp_path / "clock"
    service = Service(tmp_path, "")
    leaping = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(hands),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    hands.write_text(f"+{2 * DAY}")
    assert _now(leaping) - time.time() > DAY, "the clock cannot be set"
    hands.write_text("+0")
    try:
        job = service.bisect(WORLD)
        worker = service.worker(**leaping)
        for number, offset in enumerate(jumps, start=1):
            service.wait_for_samples(job, 8 * number)
            hands.write_text(f"{offset:+d}")
        wait_until(lambda: any(isinstance(f, Concluded) for f in service.facts(job)), 240, service.log())
        facts = service.facts(job)
        assert_answered(facts, culprit=40)
        clocks = [fact.clock for fact in facts if isinstance(fact, Sample)]
        assert clocks == sorted(clocks)
        assert clocks[-1] - clocks[0] < DAY / 2
        assert worker.poll() is None, service.log()
        assert "given up" not in service.log()
    finally:
        service.close()


def _now(environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", "import time; print(time.time())"]
    told = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return float(told.stdout)
