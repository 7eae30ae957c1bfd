"""Contract: what a run did, as an outcome and one line that says why."""

import sys
import time

import pytest

from bisector.adapters.measure.outcome import exit_reason
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory, marker, wait_until_gone

HOG = "import time; hog = bytearray({size} << 20); time.sleep(1.5)"


def test_a_good_end_is_ok(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", "cat hello.txt; echo aside >&2")
    assert (record.outcome, record.exit_code, record.reason) == (Outcome.OK, 0, "")
    assert (record.stdout, record.stderr) == (b"hello\n", b"aside\n")


def test_a_status_is_told_with_the_last_thing_said(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "python3", "-c", "import x_y_z")
    assert (record.outcome, record.exit_code) == (Outcome.BENCH_FAILED, 1)
    assert record.reason == "exit status 1: ModuleNotFoundError: No module named 'x_y_z'"


def test_what_a_reason_quotes_cannot_drive_a_terminal(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", r"printf 'a\033[31mred\033[0m\007b\n' >&2; exit 3")
    assert record.reason == "exit status 3: a red  b"


@pytest.mark.parametrize("status", [1, 125, 127])
def test_every_status_of_a_command_is_its_own(lab: Laboratory, plain: Build, status: int) -> None:
    record = lab.run(plain, "sh", "-c", f"exit {status}")
    assert (record.outcome, record.exit_code) == (Outcome.BENCH_FAILED, status)
    assert record.reason == f"exit status {status}"


def test_a_signal_is_named(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", "kill -SEGV $$")
    assert (record.outcome, record.exit_code) == (Outcome.BENCH_FAILED, -11)
    assert record.reason == "killed by signal 11 (SIGSEGV)"


def test_a_command_that_is_not_there_never_ran(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "./jq", ".")
    assert (record.outcome, record.exit_code, record.usage) == (Outcome.BENCH_FAILED, None, None)
    assert record.reason == "no such command: ./jq"


def test_a_file_that_is_no_program_never_ran(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "./hello.txt")
    assert (record.outcome, record.usage) == (Outcome.BENCH_FAILED, None)
    assert record.reason == "not a command that can be run: ./hello.txt (Permission denied)"


def test_a_program_of_the_checkout_runs(lab: Laboratory, plain: Build) -> None:
    assert lab.run(plain, "./tool").stdout == b"a tool\n"


def test_a_run_past_its_limit_timed_out_and_is_censored_there(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sleep", "30", timeout_seconds=0.4)
    assert (record.outcome, record.reason) == (Outcome.TIMEOUT, "not done after 0.4 s")
    assert record.usage is not None
    assert 0.4 <= record.usage.wall < 2.0


def test_a_run_that_ends_well_when_told_to_end_timed_out_all_the_same(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", "trap 'echo bye; exit 0' TERM; sleep 30 & wait", timeout_seconds=0.4)
    assert (record.outcome, record.stdout) == (Outcome.TIMEOUT, b"bye\n")


def test_a_run_that_will_not_end_is_ended(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    begun = time.monotonic()
    record = lab.run(plain, "sh", "-c", f"trap '' TERM; sleep {mark} & wait; sleep {mark}", timeout_seconds=0.4)
    assert record.outcome is Outcome.TIMEOUT
    assert time.monotonic() - begun < 12
    wait_until_gone(mark, seconds=1.0)


def test_a_run_over_its_memory_limit_is_out_of_memory(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "python3", "-c", HOG.format(size=300), memory_bytes=128 * MEBIBYTE)
    assert (record.outcome, record.reason) == (Outcome.OOM, "over its memory limit of 128 MiB")


def test_a_child_out_of_memory_shows_whatever_its_parent_says(lab: Laboratory, plain: Build) -> None:
    script = f'python3 -c "{HOG.format(size=300)}"; echo fine; exit 0'
    record = lab.run(plain, "sh", "-c", script, memory_bytes=128 * MEBIBYTE)
    assert record.outcome is Outcome.OOM


def test_memory_within_the_limit_is_fine(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "python3", "-c", HOG.format(size=60), memory_bytes=128 * MEBIBYTE)
    assert record.outcome is Outcome.OK


def test_output_without_end_ends_the_run(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", "head -c 40000000 /dev/zero | tr '\\0' 'x'; sleep 5; exit 0")
    assert (record.outcome, record.reason) == (Outcome.BENCH_FAILED, "wrote more than 16 MiB to its output")


def test_long_output_comes_back_with_its_end(lab: Laboratory, plain: Build) -> None:
    script = "import sys; print('x' * 3_000_000); print('y' * 100_000, file=sys.stderr); print('the end')"
    record = lab.run(plain, "python3", "-c", script)
    assert record.outcome is Outcome.OK
    assert (len(record.stdout), record.stdout[-9:]) == (1 << 20, b"\nthe end\n")
    assert len(record.stderr) == 1 << 16


def test_nothing_is_read_from_the_terminal(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", "cat; echo read")
    assert record.stdout == b"read\n"


def test_a_run_that_kills_its_parent_has_no_result(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "sh", "-c", "kill -9 $PPID; sleep 1")
    assert record.outcome is Outcome.NO_RESULT
    assert record.reason == "the run's parent was killed from within it by signal 9 (SIGKILL)"


def test_after_any_end_the_next_run_is_as_good_as_the_first(lab: Laboratory, plain: Build) -> None:
    fates = [
        ("exit 1", Outcome.BENCH_FAILED),
        ("sleep 30", Outcome.TIMEOUT),
        ("kill -9 $PPID; sleep 1", Outcome.NO_RESULT),
        (f'{"python3"} -c "{HOG.format(size=300)}"', Outcome.OOM),
        ("head -c 40000000 /dev/zero", Outcome.BENCH_FAILED),
        ("true", Outcome.OK),
    ]
    choose = "; ".join(f'[ "$1" != {n} ] || {{ {fate}; exit $?; }}' for n, (fate, _) in enumerate(fates))
    assert sys.platform == "linux"
    for number, (_, outcome) in enumerate(fates):
        with lab.session(
            plain, "sh", "-c", choose, "sh", str(number), timeout_seconds=2.5, memory_bytes=128 * MEBIBYTE
        ) as session:
            assert [session.run().outcome, session.run().outcome] == [outcome, outcome]


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            b"Error: Cannot find module 'x'\nRequire stack:\n}\n\nNode.js v20.20.2\n",
            "Error: Cannot find module 'x'",
        ),
        (
            b"a.rs\nerror[E0425]: no value `x`\nFor more\n",
            "error[E0425]: no value `x`",
        ),
        (b"Traceback\nValueError: one\nDuring handling\nmine.OtherError: two\n", "mine.OtherError: two"),
        (b"Terrors: none\nno such thing\n", "no such thing"),
        (b"warning: one\n\n", "warning: one"),
    ],
)
def test_the_error_is_told_though_more_is_said_after_it(output: bytes, told: str) -> None:
    assert exit_reason(3, output) == f"exit status 3: {told}"
