"""The fence around a measured run, and around a build."""

import json

import docker.errors
import pytest
from docker import APIClient

from bisector.adapters.docker import layout
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.errors import EnvironmentFault, ScenarioError
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory, marker, processes

pytestmark = pytest.mark.docker

LOOK = """
import json, os, resource
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
words = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups")
seen = {word: status[word].split() for word in words}
seen["interfaces"] = os.listdir("/sys/class/net")
seen["core"] = resource.getrlimit(resource.RLIMIT_CORE)
seen["mounts"] = {line.split()[4]: line.split()[5] for line in open("/proc/self/mountinfo")}
print(json.dumps(seen))
"""


def test_a_run_has_no_rights_and_no_network(docker_lab: Laboratory, docker_plain: Build) -> None:
    seen = json.loads(docker_lab.run(docker_plain, "python3", "-c", LOOK).stdout)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert seen[name] == ["0000000000000000"], name
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == (["1"], ["2"])
    assert (set(seen["Uid"]), set(seen["Gid"])) == ({"10001"}, {"10001"})
    assert seen["interfaces"] == ["lo"]
    assert seen["core"] == [0, 0]
    assert "ro" in seen["mounts"]["/"].split(",")
    for place in (layout.TOOLS,):
        assert "ro" in seen["mounts"][place].split(",")
        assert "noexec" not in seen["mounts"][place].split(",")
    for place in (layout.TMP, layout.HOME, layout.OUT, layout.STREAMS, layout.SHM):
        assert {"rw", "nosuid", "nodev"} <= set(seen["mounts"][place].split(","))
    assert not any("docker.sock" in place for place in seen["mounts"])


@pytest.mark.parametrize("place", ["/", layout.SOURCE, "/usr/bin", layout.TOOLS, "/etc", layout.SCENARIO])
def test_a_run_cannot_write_there(docker_lab: Laboratory, docker_plain: Build, place: str) -> None:
    scenario = docker_lab.scenario({"bench.py": ""})
    record = docker_lab.run(docker_plain, "touch", f"{place}/x", scenario=scenario)
    assert record.outcome is Outcome.BENCH_FAILED
    assert "Permission denied" in record.reason or "Read-only file system" in record.reason


def test_what_the_engine_was_told(docker_lab: Laboratory, docker_plain: Build, engine: APIClient) -> None:
    with docker_lab.session(docker_plain, "true", memory_bytes=256 * MEBIBYTE) as session:
        container = engine.inspect_container(session.container)
    config = container["HostConfig"]
    assert container["Config"]["Healthcheck"]["Test"] == ["NONE"], "an image's own would run amid measurements"
    assert (config["Memory"], config["MemorySwap"]) == (256 * MEBIBYTE, 256 * MEBIBYTE)
    assert (config["PidsLimit"], config["NetworkMode"], config["ReadonlyRootfs"]) == (256, "none", True)
    assert (config["CapDrop"], config["CapAdd"], config["SecurityOpt"]) == (["ALL"], None, ["no-new-privileges"])
    assert (config["Privileged"], config["Binds"], config["AutoRemove"]) == (False, None, False)
    assert (config["PidMode"], config["IpcMode"], config["UTSMode"]) == ("", "private", "")
    assert config["LogConfig"]["Config"] == {"max-size": "10m"}
    assert config["CpusetCpus"] == str(engine.info()["NCPU"] - 1)


def test_a_build_has_the_rights_of_a_package_manager(docker_lab: Laboratory) -> None:
    step = "grep CapEff /proc/self/status > caps; grep NoNewPrivs /proc/self/status >> caps; id -u >> caps"
    build = docker_lab.build({"a": ""}, steps=(step, "ls /sys/class/net >> caps"), network="none")
    text = docker_lab.run(build, "cat", "caps").stdout.decode().split()
    # CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID: bits 0, 1, 3, 6, 7
    assert text == ["CapEff:", f"{0b11001011:016x}", "NoNewPrivs:", "1", "0", "lo"]


def test_a_fork_bomb_is_a_time_out_and_the_next_run_is_fine(docker_lab: Laboratory, docker_plain: Build) -> None:
    mark = marker()
    bomb = f"import os, time\nwhile True:\n  try: os.fork()\n  except OSError: time.sleep(0.01)\n# {mark}"
    with docker_lab.session(docker_plain, "python3", "-c", bomb, timeout_seconds=2.0) as session:
        for _ in range(2):
            assert session.run().outcome in {Outcome.TIMEOUT, Outcome.OOM}
            assert processes(mark) == []


@pytest.mark.parametrize("place", [layout.TMP, layout.HOME, layout.OUT, layout.SHM])
def test_a_full_file_system_says_so_and_is_empty_in_the_next_run(
    docker_lab: Laboratory, docker_plain: Build, place: str
) -> None:
    script = f"du -s {place} | cut -f 1; cat /dev/zero > {place}/x"
    with docker_lab.session(docker_plain, "sh", "-c", script, memory_bytes=128 * MEBIBYTE) as session:
        for _ in range(2):
            record = session.run()
            assert record.outcome is Outcome.BENCH_FAILED
            assert record.stdout == b"0\n"
            assert "No space left on device" in record.reason


def test_all_file_systems_full_is_out_of_memory_and_the_next_run_is_fine(
    docker_lab: Laboratory, docker_plain: Build
) -> None:
    places = " ".join((layout.TMP, layout.HOME, layout.OUT, layout.SHM))
    script = f'[ -n "$(ls -A {layout.OUT})" ] && exit 9; for at in {places}; do cat /dev/zero > $at/x; done 2>/dev/null'
    with docker_lab.session(docker_plain, "sh", "-c", script, memory_bytes=96 * MEBIBYTE) as session:
        assert session.run().outcome is Outcome.OOM
        assert session.run().outcome is Outcome.OOM


def test_process_1_heeds_nobody_inside(docker_lab: Laboratory, docker_plain: Build) -> None:
    script = "kill -TERM 1; kill -KILL 1; kill -STOP 1; sleep 0.3; echo on"
    with docker_lab.session(docker_plain, "sh", "-c", script) as session:
        before = session.container
        assert session.run().stdout == b"on\n"
        assert session.container == before
        assert session.run().stdout == b"on\n"


def test_a_stopped_parent_is_a_time_out_and_the_container_is_replaced(
    docker_lab: Laboratory, docker_plain: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bisector.adapters.docker.container.PATIENCE_SECONDS", 1.0)
    script = "[ -e {out}/../streams ] && kill -STOP $PPID; sleep 30"
    with docker_lab.session(docker_plain, "sh", "-c", script, timeout_seconds=0.5) as session:
        before = session.container
        record = session.run()
        assert (record.outcome, record.usage) == (Outcome.TIMEOUT, None)
        assert session.container != before


def test_the_record_cannot_be_written_by_the_command(docker_lab: Laboratory, docker_plain: Build) -> None:
    """Its nonce cannot be read, nor its stream be opened, by the same user."""
    script = (
        "import os, glob\n"
        "told = []\n"
        "for path in glob.glob('/proc/[0-9]*'):\n"
        "    pid = int(path[6:])\n"
        "    if pid == os.getpid(): continue\n"
        "    for name in ('environ', 'mem', 'fd/1'):\n"
        "        try: open(f'{path}/{name}', 'rb' if name == 'environ' else 'r+b').read(1)\n"
        "        except OSError: continue\n"
        "        told.append(f'{pid} {name}')\n"
        "print(told)\n"
    )
    assert docker_lab.run(docker_plain, "python3", "-c", script).stdout == b"[]\n"


def test_a_quick_overstep_in_a_child_is_seen_by_the_kernel(docker_lab: Laboratory, docker_plain: Build) -> None:
    script = 'python3 -c "bytearray(400 << 20)"; exit 0'
    record = docker_lab.run(docker_plain, "sh", "-c", script, memory_bytes=64 * MEBIBYTE)
    assert (record.outcome, record.exit_code) == (Outcome.OOM, 0)


def test_a_container_for_every_run_if_asked(docker_lab: Laboratory, docker_plain: Build) -> None:
    with docker_lab.session(docker_plain, "true", fresh="run") as session:
        first = session.container
        session.run()
        assert session.container != first


def test_a_build_out_of_memory_is_told_apart(docker_lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_BUILD_MEMORY", 64 * MEBIBYTE)
    build = docker_lab.make(docker_lab.order({"a": ""}, steps=("python3 -c 'bytearray(400 << 20)' || true",)))
    assert build.outcome is Outcome.OOM
    assert build.reason.endswith(" || true) ran out of memory")


def test_the_images_environment_is_kept(docker_lab: Laboratory, docker_plain: Build) -> None:
    record = docker_lab.run(docker_plain, "sh", "-c", "echo $PIP_BREAK_SYSTEM_PACKAGES; echo $LANG")
    assert record.stdout == b"1\nC.UTF-8\n"


@pytest.mark.long
def test_the_standard_library_is_compiled_once_where_an_image_comes_without(
    engine: APIClient, instance: str, docker_lab: Laboratory
) -> None:
    """As official Python images do: every run would compile it again, for its root is read-only."""
    strip = "find / -xdev -name '*.pyc' -delete"
    stripping = engine.create_container(docker_lab.image_id, ["sh", "-c", strip])["Id"]
    name = f"bisector-tests-bare:{instance}"
    try:
        engine.start(stripping)
        engine.wait(stripping, timeout=60)
        engine.commit(stripping, repository="bisector-tests-bare", tag=instance)
        docker_lab.image_id = docker_lab.runner.resolve_image(name)
        look = "import json, os; print(os.path.exists(json.__cached__))"
        first, second = (docker_lab.build({"a.py": f"# {n}\n"}, python=True) for n in range(2))
        assert docker_lab.run(first, "python3", "-B", "-c", look).stdout == b"True\n"
        assert second.seconds < first.seconds
        docker_lab.clean()
    finally:
        engine.remove_container(stripping, force=True)
        labels = {"label": [f"io.bisector.instance={instance}", f"io.bisector.base={docker_lab.image_id}"]}
        for image in engine.images(filters=labels):
            engine.remove_image(image["Id"], force=True)
        engine.remove_image(name, force=True)


def test_an_image_that_cannot_be_had_is_named(docker_lab: Laboratory) -> None:
    with pytest.raises(EnvironmentFault, match=r"there is no image 127.0.0.1:1/nowhere:none here") as caught:
        docker_lab.runner.resolve_image("127.0.0.1:1/nowhere:none")
    assert "docker pull 127.0.0.1:1/nowhere:none" in str(caught.value)


def test_what_is_no_name_of_an_image_is_told(docker_lab: Laboratory) -> None:
    with pytest.raises(EnvironmentFault, match="there is no image Not A Name here"):
        docker_lab.runner.resolve_image("Not A Name")


def test_an_image_is_resolved_to_its_id(docker_lab: Laboratory) -> None:
    assert docker_lab.image_id is not None
    assert docker_lab.image_id.startswith("sha256:")
    assert docker_lab.runner.resolve_image(docker_lab.image_id) == docker_lab.image_id
    assert docker_lab.runner.resolve_image(None) is None


def test_a_scenario_without_an_image_is_told(docker_lab: Laboratory) -> None:
    order = docker_lab.order({"a": ""})
    docker_lab.image_id = None
    with pytest.raises(ScenarioError, match="names no base image"):
        docker_lab.make(docker_lab.order({"a": ""}))
    assert order.image_id is not None


def test_the_python_helper_serves_where_nothing_could_be_compiled(
    engine: APIClient, instance: str, docker_lab: Laboratory, docker_plain: Build
) -> None:
    from bisector.adapters.docker.runner import DockerRunner

    runner = DockerRunner(instance, docker_lab.root / "cache", build_env={}, compiler="no-such-compiler")
    other = Laboratory(runner=runner, image_id=docker_lab.image_id, root=docker_lab.root)
    record = other.run(docker_plain, "sh", "-c", "setsid sleep 30 & cat hello.txt; python3 -c 'bytearray(200 << 20)'")
    assert (record.outcome, record.stdout) == (Outcome.OK, b"hello\n")
    record = other.run(
        docker_plain, "sh", "-c", "python3 -c 'bytearray(400 << 20)'; exit 0", memory_bytes=64 * MEBIBYTE
    )
    assert record.outcome is Outcome.OOM


def test_an_image_without_python_needs_the_compiled_helper(
    engine: APIClient, instance: str, docker_lab: Laboratory
) -> None:
    from bisector.adapters.docker.runner import DockerRunner

    empty = engine.import_image_from_data(b"\0" * 1024, repository="bisector-tests-empty", tag=instance)
    assert empty
    name = f"bisector-tests-empty:{instance}"
    try:
        docker_lab.runner.probe(name)  # type: ignore[attr-defined]
        without = DockerRunner(instance, docker_lab.root / "cache", build_env={}, compiler="no-such-compiler")
        with pytest.raises(EnvironmentFault, match="the image has no python3"):
            without.probe(name)
    finally:
        engine.remove_image(name, force=True)
    with pytest.raises(docker.errors.ImageNotFound):
        engine.inspect_image(name)  # type: ignore[no-untyped-call]
