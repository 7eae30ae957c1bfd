"""When the helper's record is missing: whether its container was at fault, and whose fault that was."""

import time

from bisector.adapters.docker.engine import Engine, faults
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
    process 1 ignores what is sent from within. And where no answer came in time from a helper that was free to give
    it: an engine that hangs must not look like a commit that does.
    """
    if answer is not None and answer.record is not Damage.CUT_OFF:
        return None
    limit = time.monotonic() + _SETTLING
    while True:
        state = engine.state(container)
        if state is None:
            raise InfraFault("the container was removed while it was in use")
        if state["OOMKilled"]:
            return Outcome.OOM
        if not state["Running"]:
            raise InfraFault("the container ended while it was in use", where=f"exit code {state['ExitCode']}")
        if answer is None:
            if _helper_is_stopped(engine, container):
                return Outcome.TIMEOUT
            raise InfraFault("no answer came from the container in time")
        if time.monotonic() > limit:  # the end of the stream may be seen a moment before the container's
            return None
        time.sleep(_POLL)


def _helper_is_stopped(engine: Engine, container: str) -> bool:
    """Whether the command stopped its parent, the one thing it can do to keep it from reporting a time-out."""
    with faults("look at a container's processes"):
        found = engine.api.top(container, ps_args="-eo pid,stat,args")
    return any(stat.startswith("T") and " run " in arguments for _, stat, arguments in found["Processes"] or [])
