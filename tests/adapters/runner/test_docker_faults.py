"""When the engine, or somebody at it, gets in the way: never held against a commit, and nobody else's is touched."""

import contextlib
import gc
import socket
import struct
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import docker.errors
import pytest
from docker import APIClient

from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.exec import Call, call_program
from bisector.adapters.docker.fate import outcome_of_silence
from bisector.adapters.docker.runner import DockerRunner
from bisector.adapters.measure.answer import Answer
from bisector.adapters.measure.record import Damage
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, InfraFault
from tests.adapters.runner.laboratory import Laboratory, marker, processes, wait_until_asleep
from tests.adapters.runner.proxy import Proxy

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("how", ["kill", "remove", "stop"])
def test_a_container_that_ends_under_us_is_the_machines_fault(
    docker_lab: Laboratory, docker_plain: Build, engine: APIClient, how: str
) -> None:
    mark = marker()
    script = f"trap 'exit 0' TERM; sleep {mark} & wait"
    with docker_lab.session(docker_plain, "sh", "-c", script, timeout_seconds=30.0) as session:
        doomed = session.container

        def end() -> None:
            wait_until_asleep(mark)
            if how == "remove":
                engine.remove_container(doomed, force=True)
            elif how == "kill":
                engine.kill(doomed)
            else:
                engine.stop(doomed, timeout=5)

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(InfraFault, match=r"the container (ended|was removed) while it was in use"):
            session.run()
        thread.join()
        assert session.container != doomed


def test_a_container_gone_between_runs_is_the_machines_fault_and_replaced(
    docker_lab: Laboratory, docker_plain: Build, engine: APIClient
) -> None:
    with docker_lab.session(docker_plain, "true") as session:
        engine.remove_container(session.container, force=True)
        with pytest.raises(InfraFault):
            session.run()
        assert session.run().outcome is Outcome.OK


def test_an_image_deleted_under_us_is_the_machines_fault(docker_lab: Laboratory, engine: APIClient) -> None:
    build = docker_lab.build({"a": ""})
    engine.remove_image(build.handle, force=True)
    assert not docker_lab.runner.holds(build)
    with pytest.raises(InfraFault, match="is gone"):
        docker_lab.run(build, "true")


def test_a_tools_volume_removed_by_hand_is_filled_again(
    instance: str, docker_lab: Laboratory, docker_plain: Build, engine: APIClient, cache: Path
) -> None:
    runner = DockerRunner(instance, cache, build_env={})
    lab = Laboratory(runner=runner, image_id=docker_lab.image_id, root=docker_lab.root)
    assert lab.run(docker_plain, "true").outcome is Outcome.OK
    name = runner._workshop.volumes.tools_name
    engine.remove_volume(name)
    with pytest.raises(InfraFault):
        lab.run(docker_plain, "true")
    assert lab.run(docker_plain, "true").outcome is Outcome.OK
    assert engine.inspect_volume(name)["Labels"]["io.bisector.instance"] == instance


# The SDK forgets to close a socket that it cannot connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("how", ["cut", "hold"])
def test_an_engine_lost_during_a_run_is_the_machines_fault_and_the_container_goes_later(
    docker_lab: Laboratory, docker_plain: Build, engine: APIClient, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    mark = marker()
    left: list[str] = []

    def lose(proxy: Proxy) -> None:
        wait_until_asleep(mark)
        getattr(proxy, how)()

    def run_and_lose(proxy: Proxy) -> None:
        command = ("sh", "-c", f"trap '' TERM; sleep {mark}")
        with docker_lab.session(docker_plain, *command, timeout_seconds=4.0) as session:
            left.append(session.container)
            thread = threading.Thread(target=lose, args=(proxy,))
            thread.start()
            session.run()

    with Proxy(docker_lab.root / "docker.sock") as proxy, monkeypatch.context() as patched:
        patched.setenv("DOCKER_HOST", f"unix://{proxy.path}")
        patched.setattr("bisector.adapters.docker.engine.CALL_LIMIT", 1.0)
        patched.setattr("bisector.adapters.docker.container.PATIENCE_SECONDS", 4.0)
        with pytest.raises(InfraFault):
            run_and_lose(proxy)
    assert engine.inspect_container(left[0])["State"]["Running"], "nobody could be told to end it"
    assert docker_lab.run(docker_plain, "true").outcome is Outcome.OK
    with pytest.raises(docker.errors.NotFound):
        engine.inspect_container(left[0])
    assert processes(mark) == []
    gc.collect()


def test_no_engine_is_said_with_advice(instance: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = DockerRunner(instance, cache, build_env={})
    for host in ("unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"):
        monkeypatch.setenv("DOCKER_HOST", host)
        with pytest.raises(EnvironmentFault, match="no Docker engine answers") as caught:
            runner.resolve_image("python:3.11-slim")
        assert not isinstance(caught.value, InfraFault)
        assert "--runner local" in str(caught.value)


def test_what_comes_together_with_the_answers_head_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the whole record may be there before the head is read; the SDK's reader drops it."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as buffered:
        theirs.sendall(b"HTTP/1.1 101 UPGRADED\r\n\r\n" + struct.pack(">BxxxL", 1, 6) + b"record")
        theirs.close()
        assert (buffered.readline(), buffered.readline()) == (b"HTTP/1.1 101 UPGRADED\r\n", b"\r\n")
        response = SimpleNamespace(raw=SimpleNamespace(_fp=SimpleNamespace(fp=buffered)), close=lambda: None)
        stream = SimpleNamespace(_sock=ours, _response=response, close=lambda: None)
        api = SimpleNamespace(
            exec_create=lambda *_, **__: {"Id": "any"},
            exec_start=lambda *_, **__: stream,
            exec_inspect=lambda _: {"Running": False, "ExitCode": 0},
        )
        call = Call(container="any", argv=("any",), user="", limit=5.0, env={})
        with Engine() as engine:
            monkeypatch.setattr(engine, "api", MagicMock(wraps=api, close=engine.api.close))
            assert call_program(engine, call, StopSignal()) == b"record"


def test_a_hung_engine_is_given_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        begun = time.monotonic()
        with pytest.raises(InfraFault, match="does not answer"):
            Engine(limit=1.0)
        assert time.monotonic() - begun < 10


def test_others_and_other_installs_are_not_touched(
    docker_lab: Laboratory, docker_plain: Build, engine: APIClient, instance: str, cache: Path
) -> None:
    image, ours = docker_lab.image_id, f"io.bisector.instance={instance}"
    labels = [
        {},
        {"io.bisector.instance": f"{instance}-other", "io.bisector.owner": "dead", "io.bisector.owners": str(cache)},
        {
            "io.bisector.instance": instance,
            "io.bisector.owner": "dead",
            "io.bisector.owners": "elsewhere:/cache/owners",
        },
    ]
    made = [engine.create_container(image, ["sleep", "1"], labels=each)["Id"] for each in labels]
    made.append(engine.create_container(docker_plain.handle, ["sleep", "1"])["Id"])  # of our image, by hand
    volume = engine.create_volume(f"{instance}-theirs")["Name"]
    try:
        docker_lab.runner.sweep()
        left = {found["Id"] for found in engine.containers(all=True)}
        assert set(made) <= left
        assert volume in {found["Name"] for found in engine.volumes()["Volumes"]}
        assert engine.containers(all=True, filters={"label": ours}) != []
    finally:
        for container in made:
            engine.remove_container(container, force=True)
        engine.remove_volume(volume)


def test_nothing_is_left_of_builds_and_runs(
    docker_lab: Laboratory, engine: APIClient, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {"label": f"io.bisector.instance={instance}"}
    unnamed: list[str] = []
    remove = Engine.remove_container

    def remember(self: Engine, container: str) -> bool:
        with contextlib.suppress(docker.errors.NotFound):  # another test's, already gone
            mounted = engine.inspect_container(container)["Mounts"]
            unnamed.extend(mount["Name"] for mount in mounted if len(mount.get("Name", "")) == 64)
        return remove(self, container)

    monkeypatch.setattr(Engine, "remove_container", remember)
    build = docker_lab.build({"a": ""}, steps=("echo x > /tmp/x; echo y > $HOME/y",))
    docker_lab.run(build, "true")
    docker_lab.make(docker_lab.order({"a": ""}, steps=("false",)))
    assert engine.containers(all=True, filters=ours) == []
    assert len(unnamed) == 6, "home, temporary files and {out} of two builds"
    assert not {found["Name"] for found in engine.volumes()["Volumes"]} & set(unnamed)
    docker_lab.runner.discard(build)
    assert not [found for found in engine.images(filters=ours) if found["Labels"].get("io.bisector.key") == build.key]


def test_an_image_does_not_hand_on_whose_it_was(docker_plain: Build, engine: APIClient) -> None:
    """What somebody starts from it by hand would have it from there, and be swept once we are gone."""
    labels = engine.inspect_image(docker_plain.handle)["Config"]["Labels"]  # type: ignore[no-untyped-call]
    assert (labels["io.bisector.owner"], labels["io.bisector.owners"]) == ("", "")


CUT_OFF = Answer(record=Damage.CUT_OFF, exit_code=137)


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        (Answer(record=Damage.FOREIGN, exit_code=0), {}, None),
        (CUT_OFF, {"OOMKilled": True, "Running": True}, Outcome.OOM),
        (CUT_OFF, {"OOMKilled": True, "Running": False}, Outcome.OOM),
        (CUT_OFF, {"OOMKilled": False, "Running": True}, None),
    ],
)
def test_a_silence_is_explained_by_the_containers_state(
    answer: Answer | None, state: dict[str, bool], outcome: Outcome | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bisector.adapters.docker.fate._SETTLING", 0.2)
    with Engine() as engine:
        monkeypatch.setattr(Engine, "state", lambda *_: state)
        assert outcome_of_silence(engine, "any", answer) is outcome


def test_a_discard_touches_only_our_own_image(docker_lab: Laboratory, engine: APIClient) -> None:
    assert docker_lab.image_id is not None
    foreign = Build(key="f" * 64, outcome=Outcome.OK, handle=docker_lab.image_id)
    assert not docker_lab.runner.holds(foreign)
    docker_lab.runner.discard(foreign)
    engine.inspect_image(docker_lab.image_id)  # type: ignore[no-untyped-call]


def test_the_environment_is_told(docker_lab: Laboratory, engine: APIClient) -> None:
    from tests.adapters.runner.requests import request_for

    seen = docker_lab.runner.environment(request_for(docker_lab.runner.name, docker_lab.image_id))
    assert seen.toolchain == docker_lab.image_id
    assert seen.details["engine"] == engine.version()["Version"]
    assert seen.details["cpus"].startswith("cpuset ")
    assert seen == docker_lab.runner.environment(request_for(docker_lab.runner.name, docker_lab.image_id))
    assert StopSignal().requested is False
