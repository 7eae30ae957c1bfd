"""What came back from a call of the measuring helper, and what that says about the command or the machine."""

from dataclasses import dataclass

from bisector.adapters.measure.outcome import run_record, without_record
from bisector.adapters.measure.record import Damage, Record
from bisector.adapters.measure.steps import Failure
from bisector.core.model.samples import Outcome
from bisector.engine.ports import RunOrder, RunRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The helper's record, or what is wrong with it; then also how the helper ended and what it complained of.

    `exit_code` is as `subprocess` or Docker has it.
    """

    record: Record | Damage
    exit_code: int | None
    message: bytes = b""


def as_run(answer: Answer, order: RunOrder, command: str) -> tuple[RunRecord, bool]:
    """What came of a run, and whether nothing of it is left running. InfraFault where the machine is to blame."""
    if isinstance(answer.record, Record):
        return run_record(answer.record, order, command), answer.record.survivors == 0
    return without_record(answer.record, answer.exit_code, answer.message), False


def as_step(answer: Answer) -> Record | Failure:
    """What came of a build's step. InfraFault where the machine is to blame."""
    if isinstance(answer.record, Record):
        return answer.record
    lost = without_record(answer.record, answer.exit_code, answer.message)
    return Failure(outcome=Outcome.BUILD_FAILED, reason=lost.reason)
