"""What every strategy is given and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.search.worlds import OverBudget, World


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a strategy says: the commits it names, or that there is no change, or neither; and how sure it says it is.

    `verification` is the part of the cost that went into builds and runs made only to verify the answer afresh.
    """

    found: tuple[int, ...] = ()
    no_change: bool = False
    stated: float | None = None
    ending: str = ""
    verification: float = 0.0
    decision_seconds: float = 0.0
    """The longest that one decision took."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """What the cost went into, by purpose, where the strategy tells."""


Strategy = Callable[[World], Answer]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One strategy on one world."""

    right: bool
    answered: bool
    false_culprit: bool
    cost: float
    runs: int
    builds: int
    stated: float | None
    ending: str
    verification: float
    decision_seconds: float
    spent: Mapping[str, float] = field(default_factory=dict)


def play(strategy: Strategy, world: World) -> Trial:
    """Let a strategy search a world and judge its answer."""
    try:
        answer = strategy(world)
    except OverBudget:
        answer = Answer(ending="cap")
    named = bool(answer.found)
    return Trial(
        right=world.accepts(answer.found, no_change=answer.no_change),
        answered=named or answer.no_change,
        false_culprit=named and not set(answer.found) & set(world.culprits),
        cost=world.cost,
        runs=world.runs,
        builds=world.builds,
        stated=answer.stated,
        ending=answer.ending,
        verification=answer.verification,
        decision_seconds=answer.decision_seconds,
        spent=answer.spent,
    )
