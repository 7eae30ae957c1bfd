"""Contract: the state that runs find, in both runners."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from bisector.adapters.measure.state import unfixed_hashes
from bisector.adapters.measure.together import run_together
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import Probe, Ready, RunRecipe, Service
from bisector.core.model.state import DataSet
from bisector.engine.ports import RunOrder
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory, marker, stopping_when
from tests.helpers.installs import BASE_IMAGE

COUNT = "echo $(($(cat {state}/N 2>/dev/null || echo 0) + 1)) > {state}/N"
SETUP, PREPARE = COUNT.replace("N", "setups"), COUNT.replace("N", "prepares")
SHOW = ("sh", "-c", "cat {state}/setups {state}/prepares; echo x > {state}/$$; ls {state} | wc -l; ls -A $TMPDIR")


def test_setup_is_made_once_and_prepare_before_every_run(lab: Laboratory, plain: Build) -> None:
    prepare = (PREPARE, "sleep 0.2", "touch $TMPDIR/not-kept $BISECTOR_STATE/new")
    with lab.session(plain, *SHOW, setup=(SETUP,), prepare=prepare) as session:
        made = [session.run() for _ in range(2)]
    assert [record.stdout for record in made] == [b"1\n1\n4\n", b"1\n2\n5\n"], made
    for record in made:
        assert record.usage is not None
        assert record.prepared >= 0.2
        assert record.usage.wall < record.prepared


@pytest.mark.docker
def test_a_new_container_is_set_up_anew(docker_lab: Laboratory, docker_plain: Build) -> None:
    with docker_lab.session(docker_plain, *SHOW, setup=(SETUP,), fresh="run") as session:
        assert [session.run().stdout.split()[0] for _ in range(2)] == [b"1", b"1"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"setup": ("true", "echo no such table >&2; exit 3", "false")}, "setup failed: exit status 3: no such table"),
        ({"prepare": ("cat /nowhere",)}, "prepare failed: exit status 1: cat: /nowhere: No such file or directory"),
        ({"prepare": ("sleep 30",), "prepare_seconds": 0.3}, "prepare was not done when its 0.3 s were over"),
    ],
)
def test_what_cannot_be_prepared_has_no_time(
    lab: Laboratory, plain: Build, settings: dict[str, Any], reason: str
) -> None:
    with lab.session(plain, "echo", "it ran", **settings) as session:
        for _ in range(2):
            record = session.run()
            assert (record.outcome, record.reason, record.usage) == (Outcome.BENCH_FAILED, reason, None)
            assert record.stdout == b""


def test_services_find_what_was_prepared(lab: Laboratory, plain: Build) -> None:
    web = Service(
        name="web",
        command=("sh", "-c", "cat {state}/restored; exec sleep 60"),
        ready=Ready(probe=Probe.LOG, words=("7",)),
    )
    record = lab.run(plain, "cat", "{state}/restored", services=(web,), prepare=("echo 7 > {state}/restored",))
    assert (record.outcome, record.stdout) == (Outcome.OK, b"7\n"), record


def test_stopping_ends_what_prepares(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    with stopping_when(mark) as stop, pytest.raises(Cancelled):
        lab.run(plain, "true", prepare=(f"sleep {mark}",), stop=stop)


def test_of_two_at_once_neither_begins_before_both_are_prepared(local_lab: Laboratory) -> None:
    plain, stop = local_lab.build({"a": ""}), StopSignal()
    recipe = RunRecipe(command=("sh", "-c", "date +%s.%N"), prepare=("sleep $WAIT",), memory_bytes=512 * MEBIBYTE)

    def order(wait: str) -> RunOrder:
        return RunOrder(recipe=replace(recipe, env={"WAIT": wait}), files=None)

    with (
        local_lab.runner.open(plain, order("0"), stop) as first,
        local_lab.runner.open(plain, order("1"), stop) as other,
    ):
        made = run_together([first, other])
    times = [float(record.stdout) for record in made if not isinstance(record, Exception)]
    assert abs(times[0] - times[1]) < 0.7


def data_of(directory: Path, content: bytes) -> tuple[DataSet, Path]:
    sha = hashlib.sha256(content).hexdigest()
    path = directory / sha / "words.txt"
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o444)
    return DataSet(name="words", sha256=sha, path=str(path)), path


def test_data_sets_and_the_seed_are_where_words_and_variables_say(lab: Laboratory, plain: Build) -> None:
    content = b"many words\n" * 200_000
    data, path = data_of(lab.root, content)
    script = "sha256sum < {data.words}; sha256sum < $BISECTOR_DATA_WORDS; echo {seed} $BISECTOR_SEED; : >> {data.words}"
    recipe = RunRecipe(command=("sh", "-c", script), data=(data,), seed=42, memory_bytes=512 * MEBIBYTE)
    order = RunOrder(recipe=recipe, files=None, data={"words": path})
    with lab.runner.open(plain, order, StopSignal()) as session:
        record = session.run()
    assert record.stdout.decode().split() == [data.sha256, "-", data.sha256, "-", "42", "42"], record
    assert path.read_bytes() == content


@pytest.mark.docker
def test_data_sets_cannot_be_written_in_a_container(docker_lab: Laboratory, docker_plain: Build) -> None:
    data, path = data_of(docker_lab.root, b"one\n")
    script = "echo two >> {data.words} || cat {data.words}; grep -c ' /bisector/data/words .* ro,' /proc/mounts"
    order = RunOrder(recipe=RunRecipe(command=("sh", "-c", script), data=(data,)), files=None, data={"words": path})
    with docker_lab.runner.open(docker_plain, order, StopSignal()) as session:
        assert session.run().stdout == b"one\n1\n"


@pytest.mark.docker
def test_a_hash_seed_that_an_image_fixes_is_drawn_anew(docker_lab: Laboratory, engine: APIClient) -> None:
    made = engine.create_container(BASE_IMAGE, ["true"], environment={"PYTHONHASHSEED": "0"})
    try:
        image = engine.commit(made["Id"], repository="bisector-tests", tag="fixed-hashes")["Id"]
    finally:
        engine.remove_container(made["Id"])
    try:
        docker_lab.image_id = image
        build = docker_lab.build({"a": ""})
        ask = ("python3", "-c", "print(hash('x'))")
        with docker_lab.session(build, *ask) as session:
            assert session.run().stdout != session.run().stdout
        with docker_lab.session(build, *ask, env={"PYTHONHASHSEED": "7"}) as session:
            assert session.run().stdout == session.run().stdout
        docker_lab.clean()
    finally:
        engine.remove_image("bisector-tests:fixed-hashes", force=True)


def test_a_hash_seed_is_left_alone_where_nobody_fixed_it() -> None:
    recipe = RunRecipe(command=("true",))
    assert unfixed_hashes({}, recipe) == unfixed_hashes({"PYTHONHASHSEED": "random"}, recipe) == {}
