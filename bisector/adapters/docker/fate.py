"""When the helper's record is missing: whether its container was at fault, and whose fault that was."""

import time

from bisector.adapters.docker.engine import Engine
from bisector.adapters.measure.answer import Answer
from bisector.adapters.measure.record import Damage
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.errors import InfraFault

_SETTLING: Seconds = 2.0
_POLL: Seconds = 0.1


def outcome_of_silence(engine: Engine, container: str, answer: Answer | None) -> Outcome | None:
    """TIMEOUT or OOM where that explains the silence; None where the answer itself can be judged.

    InfraFault where the container ended or went away for another reason: only somebody outside can do that, for its
    process 1 ignores what is sent from within. The stream's end may be seen a moment before the container's.
    """
    if answer is None:
        return Outcome.TIMEOUT
    if answer.record is not Damage.CUT_OFF:
        return None
    limit = time.monotonic() + _SETTLING
    while time.monotonic() < limit:
        state = engine.state(container)
        if state is None:
            raise InfraFault("the container was removed while it was in use")
        if state["OOMKilled"]:
            return Outcome.OOM
        if not state["Running"]:
            raise InfraFault("the container ended while it was in use", where=f"exit code {state['ExitCode']}")
        time.sleep(_POLL)
    return None
