"""A recipe's steps, one after the other, each under the measuring helper, until one fails."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.outcome import exit_reason
from bisector.adapters.measure.record import Record
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds

STEP_SHOWN = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a build failed, by the commit's doing."""

    outcome: Outcome
    reason: str


Execute = Callable[[tuple[str, ...], Seconds], Record | Failure]
"""Runs a command for at most so many seconds where the build is made, its output going to the build's log."""


def run_steps(steps: Sequence[str], timeout: Seconds, log: BuildLog, execute: Execute) -> Failure | None:
    """Run `steps` within `timeout` seconds all together; the first failure, or None."""
    limit = time.monotonic() + timeout
    for number, step in enumerate(steps, start=1):
        title = f"step {number} of {len(steps)} ({_shown(step)})"
        log.say(f"+ {step}")
        log.forget_last()
        begun = time.monotonic()
        record = execute(("sh", "-c", step), max(limit - begun, 0.001))
        failure = judge_step(record, title, timeout, log.last)
        log.say(f"[{failure.reason if failure else f'{title}: done'}, {time.monotonic() - begun:.1f} s]")
        if failure is not None:
            return failure
    return None


def judge_step(record: Record | Failure, title: str, timeout: Seconds, last: bytes) -> Failure | None:
    """Why the step called `title` failed, which printed `last` last; None where it did not."""
    if isinstance(record, Failure):
        return Failure(outcome=record.outcome, reason=f"{title} failed: {record.reason}")
    if record.oom_kills or record.over_memory:
        return Failure(outcome=Outcome.OOM, reason=f"{title} ran out of memory")
    if record.timed_out:
        return Failure(outcome=Outcome.TIMEOUT, reason=f"{title} was not done when the build's {timeout:g} s were over")
    if record.failed is not None:
        return Failure(outcome=Outcome.BUILD_FAILED, reason=f"{title} could not be started: no shell")
    if record.exit_code:
        return Failure(outcome=Outcome.BUILD_FAILED, reason=f"{title} failed: {exit_reason(record.exit_code, last)}")
    return None


def _shown(step: str) -> str:
    line = " ".join(step.split())
    return line if len(line) <= STEP_SHOWN else line[: STEP_SHOWN - 1] + "…"
