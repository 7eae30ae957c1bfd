"""The measuring helper itself, compiled and in Python: one behaviour."""

import ast
import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.adapters.measure.record import Damage, Record, parse
from bisector.adapters.measure.tools import PROGRAMS, Tools, prepare
from tests.adapters.runner.laboratory import MEBIBYTE, marker, processes, wait_until_asleep, wait_until_gone

NONCE = "0123456789abcdef" * 2
ENV = {"PATH": os.environ["PATH"], "BISECTOR_NONCE": NONCE}


def call(tools: Tools, *arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    command = [*tools.here("measure"), "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=ENV, timeout=60, check=False)


def measured(tools: Tools, *arguments: str | Path) -> Record:
    done = call(tools, *arguments)
    record = parse(done.stdout, NONCE)
    assert isinstance(record, Record), done
    assert (done.returncode, done.stderr) == (0, b"")
    return record


@contextlib.contextmanager
def started(tools: Tools, *arguments: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [*tools.here("measure"), "run", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENV) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_record_is_all_it_writes(tools: Tools, tmp_path: Path) -> None:
    record = measured(tools, "--streams", tmp_path, "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (record.exit_code, record.failed, record.stdout, record.stderr) == (3, None, b"out\n", b"err\n")
    flags = (record.timed_out, record.stopped, record.over_output, record.over_memory)
    assert (flags, record.oom_kills, record.survivors) == ((False,) * 4, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_without_streams_output_goes_where_a_log_is_kept(tools: Tools) -> None:
    done = call(tools, "--", "sh", "-c", "echo out; echo err >&2")
    assert done.stderr == b"out\nerr\n"
    assert isinstance(parse(done.stdout, NONCE), Record)


@pytest.mark.parametrize(
    ("command", "stage", "number"),
    [
        ("/no/such", "exec", errno.ENOENT),
        ("no-such-command", "exec", errno.ENOENT),
        ("/etc/passwd", "exec", errno.EACCES),
        ("/etc", "exec", errno.EACCES),
    ],
)
def test_a_command_that_cannot_be_started_is_told_by_its_error(
    tools: Tools, command: str, stage: str, number: int
) -> None:
    record = measured(tools, "--", command)
    assert record.failed is not None
    assert (record.exit_code, record.failed.stage, record.failed.errno) == (None, stage, number)


def test_a_directory_that_is_not_there_is_told(tools: Tools) -> None:
    failed = measured(tools, "--cwd", "/no/such", "--", "true").failed
    assert failed is not None
    assert (failed.stage, failed.errno) == ("cwd", errno.ENOENT)


def test_processors_that_are_not_there_are_told(tools: Tools) -> None:
    failed = measured(tools, "--cpus", "1000", "--", "true").failed
    assert failed is not None
    assert (failed.stage, failed.errno) == ("cpus", errno.EINVAL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGTERM])
def test_a_signal_is_a_negative_exit_code(tools: Tools, number: signal.Signals) -> None:
    assert measured(tools, "--", "sh", "-c", f"kill -{number.value} $$").exit_code == -number.value


def test_figures_are_the_commands(tools: Tools) -> None:
    usage = measured(tools, "--", "sleep", "0.2").usage
    assert 0.2 <= usage.wall < 0.6
    assert usage.cpu < 0.05


def test_the_helper_sets_a_low_floor_under_peak_memory(tools: Tools) -> None:
    """However large the process that calls it."""
    hog = bytearray(64 * MEBIBYTE)
    assert measured(tools, "--", "true").usage.peak_memory < (2 if tools.compiled else 16) * MEBIBYTE
    assert hog


def test_the_command_sees_nothing_of_the_helper(tools: Tools, tmp_path: Path) -> None:
    look = "os.environ.get('BISECTOR_NONCE'), len(os.listdir('/proc/self/fd')), os.getsid(0) == os.getpid()"
    script = f"import os; print({look})"
    record = measured(tools, "--streams", tmp_path, "--", sys.executable, "-I", "-c", script)
    assert record.stdout == b"None 4 True\n", "0, 1, 2 and the one that lists them"


def test_the_command_starts_with_no_signal_blocked_or_ignored_and_dumps_no_core(tools: Tools, tmp_path: Path) -> None:
    script = "ulimit -S -c $(ulimit -H -c); trap '' INT HUP; exec \"$@\""
    look = ("sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status; ulimit -c")
    inner = [*tools.here("measure"), "run", "--streams", str(tmp_path), "--", *look]
    done = subprocess.run(["sh", "-c", script, "sh", *inner], capture_output=True, env=ENV, timeout=60, check=False)
    record = parse(done.stdout, NONCE)
    assert isinstance(record, Record)
    *signals, core = record.stdout.decode().split("\n")[:3]
    # 32 and 33 are the C library's own: programs may not set them, and GNU make hands 32 down ignored.
    private = 0b11 << 31
    assert [int(line.split()[1], 16) & ~private for line in signals] == [0, 0]
    assert core == "0"


def test_told_to_end_it_ends_everything_and_says_so(tools: Tools) -> None:
    mark = marker()
    with started(
        tools, "--grace", "0.3", "--", "sh", "-c", f"trap '' TERM; setsid sleep {mark} & sleep {mark}"
    ) as process:
        wait_until_asleep(mark)
        process.terminate()
        stream, _ = process.communicate(timeout=20)
    record = parse(stream, NONCE)
    assert isinstance(record, Record)
    assert (record.stopped, record.timed_out, record.exit_code) == (True, False, -signal.SIGKILL)
    assert processes(mark) == []


def test_it_ends_with_the_process_that_called_it(tools: Tools) -> None:
    mark = marker()
    inner = [*tools.here("measure"), "run", "--with-parent", "--grace", "0.3", "--", "setsid", "-w", "sleep", mark]
    script = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    with subprocess.Popen([sys.executable, "-c", script, *inner], env={**ENV, "MARK": ""}) as caller:
        wait_until_asleep(mark)
        caller.kill()
    wait_until_gone(mark)


def test_the_command_does_not_outlive_a_helper_that_is_killed(tools: Tools) -> None:
    mark = marker()
    with started(tools, "--", "sleep", mark) as process:
        wait_until_asleep(mark)
        time.sleep(0.1)
        process.kill()
        stream, _ = process.communicate(timeout=20)
    assert parse(stream, NONCE) is Damage.CUT_OFF
    wait_until_gone(mark)


def test_a_daemon_that_left_its_group_and_session_is_ended(tools: Tools) -> None:
    mark = marker()
    record = measured(tools, "--", "sh", "-c", f"(setsid sh -c '(sleep {mark} &) ; sleep {mark}' &) ; sleep 0.3")
    assert record.survivors == 0
    assert processes(mark) == []


def test_memory_of_all_processes_counts_once_where_it_is_shared(tools: Tools, tmp_path: Path) -> None:
    share = (
        "import os, time\nhog = bytearray(b'x') * (60 << 20)\n"
        "for _ in range(4): os.fork() or (time.sleep(1), os._exit(0))\ntime.sleep(1.2)"
    )
    assert not measured(tools, "--memory", str(128 * MEBIBYTE), "--", sys.executable, "-c", share).over_memory
    each = f"import os, time\nfor _ in range(3): os.fork()\nhog = bytearray(b'x') * (60 << 20)\ntime.sleep({30})"
    record = measured(tools, "--memory", str(128 * MEBIBYTE), "--", sys.executable, "-c", each)
    assert (record.over_memory, record.exit_code) == (True, -signal.SIGKILL)


def test_it_will_not_end_everyone_where_it_is_not_alone(tools: Tools) -> None:
    done = call(tools, "--container", "--", "true")
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr == b"measure: process 1 is not `measure init`\n"


@pytest.mark.parametrize(
    "arguments", [(), ("--",), ("--no-such", "1", "--", "true"), ("--cwd",), ("--cpus", "x", "--", "true")]
)
def test_what_it_cannot_understand_is_its_own_failure(tools: Tools, arguments: tuple[str, ...]) -> None:
    done = call(tools, *arguments)
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"measure: ")


def test_a_directory_that_cannot_be_emptied_is_its_own_failure(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call(tools, "--fresh", tmp_path / "file", "--", "true")
    assert (done.returncode, done.stdout) == (125, b"")


def test_a_fresh_directory_is_emptied_before_and_after(tools: Tools, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    (fresh / "old" / "deeper").mkdir(parents=True)
    (fresh / "old" / "deeper" / "file").touch()
    (fresh / "link").symlink_to(tmp_path)
    (fresh / ".moved-0").touch()
    (tmp_path / "kept").touch()
    script = f"ls -A {fresh}; mkdir -p {fresh}/new/x; echo y > {fresh}/new/x/y; echo z > {fresh}/z"
    record = measured(
        tools, "--streams", tmp_path, "--fresh", fresh, "--out", fresh, "--collect", "z", "--", "sh", "-c", script
    )
    assert (record.stdout, dict(record.files)) == (b"", {0: b"z\n"})
    assert (list(fresh.iterdir()), (tmp_path / "kept").exists()) == ([], True)


def test_files_are_opened_without_following_anything(tools: Tools, tmp_path: Path) -> None:
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.mkdir()
    (secret / "s").write_text("secret")
    links = f"ln -s {secret} {out}/d; ln -s {secret}/s {out}/l; ln {secret}/s {out}/hard"
    script = f"{links}; mkdir {out}/real; ln -s ../../secret/s {out}/real/l"
    names = ("d/s", "l", "real/l", "real", "hard")
    collect = [word for name in names for word in ("--collect", name)]
    record = measured(tools, "--fresh", out, "--out", out, *collect, "--", "sh", "-c", script)
    assert sorted(record.refused) == [0, 1, 2, 3]
    assert dict(record.files) == {4: b"secret"}, "a hard link is a file of its own right: only its owner can make one"


def test_a_listing_tells_what_is_newer_by_its_content(tools: Tools, tmp_path: Path) -> None:
    from bisector.adapters.measure.content import content_of, parse_listing

    (tmp_path / "old").write_text("old")
    time.sleep(0.02)
    (tmp_path / "marker").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for size in (0, 1, 127, 128, 129, 300_000):
        (tmp_path / "deep" / f"{size}").write_bytes(b"x" * size)
    (tmp_path / "link").symlink_to("nowhere")
    os.utime(tmp_path / "deep" / "1", (1, 1))
    os.mkfifo(tmp_path / "pipe")
    done = subprocess.run(
        [*tools.here("listing"), tmp_path / "marker", tmp_path], capture_output=True, timeout=60, check=False
    )
    entries = parse_listing(done.stdout)
    assert entries is not None
    assert sorted(path for path, _, _ in entries) == sorted(
        ["/marker", "/link", *(f"/deep/{size}" for size in (0, 1, 127, 128, 129, 300_000))]
    )
    other = subprocess.run(
        [sys.executable, "-I", "-S", "-E", tools.directory / "python", "listing", tmp_path / "marker", tmp_path],
        capture_output=True,
        timeout=60,
        check=True,
    )
    expected = parse_listing(other.stdout)
    assert expected is not None
    assert content_of(entries) == content_of(expected)
    assert parse_listing(done.stdout[:-1]) is None
    assert parse_listing(b"") is None


def test_a_listing_that_fails_says_so(tools: Tools, tmp_path: Path) -> None:
    done = subprocess.run(
        [*tools.here("listing"), tmp_path / "none", "/"], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (125, b"")


def test_the_programs_keep_to_an_old_python() -> None:
    """What can be checked without one: the grammar of 3.6. An old one that is at hand runs them, too."""
    for path in PROGRAMS.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 6))


def test_the_sources_compile_without_a_warning(tmp_path: Path) -> None:
    from bisector.adapters.measure.tools import COMPILE, PARTS

    for program, parts in PARTS.items():
        sources = [str(PROGRAMS / name) for name in parts]
        command = ["cc", *COMPILE, "-Wall", "-Wextra", "-Werror", "-o", str(tmp_path / program), *sources]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_tools_are_made_once(tmp_path: Path) -> None:
    first, second = prepare(tmp_path), prepare(tmp_path)
    assert first == second
    assert len(list((tmp_path / "tools").iterdir())) == 1


def test_a_compiler_that_makes_nothing_that_runs_is_as_good_as_none(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(
        '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\nexit 1\\n" > "$2"; chmod +x "$2"\n'
    )
    compiler.chmod(0o755)
    tools = prepare(tmp_path, compiler=str(compiler))
    assert not tools.compiled
    assert not (tools.directory / "measure").exists()
    assert measured(tools, "--", "true").exit_code == 0


def test_every_run_has_a_layout_of_its_own_also_under_setarch(tools: Tools, tmp_path: Path) -> None:
    command = [
        "setarch",
        "-R",
        *tools.here("measure"),
        "run",
        "--streams",
        str(tmp_path),
        "--",
        "cat",
        "/proc/self/maps",
    ]
    made = [parse(subprocess.run(command, capture_output=True, env=ENV, check=True).stdout, NONCE) for _ in range(2)]
    stacks = [
        [line.split()[0] for line in each.stdout.splitlines() if b"[stack]" in line]
        for each in made
        if isinstance(each, Record)
    ]
    assert stacks[0] != stacks[1]
