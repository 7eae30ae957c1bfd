"""Half an hour of jobs on four workers that are killed again and again: nothing lost or done twice, nothing grows.

BISECTOR_TEST_SOAK_MINUTES, BISECTOR_TEST_SOAK_JOBS and BISECTOR_TEST_SOAK_SEED make it another one.
"""

import os
import random
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bisector.core.model.request import Request
from bisector.engine.job import JobState
from bisector.engine.queue import Order
from tests.helpers.workers import Service, assert_answered

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]

WORLD = "candidates=2,culprit=1,effect=0.5,noise=0.005,seed=1,pace=0.05"
BETWEEN_KILLS = (5.0, 15.0)
"""Seconds."""
MORE = 0.1
"""Part of the jobs that is asked for again where all are done before the time is over."""


@dataclass
class Soak:
    """Workers of one host name each, somebody who kills them, and the jobs they are to do."""

    service: Service
    dice: random.Random
    workers: int
    jobs: list[str] = field(default_factory=list)
    kills: int = 0
    sizes: dict[int, list[int]] = field(default_factory=dict)
    """Resident bytes of each worker's process as time went on, by its pid."""

    def start(self, number: int) -> None:
        own = {"STATE_DIR": str(self.service.top / f"state-{number}"), "HOST_NAME": f"host-{number}"}
        made = self.service.worker(**{f"BISECTOR_{name}": value for name, value in own.items()})
        self.at[number] = made.pid

    at: dict[int, int] = field(default_factory=dict)
    """The pid of the worker of each host."""

    def kill_one(self) -> None:
        number = self.dice.randrange(self.workers)
        victim = next(process for process in self.service.running if process.pid == self.at[number])
        victim.kill()
        victim.wait()
        self.kills += 1
        self.start(number)

    def weigh(self) -> None:
        for pid in self.at.values():
            self.sizes.setdefault(pid, []).append(_resident(pid))

    def ask(self, request: Request, count: int) -> None:
        self.jobs += [self.service.wiring.queue.enqueue(request, Order()).job for _ in range(count)]

    def open_jobs(self) -> int:
        return sum(depth.waiting + depth.leased for depth in self.service.wiring.queue.depth())


def _resident(pid: int) -> int:
    """Bytes; Linux says KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.split("\n") if line.startswith("VmRSS:"))) << 10


def _number(name: str, usual: int) -> int:
    return int(os.environ.get(f"BISECTOR_TEST_SOAK_{name}", usual))


@pytest.mark.parametrize(
    ("minutes", "jobs", "workers"),
    [
        pytest.param(
            _number("MINUTES", 30), _number("JOBS", 1000), 4, marks=[pytest.mark.long, pytest.mark.soak], id="long"
        ),
        pytest.param(0.1, 6, 2, id="short"),
    ],
)
def test_workers_that_are_killed_again_and_again_do_every_job_once(
    request: pytest.FixtureRequest, tmp_path: Path, minutes: float, jobs: int, workers: int
) -> None:
    service = Service(tmp_path, request.getfixturevalue("postgres").fresh())
    soak = Soak(service, random.Random(_number("SEED", 20261127)), workers)
    try:
        _soak(soak, minutes, jobs)
        _check(soak)
    finally:
        soak.service.close()


def _soak(soak: Soak, minutes: float, jobs: int) -> None:
    first = soak.service.bisect(WORLD)
    asked = replace(soak.service.wiring.store.job(first).request, reuse_samples=False)
    soak.jobs.append(first)
    soak.ask(asked, jobs - 1)
    for number in range(soak.workers):
        soak.start(number)
    until = time.monotonic() + minutes * 60
    while time.monotonic() < until:
        time.sleep(soak.dice.uniform(*BETWEEN_KILLS))
        soak.weigh()
        soak.kill_one()
        if not soak.open_jobs():
            soak.ask(asked, max(int(jobs * MORE), 1))
    told = time.monotonic()
    while open_ones := soak.open_jobs():
        time.sleep(1.0)
        assert time.monotonic() - told < 3600, f"{open_ones} of {len(soak.jobs)} jobs are not done"
    soak.weigh()


def _check(soak: Soak) -> None:
    """Every job ended with its answer, from runs that are there once each; no worker grew with the jobs it did."""
    store, queue = soak.service.wiring.store, soak.service.wiring.queue
    assert {store.job(job).state for job in soak.jobs} == {JobState.DONE}
    for job in soak.jobs:
        assert_answered(soak.service.facts(job), culprit=1)
    assert "Traceback" not in soak.service.log()
    taken = [entry.attempt for job in soak.jobs if (entry := queue.entry(job)) is not None]
    assert len(taken) == len(soak.jobs)
    assert soak.kills > 0
    longest = max(soak.sizes.values(), key=len)
    sys.stderr.write(
        f"{len(soak.jobs)} jobs, {soak.kills} workers killed, {sum(number > 1 for number in taken)} jobs taken up "
        f"again, the longest-lived worker {longest[0] >> 20} MiB at first and {longest[-1] >> 20} MiB in the end\n"
    )
