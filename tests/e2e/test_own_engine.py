"""An engine of the test's own that is killed, stopped, hangs or has a full disk: no commit is blamed for it."""

import io
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from docker import APIClient

from bisector.core.model.facts import Concluded
from bisector.core.model.samples import Outcome, Sample
from tests.e2e.test_killed import BISECTOR, Victim
from tests.helpers.installs import need_engine
from tests.helpers.postgres import wait_until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="an engine of one's own needs root"),
    # The SDK forgets to close a socket that it cannot connect.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SMALL = "64m"

SCENARIO = """\
name = "slow"
[build]
image = "tiny"
[run]
command = ["sh", "-c", "read -r _ _ LEVEL < lib.py; sleep 0.5; echo '{\\"operations\\": '$LEVEL'}'"]
timeout_seconds = 20
[[metrics]]
name = "operations"
exact = true
"""


class OwnEngine:
    """A dockerd beside the machine's own, with an image of a shell and `sleep`."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.url = f"unix://{top}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self.data = top / "data"
        self.data.mkdir()
        # Sockets lie there, and the path of one has at most 107 characters.
        self.exec = Path(tempfile.mkdtemp(prefix="engine-"))

    def on_a_small_disk(self) -> None:
        """Before it is started: everything it keeps lies on a file system of its own."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(self.data)], check=True)

    def fill_up(self) -> None:
        """Leave nothing of its disk."""
        with suppress(OSError), (self.data / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass

    def make_room(self) -> None:
        """Take away what fills it."""
        (self.data / "filler").unlink()

    def start(self) -> None:
        # What a killed engine left would keep the next one from starting.
        for stale in (self.top / "docker.pid", self.exec / "containerd" / "containerd.pid"):
            self._end_what_was_left(stale)
        places = [f"--data-root={self.data}", f"--exec-root={self.exec}", f"--pidfile={self.top}/docker.pid"]
        apart = [
            "--bridge=none",
            "--iptables=false",
            "--containerd-namespace=own",
            "--containerd-plugins-namespace=ownp",
        ]
        with (self.top / "dockerd.log").open("ab") as log:
            # In a network of its own: an engine without a bridge takes that of the machine's engine away.
            command = ["unshare", "--net", "dockerd", "-H", self.url, *places, *apart]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_until(self.answers, 90, "the engine of the test")

    def _end_what_was_left(self, stale: Path) -> None:
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            number = int(stale.read_text())
            told = Path(f"/proc/{number}/cmdline").read_bytes() if Path(f"/proc/{number}").exists() else b""
            if os.fsencode(self.exec) in told:
                os.kill(number, signal.SIGKILL)
        stale.unlink(missing_ok=True)

    def answers(self) -> bool:
        # Asked by the client: the SDK forgets to close a socket that it cannot connect.
        asked = subprocess.run(["docker", "-H", self.url, "version"], capture_output=True, timeout=60, check=False)
        return asked.returncode == 0

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self) -> None:
        assert self.process is not None
        self.process.wait(timeout=60)

    def import_tiny(self) -> None:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            for path in _parts_of("sh", "sleep"):
                archive.add(os.path.realpath(path), arcname=path.lstrip("/"))
        with closing(APIClient(base_url=self.url, timeout=60)) as api:
            api.import_image_from_data(made.getvalue(), repository="tiny", tag="latest")

    def containers(self) -> list[str]:
        with closing(APIClient(base_url=self.url, timeout=30)) as api:
            return [str(found["Names"]) for found in api.containers(all=True)]

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(timeout=60)
        self._end_what_was_left(self.exec / "containerd" / "containerd.pid")
        # One for the small disk, and one for every engine that was killed: it mounts its data upon itself.
        while self.data.is_mount():
            subprocess.run(["umount", "--lazy", str(self.data)], check=True)
        shutil.rmtree(self.exec, ignore_errors=True)


def _parts_of(*programs: str) -> set[str]:
    """The files of programs and the libraries they load."""
    found = set()
    for program in programs:
        path = shutil.which(program)
        assert path is not None
        told = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        found |= {f"/bin/{program}", *re.findall(r"(/\S+\.so\S*)", told)}
    return found


@pytest.fixture
def engine(tmp_path: Path, how: str) -> Iterator[OwnEngine]:
    need_engine()
    bridge = Path("/sys/class/net/docker0")
    bridged = bridge.exists()
    made = OwnEngine(tmp_path)
    if how == "full":
        made.on_a_small_disk()
    try:
        made.start()
        made.import_tiny()
        yield made
    finally:
        made.close()
    assert bridge.exists() == bridged, "the machine's own engine is left as it was"


def _job(victim: Victim, engine: OwnEngine, *arguments: str) -> "subprocess.Popen[bytes]":
    victim.environment = {**victim.environment, "DOCKER_HOST": engine.url}
    command = [*BISECTOR, *arguments]
    return subprocess.Popen(
        command, cwd=victim.top, env=victim.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("how", ["killed", "stopped", "hung", "full"])
def test_an_engine_that_goes_away_costs_no_commit_its_name(how: str, engine: OwnEngine, tmp_path: Path) -> None:
    victim = Victim(tmp_path)
    (victim.top / "scenario" / "scenario.toml").write_text(SCENARIO)
    ends = ("HEAD~12", "HEAD", "--repo", str(victim.top / "repository"), "--runner", "docker")
    if how == "full":
        engine.fill_up()
    process = _job(victim, engine, "bisect", *ends, "--scenario", str(victim.top / "scenario"), "--no-profile")
    if how != "full":
        wait_until(lambda: _runs(victim) >= 2, 240, "two runs")
    if how == "hung":
        engine.signal(signal.SIGSTOP)
        time.sleep(15)
        engine.signal(signal.SIGCONT)
    else:
        if how != "full":
            engine.signal(signal.SIGKILL if how == "killed" else signal.SIGTERM)
            engine.ended()
        _, complaint = process.communicate(timeout=300)
        assert process.returncode == 5, complaint.decode()
        assert b"bisector jobs resume 1" in complaint
        assert b"Traceback" not in complaint
        if how == "full":
            assert b"no space left" in complaint.lower(), complaint.decode()
            engine.make_room()
        else:
            engine.start()
        process = _job(victim, engine, "jobs", "resume", "1")
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint.decode()
    facts = victim.facts()
    (verdict,) = [fact.verdict for fact in facts if isinstance(fact, Concluded)]
    assert verdict.culprits[0].members == (8,)
    samples = [fact for fact in facts if isinstance(fact, Sample)]
    assert {sample.outcome for sample in samples} <= {Outcome.OK, Outcome.INFRA}
    assert set(Counter((s.step, s.order) for s in samples if s.counts).values()) == {1}
    assert engine.containers() == []


def _runs(victim: Victim) -> int:
    try:
        return sum(isinstance(fact, Sample) for fact in victim.facts())
    except Exception:  # noqa: BLE001  there is no database yet
        return 0
