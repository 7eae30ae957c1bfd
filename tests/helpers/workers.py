"""Workers in processes of their own on one database, and what they have to have made of a job."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bisector.core.model.facts import Concluded, Fact
from bisector.core.model.samples import Purpose, Sample
from bisector.engine.job import JobState
from bisector.engine.stop import StopSignal
from bisector.errors import StoreError
from bisector.settings import Settings
from bisector.wiring import Wiring
from tests.helpers.postgres import wait_until

BISECTOR = [sys.executable, "-c", "from bisector.cli import main; main()"]
WORLD = "candidates=400,culprit=260,effect=0.05,noise=0.02,seed=5,pace=0.15"
LEASE = 8.0
TAKEOVER = 45.0
"""The promise is for a lease of 30 s; here the lease is shorter and the machine busier."""


@dataclass
class Service:
    """A database, and workers in processes of their own."""

    top: Path
    url: str
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    lease: float = LEASE

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BISECTOR_STATE_DIR": str(self.top / "state"),
            "BISECTOR_CACHE_DIR": str(self.top / "cache"),
            "BISECTOR_DATABASE_URL": self.url,
            "BISECTOR_LEASE_SECONDS": str(self.lease),
        }

    def __post_init__(self) -> None:
        settings = Settings(
            state_dir=self.top / "state",
            cache_dir=self.top / "cache",
            database_url=self.url,
            lease_seconds=self.lease,
        )
        self.wiring = Wiring(StopSignal(), settings)
        self.wiring.store.jobs()

    def worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        """A worker that says it is there."""
        with (self.top / f"worker-{len(self.running)}.log").open("wb") as log:
            own = {**self.environment, **environment}
            made = subprocess.Popen([*BISECTOR, "worker"], env=own, stderr=log, cwd=self.top)
        self.running.append(made)
        wait_until(lambda: made.pid in {row.info.pid for row in self.wiring.queue.workers()}, 60, "the worker")
        return made

    def log(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.top.glob("worker-*.log")))

    def cli(self, *arguments: str) -> str:
        command = [*BISECTOR, *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.top, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def bisect(self, world: str = WORLD) -> str:
        return self.cli("bisect", "good", "bad", "--simulate", world, "--detach")

    def facts(self, job: str) -> list[Fact]:
        return self.wiring.store.facts(job)

    def state(self, job: str) -> JobState:
        return self.wiring.store.job(job).state

    def state_if_known(self, job: str) -> JobState | None:
        """None while the database is away."""
        try:
            return self.state(job)
        except StoreError:
            return None

    def wait_for_samples(self, job: str, wanted: int) -> None:
        """Until the job is well under way."""
        wait_until(lambda: len(samples(self.facts(job))) >= wanted, 90, f"{wanted} samples of job {job}")

    def wait_for(self, job: str, state: JobState, seconds: float = 180) -> None:
        wait_until(lambda: self.state(job) is state, seconds, f"job {job} to be {state}: {self.log()}")

    def owner(self, job: str) -> int | None:
        """The process that has the job; None as well while a stopped one has the database locked."""
        try:
            return next((row.info.pid for row in self.wiring.queue.workers() if job in row.jobs), None)
        except StoreError:
            return None

    def built_with(self, step: str) -> int:
        """How many builds are at hand whose recipe has this step."""
        logs = [Path(build.log) for build, _ in self.wiring.store.builds() if build.usable]
        return sum(step in log.read_text(errors="replace") for log in logs)

    def stop_between_transactions(self, process: "subprocess.Popen[bytes]") -> None:
        """Stop a worker that has no lock on the database: on SQLite nobody else could look at it."""

        def stopped() -> bool:
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            with closing(sqlite3.connect(self.top / "state" / "bisector.sqlite3", timeout=0.2)) as link:
                try:
                    link.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    process.send_signal(signal.SIGCONT)
                    time.sleep(0.05)
                    return False
                return True

        if not self.url:
            wait_until(stopped, 30, "a moment without a transaction")
            return
        process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.wiring.close()


def samples(facts: list[Fact]) -> list[Sample]:
    return [fact for fact in facts if isinstance(fact, Sample) and fact.purpose is not Purpose.WARMUP]


def assert_answered(facts: list[Fact], culprit: int = 260) -> None:
    """The planted culprit, and each planned run once."""
    verdicts = [fact.verdict for fact in facts if isinstance(fact, Concluded)]
    assert [verdict.culprits[0].members for verdict in verdicts] == [(culprit,)]
    slots = Counter((sample.step, sample.order) for sample in samples(facts))
    assert [slot for slot, count in slots.items() if count > 1] == []
