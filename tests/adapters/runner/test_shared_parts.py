"""The smaller parts both runners share: logs, digests of what was made, locks."""

import fcntl
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bisector.adapters.measure.content import content_of, tree_digest, tree_entries
from bisector.adapters.measure.host import fingerprint, host_facts
from bisector.adapters.measure.lock import Owner, locked, locked_if_free
from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.places import Places
from bisector.adapters.measure.record import Record, parse
from bisector.adapters.measure.steps import Failure, run_steps
from bisector.core.model.samples import Outcome
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from tests.adapters.runner.test_record import GOOD, NONCE, framed


def test_a_short_log_is_kept_whole(tmp_path: Path) -> None:
    with BuildLog(tmp_path / "deep" / "log", limit=100) as log:
        log.say("ours")
        log.write(b"x" * 80)
    assert (tmp_path / "deep" / "log").read_bytes() == b"ours\n" + b"x" * 80


def test_a_long_log_says_how_much_is_missing(tmp_path: Path) -> None:
    with BuildLog(tmp_path / "log", limit=100) as log:
        for number in range(1000):
            log.write(f"{number:9}\n".encode())
    kept = (tmp_path / "log").read_bytes()
    left_out = int(kept.partition(b"[... ")[2].partition(b" bytes")[0])
    assert kept.startswith(b"        0\n        1\n")
    assert kept.endswith(b"      998\n      999\n")
    assert left_out + sum(10 for line in kept.splitlines() if line.strip().isdigit()) == 10_000


def test_a_log_remembers_what_the_step_said_last(tmp_path: Path) -> None:
    with BuildLog(tmp_path / "log") as log:
        log.write(b"first\n")
        log.forget_last()
        log.say("ours")
        log.write(b"second\n")
        assert log.last == b"second\n"


def test_a_log_can_be_read_while_it_grows(tmp_path: Path) -> None:
    with BuildLog(tmp_path / "log") as log:
        log.write(b"begun\n")
        assert (tmp_path / "log").read_bytes() == b"begun\n"


def test_steps_share_the_builds_time(tmp_path: Path) -> None:
    limits: list[float] = []

    def execute(argv: tuple[str, ...], limit: float) -> Failure | Record:
        limits.append(limit)
        time.sleep(0.2)
        if len(limits) < 3:
            record = parse(framed(GOOD), NONCE)
            assert isinstance(record, Record)
            return record
        return Failure(outcome=Outcome.BUILD_FAILED, reason=argv[-1])

    with BuildLog(tmp_path / "log") as log:
        failure = run_steps(("one", "two", "three", "four"), 10.0, log, execute)
    assert failure == Failure(outcome=Outcome.BUILD_FAILED, reason="step 3 of 4 (three) failed: three")
    assert limits[0] > limits[1] + 0.2 > limits[2] + 0.4


def entries(root: Path) -> list[tuple[str, str, str]]:
    return list(tree_entries(root, ("source",)))


def test_a_digest_does_not_depend_on_where_or_when(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "another-name"):
        root = tmp_path / name
        (root / "source").mkdir(parents=True)
        (root / "source" / "script").write_text(f"#!{root}/venv/bin/python\n")
        (root / "source" / "long").write_bytes(b"x" * ((1 << 20) - 5) + str(root).encode() + b"y" * 9)
        (root / "source" / "link").symlink_to(root / "source" / "script")
        (root / "source" / "linked-directory").symlink_to(".")
        os.utime(root / "source" / "script", (len(name), len(name)))
        digests.add(content_of(entries(root)))
    assert len(digests) == 1


def test_a_digest_leaves_out_byte_code_and_sums_of_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "__pycache__").mkdir(parents=True)
    (source / "a.py").touch()
    before = content_of(entries(tmp_path))
    (source / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"1")
    (source / "__pycache__" / "cached.nbi").write_bytes(b"1")
    (source / "b.pyc").write_bytes(b"2")
    (source / "x-1.dist-info").mkdir()
    (source / "x-1.dist-info" / "RECORD").write_bytes(b"3")
    assert content_of(entries(tmp_path)) == before


def test_a_digest_leaves_out_what_says_nothing_of_a_build() -> None:
    kept = [("/usr/bin/tool", "0755 f", "aa"), ("/bisector/source/tmp/x", "0644 f", "bb")]
    noise = [(f"{at}/x", "0644 f", "cc") for at in ("/tmp", "/var/log", "/var/cache/apt", "/run", "/bisector/home")]
    noise += [(f"/etc/{name}", "0644 f", "dd") for name in ("hosts", "hostname", "resolv.conf")]
    assert content_of([*kept, *noise]) == content_of(list(reversed(kept))) != content_of(kept[:1])
    assert content_of([*kept, ("/etc/hosts.allow", "0644 f", "ee")]) != content_of(kept)


def test_a_name_of_any_bytes_can_be_digested(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with open(os.fsencode(tmp_path / "source") + b"/\xff\n", "w"):
        pass
    assert content_of(entries(tmp_path))
    assert tree_digest(tmp_path)


def test_braces_that_name_no_place_stay() -> None:
    places = Places(source="/s", scenario="/c", out="/o", tools="/t")
    assert places.fill('{"a": "{source}"} {x} ${out} {tools}/{scenario}') == '{"a": "/s"} {x} $/o /t//c'


def test_a_lock_is_waited_for_until_somebody_asks_to_stop(tmp_path: Path) -> None:
    stop = StopSignal()
    with locked(tmp_path / "lock", stop):
        with locked_if_free(tmp_path / "lock") as free:
            assert not free
        stop.set("enough")
        with pytest.raises(Cancelled), locked(tmp_path / "lock", stop):
            pass
    with locked_if_free(tmp_path / "lock") as free:
        assert free


def test_readers_share_a_lock(tmp_path: Path) -> None:
    stop = StopSignal()
    path = tmp_path / "lock"
    with locked(path, stop, shared=True), locked(path, stop, shared=True), locked_if_free(path) as free:
        assert not free


def test_a_lock_that_is_removed_while_it_is_taken_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flock = tmp_path / "lock", fcntl.flock

    def remove_first(fd: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with locked(path, StopSignal()), locked_if_free(path) as free:
        assert not free


def test_an_owner_lives_as_long_as_its_process(tmp_path: Path) -> None:
    ours = Owner(tmp_path)
    script = (
        "import sys, pathlib\nfrom bisector.adapters.measure.lock import Owner\n"
        "print(Owner(pathlib.Path(sys.argv[1])).name, flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    top = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        assert ours.is_alive(name)
        other.kill()
        other.wait()
        assert not ours.is_alive(name)
    ours.forget_dead()
    assert [path.name for path in tmp_path.iterdir()] == [ours.name]
    assert ours.is_alive(ours.name)
    assert not ours.is_alive("never-was")


def test_a_host_is_told_by_its_facts() -> None:
    facts = host_facts()
    assert facts["cores"] == str(multiprocessing.cpu_count())
    assert fingerprint(facts) == fingerprint(json.loads(json.dumps(facts)))
    assert fingerprint({**facts, "kernel": "other"}) != fingerprint(facts)
