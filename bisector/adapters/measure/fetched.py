"""What a command of the scenario fetches in place of a build: of one commit, by the command's own means."""

import re
import time

from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.outcome import last_line
from bisector.adapters.measure.record import Record
from bisector.adapters.measure.steps import Execute, Failure, judge_step
from bisector.core.model.prebuilt import Prebuilt
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.errors import InfraFault

VARIABLE = "BISECTOR_SHA"
"""The variable with the commit's name."""
TRY_LATER = 75
"""The exit status by which a command says that this may pass (EX_TEMPFAIL of sysexits.h)."""
_SAID = re.compile(
    # curl: no connection, one that broke, a refusal, a server in trouble
    r"curl: \((?:5|6|7|28|35|52|55|56)\)|curl: \(22\).*error: (?:401|403|407|408|429|5\d\d)"
    r"|unable to resolve host address|failed: (?:Connection refused|Connection timed out|Network is unreachable)"
    r"|ERROR (?:401|403|407|408|429|5\d\d)\b"  # wget
)


def fetch(
    prebuilt: Prebuilt, words: tuple[str, ...], seconds: Seconds, log: BuildLog, execute: Execute
) -> Failure | None:
    """Have the command leave the build's files; why there are none, or None. InfraFault where that may pass: the
    command said so by its exit status, or curl or wget in their own words."""
    log.say(f"+ {prebuilt.name}")
    log.forget_last()
    begun = time.monotonic()
    record = execute(words, seconds)
    failure = judge_step(record, "fetching what is prebuilt", seconds, log.last)
    log.say(f"[{failure.reason if failure else 'fetched'}, {time.monotonic() - begun:.1f} s]")
    if failure is None or not isinstance(record, Record):
        return failure
    if record.failed is not None:
        return Failure(outcome=Outcome.BUILD_FAILED, reason=f"no such command: {words[0]}")
    if record.exit_code == TRY_LATER or (record.exit_code and _SAID.search(last_line(log.last))):
        raise InfraFault(failure.reason, where=prebuilt.name)
    return failure


def nothing_came() -> Failure:
    """What a command that left no files came to."""
    return Failure(outcome=Outcome.BUILD_FAILED, reason="what is prebuilt was fetched, and no file came of it")
