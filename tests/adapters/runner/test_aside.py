"""Contract: a build beside runs keeps off their processors, comes second, and leaves nothing when it is broken off."""

import os
from dataclasses import replace

import pytest
from docker import APIClient

from bisector.adapters.threads import LOWER, Threads
from bisector.core.model.builds import Build
from bisector.errors import Cancelled
from tests.adapters.runner.laboratory import Laboratory, marker, processes, wait_until_asleep, wait_until_gone

CPUS = "import os; print(*sorted(os.sched_getaffinity(0)))"
needs_two = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="a build beside a run takes a processor of its own")


def sets(build: Build, lab: Laboratory) -> tuple[set[str], set[str]]:
    """The processors that the build had, as it wrote them down, and those that a run of it has."""
    made = lab.run(build, "python3", "-c", f"print(open('cpus').read()); {CPUS}")
    built, measured = made.stdout.decode().strip().split("\n\n")
    return set(built.split()), set(measured.split())


@pytest.mark.long_locally
@needs_two
def test_it_has_all_processors_but_those_that_are_measured_on(lab: Laboratory) -> None:
    order = lab.order({"a": ""}, steps=(f'python3 -c "{CPUS}" > cpus',), python=True)
    before = os.sched_getaffinity(0)
    built, measured = sets(lab.make(replace(order, leave_cpus=1)), lab)
    assert measured
    assert built
    assert not built & measured
    assert len(built | measured) == lab.runner.processors()
    assert os.sched_getaffinity(0) == before


@pytest.mark.long_locally
@needs_two
def test_a_build_beside_nothing_has_them_all(lab: Laboratory) -> None:
    built, measured = sets(lab.make(lab.order({"a": ""}, steps=(f'python3 -c "{CPUS}" > cpus',), python=True)), lab)
    assert measured < built


def test_in_the_background_it_comes_to_what_it_comes_to_otherwise(lab: Laboratory) -> None:
    order = replace(lab.order({"a": ""}, steps=("echo one > made",)), leave_cpus=1)
    task = Threads().start(lambda stop: lab.make(order, stop))
    assert task.wait(120)
    assert task.result().content == lab.make(lab.order({"a": ""}, steps=("echo one > made",))).content


def test_broken_off_nothing_of_it_is_left(lab: Laboratory) -> None:
    mark = marker()
    order = replace(lab.order({"a": ""}, steps=(f"setsid sleep {mark} & sleep {mark}",)), leave_cpus=1)
    task = Threads().start(lambda stop: lab.make(order, stop))
    wait_until_asleep(mark)
    task.stop()
    assert task.wait(60)
    with pytest.raises(Cancelled):
        task.result()
    wait_until_gone(mark, seconds=1.0)


@pytest.mark.docker
def test_broken_off_no_container_of_it_is_left(docker_lab: Laboratory, engine: APIClient, instance: str) -> None:
    mark = marker()
    order = replace(docker_lab.order({"a": ""}, steps=(f"sleep {mark}",)), leave_cpus=1)
    task = Threads().start(lambda stop: docker_lab.make(order, stop))
    wait_until_asleep(mark)
    ours = {"label": [f"io.bisector.instance={instance}", "io.bisector.role=build"]}
    (found,) = engine.containers(filters=ours)
    told = engine.inspect_container(found["Id"])["HostConfig"]
    assert told["CpuShares"] == 512
    task.stop()
    assert task.wait(60)
    assert engine.containers(all=True, filters=ours) == []


def test_a_local_build_in_the_background_comes_second(local_lab: Laboratory) -> None:
    mark = marker()
    order = local_lab.order({"a": ""}, steps=(f"sleep {mark}",))
    task = Threads().start(lambda stop: local_lab.make(order, stop))
    wait_until_asleep(mark)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    (pid,) = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _sleeps(pid, mark)]
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + LOWER, 19) or own > LOWER
    task.stop()
    assert task.wait(60)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
    assert processes(mark) == []


def _sleeps(pid: int, mark: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read() == b"sleep\0" + mark.encode() + b"\0"
    except OSError:
        return False
