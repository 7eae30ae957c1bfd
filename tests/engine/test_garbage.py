"""What is removed and what never is; builds made once, whoever wants them; use that is noted."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.machine import InMemoryLocks
from bisector.adapters.in_memory.world import World
from bisector.adapters.locks import FileLocks
from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded
from bisector.core.model.request import RunnerName
from bisector.core.model.samples import Outcome
from bisector.engine.garbage import Keeping, KnownBuild, collect, removable
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, InfraFault
from tests.helpers.simulated import Simulation

WORLD = World(candidates=16, culprit=9, noise=0.01)


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.integers(1, 1000)), max_size=30),
    st.sets(st.integers(0, 29)),
    st.floats(0, 1000),
    st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_what_a_live_job_needs_is_never_chosen(
    made: list[tuple[float, int]], wanted: set[int], keep: float, size: int
) -> None:
    builds = [
        KnownBuild(build=Build(key=str(number), outcome=Outcome.OK), used=used, size=bytes_)
        for number, (used, bytes_) in enumerate(made)
    ]
    needed = frozenset(map(str, wanted))
    chosen = {each.build.key for each in removable(builds, needed, now=1000, keep_seconds=keep, keep_bytes=size)}
    assert not chosen & needed
    left = [each for each in builds if each.build.key not in chosen and each.build.key not in needed]
    assert all(1000 - each.used <= keep for each in left)
    if not needed:
        assert sum(each.size for each in left) <= size or not left


def collected(simulation: Simulation, **keeping: float) -> int:
    now = simulation.ports.clock.now().timestamp()
    wanted = Keeping(now=now, seconds=keeping.get("seconds", 0.0), size=int(keeping.get("size", 0)))
    runners = {RunnerName.SIMULATED: simulation.ports.runner}
    found = collect(
        simulation.ports.store,
        runners,
        lambda _: simulation.ports.repository,
        wanted,
        locks=simulation.ports.locks,
        dry_run=False,
    )
    return found.builds


def test_builds_of_a_job_that_is_not_done_stay_and_go_once_it_is() -> None:
    simulation = Simulation(WORLD)
    job = simulation.stopped_after(12)
    assert collected(simulation) == 0
    simulation.work(job)
    assert collected(simulation) > 0
    assert simulation.ports.store.builds() == []
    simulation.close()


def test_a_build_that_a_job_takes_up_while_garbage_is_collected_stays() -> None:
    simulation = Simulation(WORLD)
    simulation.run()

    class JobComesFirst(InMemoryLocks):
        """Another job takes notice of everything just before the first build is removed."""

        came = False

        def building(self, key: str, stop: StopSignal):  # type: ignore[no-untyped-def]
            if not self.came:
                self.came = True
                job = simulation.ports.store.create(simulation.request())
                asked = StopSignal()

                class StopAtHistory:
                    def planned(self, *_: object) -> None: ...

                    def learned(self, investigation: object, *_: object) -> None:
                        if getattr(investigation, "history", None) is not None:
                            asked.set("enough")

                simulation.ports = replace(simulation.ports, observers=(StopAtHistory(),))
                with pytest.raises(Cancelled):
                    simulation.work(job, asked)
            return super().building(key, stop)

    simulation.ports = replace(simulation.ports, locks=JobComesFirst())
    before = {build.key for build, _ in simulation.ports.store.builds() if build.usable}
    collected(simulation)
    kept = {build.key for build, _ in simulation.ports.store.builds()}
    recorded = {f.build.key for f in simulation.ports.store.facts("2") if isinstance(f, BuildRecorded)}
    assert recorded
    assert recorded <= kept <= before | recorded
    simulation.close()


def test_one_build_that_cannot_be_removed_does_not_keep_the_rest() -> None:
    simulation = Simulation(WORLD)
    simulation.run()
    runner = simulation.ports.runner
    stuck = simulation.ports.store.builds()[0][0].key
    discard = runner.discard

    def refusing(build: Build) -> None:
        if build.key == stuck:
            raise InfraFault("the image is in use")
        discard(build)

    runner.discard = refusing  # type: ignore[method-assign]
    assert collected(simulation) > 0
    assert [build.key for build, _ in simulation.ports.store.builds()] == [stuck]
    simulation.close()


def test_use_by_a_later_job_keeps_a_build_young() -> None:
    simulation = Simulation(WORLD)
    simulation.run()
    first = {build.key: used for build, used in simulation.ports.store.builds()}
    simulation.run()
    again = {build.key: used for build, used in simulation.ports.store.builds()}
    assert any(again[key] > used for key, used in first.items())
    simulation.close()


HOLDER = """
import sys, time
from pathlib import Path
from bisector.adapters.locks import FileLocks
from bisector.engine.stop import StopSignal
with FileLocks(Path(sys.argv[1])).building("key", StopSignal()):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
print("let go", flush=True)
"""


def holder(root: Path, seconds: float) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(root), str(seconds)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_build_is_waited_for_while_another_process_makes_it(tmp_path: Path) -> None:
    with holder(tmp_path, 0.5) as process:
        with FileLocks(tmp_path).building("key", StopSignal()):
            assert process.stdout is not None
            assert process.stdout.readline() == b"let go\n"
        assert process.wait() == 0
    assert not list(tmp_path.iterdir())


def test_a_killed_owner_holds_nobody(tmp_path: Path) -> None:
    with holder(tmp_path, 600) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with FileLocks(tmp_path).building("key", StopSignal()):
            pass
    assert not list(tmp_path.iterdir())


def test_waiting_for_a_build_ends_when_asked_to_stop(tmp_path: Path) -> None:
    stop = StopSignal()
    stop.set("enough")
    with holder(tmp_path, 600) as process:
        try:
            with pytest.raises(Cancelled), FileLocks(tmp_path).building("key", stop):
                pytest.fail("it is held")
        finally:
            process.kill()
