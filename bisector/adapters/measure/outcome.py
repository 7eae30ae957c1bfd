"""What a record means: the outcome of a run, with its reason as one line for people."""

import errno
import os
import re
import signal

from bisector.adapters.measure.order import OUTPUT_LIMIT
from bisector.adapters.measure.record import Damage, Failed, Record
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Bytes
from bisector.engine.ports import RunOrder, RunRecord
from bisector.errors import InfraFault

REASON_LIMIT = 200
_ERROR = re.compile(r"\s*(?:(?:[\w.]+\.)?\w*(?:Error|Exception)\b[^:]{0,40}|(?i:error|fatal)(?:\[\w+\])?): ")
"""How a line begins that names an error, in Python, JavaScript, Ruby, Java, compilers and git."""
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def run_record(record: Record, order: RunOrder, command: str) -> RunRecord:
    """What came of a run of `command` (its first word, for "no such command")."""
    outcome, reason = judge(record, order, command)
    return RunRecord(
        outcome=outcome,
        usage=None if record.failed else record.usage,
        exit_code=record.exit_code,
        stdout=record.stdout,
        stderr=record.stderr,
        files={order.collect[number]: content for number, content in record.files.items()},
        reason=reason,
    )


def judge(record: Record, order: RunOrder, command: str) -> tuple[Outcome, str]:
    """The outcome and why. Memory first: a run whose child was killed for it may then hang, crash or end well."""
    recipe = order.recipe
    if record.oom_kills or record.over_memory:
        return Outcome.OOM, f"over its memory limit of {mebibytes(recipe.memory_bytes)}"
    if record.timed_out:
        return Outcome.TIMEOUT, f"not done after {recipe.timeout_seconds:g} s"
    if record.failed is not None:
        return Outcome.BENCH_FAILED, _failure(record.failed, command)
    if record.over_output:
        return Outcome.BENCH_FAILED, f"wrote more than {mebibytes(OUTPUT_LIMIT)} to its output"
    if record.exit_code:
        return Outcome.BENCH_FAILED, exit_reason(record.exit_code, record.stderr or record.stdout)
    refused = [f"{order.collect[number]}: {why}" for number, why in sorted(record.refused.items())]
    return Outcome.OK, "; ".join(refused)[:REASON_LIMIT]


def without_record(damage: Damage, exit_code: int | None, message: bytes) -> RunRecord:
    """What came of a run whose helper ended with `exit_code` and no sound record; InfraFault when it is to blame.

    The helper writes nothing but its record, and dies of nothing but what kills it: what the command does to either
    is the command's doing.
    """
    if damage is Damage.FOREIGN:
        return RunRecord(outcome=Outcome.NO_RESULT, reason=f"the figures cannot be trusted: {damage.value}")
    if exit_code is not None and (exit_code < 0 or exit_code > 128):
        number = -exit_code if exit_code < 0 else exit_code - 128
        return RunRecord(
            outcome=Outcome.NO_RESULT, reason=f"the run's parent was killed from within it by {signal_name(number)}"
        )
    raise InfraFault(f"the measuring helper failed: {last_line(message) or damage.value}")


def exit_reason(exit_code: int, output: bytes) -> str:
    """Why a command that ran did not end well, with the last error it named, or else the last thing it said: some
    programs say more after the error, such as their own version or a warning."""
    if exit_code < 0:
        return f"killed by {signal_name(-exit_code)}"
    lines = output[-(1 << 14) :].splitlines()
    named = next((line for line in reversed(lines) if _ERROR.match(line.decode("utf-8", "replace"))), b"")
    said = last_line(named) or last_line(output)
    return f"exit status {exit_code}: {said}" if said else f"exit status {exit_code}"


def signal_name(number: int) -> str:
    """For example: signal 9 (SIGKILL)."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def last_line(output: bytes) -> str:
    """The last line of `output` that says something, fit to be shown."""
    for line in reversed(output[-(1 << 14) :].splitlines()):
        text = _UNPRINTABLE.sub(" ", line.decode("utf-8", "replace")).strip()
        if text:
            return text if len(text) <= REASON_LIMIT else text[: REASON_LIMIT - 1] + "…"
    return ""


def mebibytes(size: Bytes) -> str:
    """A limit as people write it."""
    return f"{size / (1 << 20):g} MiB"


def _failure(failed: Failed, command: str) -> str:
    if failed.stage == "cpus":
        raise InfraFault(f"the processors asked for cannot be had: {os.strerror(failed.errno)}")
    if failed.stage == "cwd":
        return f"the checkout cannot be entered: {os.strerror(failed.errno)}"
    return could_not_start(command, failed.errno)


def could_not_start(command: str, number: int) -> str:
    """Why `command` could not be started, which the error `number` tells."""
    if number == errno.ENOENT:
        return f"no such command: {command}"
    return f"not a command that can be run: {command} ({os.strerror(number)})"
