"""A job decided again from its facts: the same facts have to give the same steps and the same verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isclose

from bisector.core.model.facts import Concluded, Fact, Planned
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.steps import Conclude, Step
from bisector.core.model.verdict import Verdict
from bisector.core.search.planner import next_step

TOLERANCE = 1e-6
"""Relative difference of two numbers that are the same but for the machine's arithmetic."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What came of a replay: how many steps were decided again, which came out otherwise, and both verdicts.

    `decided` is the verdict that the facts give now; it and `recorded` are None for a job without an answer.
    """

    steps: int
    differing: tuple[Planned, ...]
    recorded: Verdict | None
    decided: Verdict | None

    @property
    def same(self) -> bool:
        """Whether every step and the verdict came out the same."""
        return not self.differing and alike(self.recorded, self.decided)


def replay(job: str, request: Request, facts: Iterable[Fact]) -> Replayed:
    """Decide every step of a job again, each on the facts recorded before it."""
    state = Investigation(job=job, request=request)
    steps, differing = 0, []
    recorded: Verdict | None = None
    decided: Verdict | None = None
    for fact in facts:
        if isinstance(fact, Planned):
            steps += 1
            step = next_step(state, fact.elapsed).step
            if not alike(step, fact.step):
                differing.append(fact)
            decided = step.verdict if isinstance(step, Conclude) else None
        elif isinstance(fact, Concluded):
            recorded = fact.verdict
        state = state.with_fact(fact)
    return Replayed(
        steps=steps, differing=tuple(differing), recorded=recorded, decided=decided if recorded is not None else None
    )


def alike(one: Step | Verdict | None, other: Step | Verdict | None) -> bool:
    """Whether two steps or verdicts say the same, numbers within the last digits that arithmetic differs in."""
    if one is None or other is None:
        return one is other
    return type(one) is type(other) and _same(asdict(one), asdict(other))


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
