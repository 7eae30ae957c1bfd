"""Jobs to be interrupted: what is typed, in what surroundings, and what is typed after a kill."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.driver import NEVER, Order

LONGEST_LEASE = "3600"
"""No heart beats during a test: it would pass places whenever it liked."""


PATIENCE = 300.0
"""Seconds until a command is given up: a test that waits for ever says nothing."""
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@dataclass
class Driver:
    """The process that all commands are forked from."""

    process: "subprocess.Popen[str]"
    before: Path
    """An install as it is before the first command."""

    def run(self, order: Order) -> tuple[int | None, int]:
        """How the command ended (its exit code, minus the signal, or None when it was stopped), and its number."""
        return self._ask(vars(order))

    def wake(self, process: int) -> int | None:
        """Let a stopped process go on to its end; how that was."""
        return self._ask(process)[0]

    def _ask(self, asked: object) -> tuple[int | None, int]:
        if self.process.stdin is None or self.process.stdout is None:
            raise ValueError("the driver has no pipes")
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            raise TimeoutError(f"no end after {PATIENCE:g} s: {str(asked)[:300]}")
        answer = json.loads(self.process.stdout.readline())
        return answer["code"], answer["pid"]


@contextmanager
def driver(before: Path) -> Iterator[Driver]:
    """A driver that ends with this; every install begins as a copy of `before`."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "BISECTOR_LEASE_SECONDS": LONGEST_LEASE}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
        env=environment,
    )
    try:
        yield Driver(process, before)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the names of the places it passed."""

    code: int | None
    places: tuple[str, ...]
    output: str
    process: int = 0


@dataclass
class Scene:
    """A command in an install of its own, which is made anew for every time it is played."""

    driver: Driver
    top: Path
    command: Sequence[str]
    job: str = "1"
    mutant: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    played: int = 0

    @property
    def place(self) -> Path:
        """Where the install of the present time lies: always the same, since paths are in what is kept."""
        return self.top / "install"

    def set_up(self) -> None:
        """Begin afresh."""
        self.played += 1
        if self.place.exists():
            shutil.rmtree(self.place)
        shutil.copytree(self.driver.before, self.place, symlinks=True)

    def type(
        self,
        *arguments: str,
        at: int = NEVER,
        how: signal.Signals = signal.SIGKILL,
        mutant: str = "",
        of_heart: bool = False,
    ) -> Ended:
        """Run a command, to its end or to the place `at`."""
        output, places = self.top / "output", self.top / "places"
        output.unlink(missing_ok=True)
        places.unlink(missing_ok=True)
        own = {
            "BISECTOR_STATE_DIR": str(self.place / "state"),
            "BISECTOR_CACHE_DIR": str(self.place / "cache"),
            **NO_ENGINE,
        }
        order = Order(
            arguments=arguments,
            directory=str(self.top),
            environment={**own, **NO_ENGINE, **self.environment},
            output=str(output),
            places=str(places),
            at=at,
            signal=how,
            mutant=mutant or self.mutant,
            of_heart=of_heart,
        )
        code, process = self.driver.run(order)
        passed = tuple(places.read_text().splitlines()) if places.exists() else ()
        return Ended(code, passed, output.read_text(errors="replace"), process)

    def play(self) -> Ended:
        """The command from beginning to end."""
        self.set_up()
        return self.type(*self.command)

    def go_on(self, *, at: int = NEVER) -> Ended:
        """What a person types who finds the command killed: go on with the job, look at it when it is done, or ask
        again where it was not made yet."""
        ended = self.type("jobs", "resume", self.job, at=at)
        if "there is no job" in ended.output:
            return self.type(*self.command, at=at)
        if f"job {self.job} is done" in ended.output:
            return self.type("report", self.job, at=at)
        return ended

    def clear_up(self) -> Ended:
        """What is typed now and then."""
        return self.type("gc")

    def elsewhere(self) -> dict[str, Any]:
        """What the install has outside of its directories."""
        return {}
