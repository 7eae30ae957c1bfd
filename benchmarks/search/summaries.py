"""What many trials amount to: shares with their binomial margin, mean costs with their standard error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.special import betaincinv

from benchmarks.search.cells import Cell
from benchmarks.search.strategies import Trial
from bisector.core.search.observations import FloatArray

BINS = (0.0, 0.6, 0.8, 0.95, 0.97, 0.99, 0.999, 1.0)
"""Edges of the bins of stated probability."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of trials with its exact 95 % interval (Clopper and Pearson)."""

    hits: int
    trials: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest share that the count does not rule out."""
        low = 0.0 if self.hits == 0 else float(betaincinv(self.hits, self.trials - self.hits + 1, 0.025))
        missed = self.trials - self.hits
        high = 1.0 if missed == 0 else float(betaincinv(self.hits + 1, missed, 0.975))
        return low, high


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One strategy in one cell. Costs are in runs; `search` leaves out verification by fresh builds."""

    cell: Cell
    strategy: str
    right: Share
    false_culprits: int
    cost: float
    cost_error: float
    search: float
    search_error: float
    runs: float
    builds: float
    stated: float | None
    named: Share | None
    """Right answers among those that named a commit."""
    slowest_decision: float
    spent: Mapping[str, float] = field(default_factory=dict)
    """Mean cost by purpose, where the strategy tells."""

    @classmethod
    def of(cls, cell: Cell, strategy: str, trials: Sequence[Trial]) -> "Summary":
        """The summary of at least one trial."""
        cost = np.array([trial.cost for trial in trials])
        search = cost - np.array([trial.verification for trial in trials])
        stated = [trial.stated for trial in trials if trial.stated is not None and trial.answered]
        named = [trial for trial in trials if trial.answered]
        return cls(
            cell=cell,
            strategy=strategy,
            right=Share(hits=sum(trial.right for trial in trials), trials=len(trials)),
            false_culprits=sum(trial.false_culprit for trial in trials),
            cost=float(cost.mean()),
            cost_error=_error_of_mean(cost),
            search=float(search.mean()),
            search_error=_error_of_mean(search),
            runs=float(np.mean([trial.runs for trial in trials])),
            builds=float(np.mean([trial.builds for trial in trials])),
            stated=float(np.mean(stated)) if stated else None,
            named=Share(hits=sum(t.right for t in named), trials=len(named)) if named else None,
            slowest_decision=max(trial.decision_seconds for trial in trials),
            spent={name: float(np.mean([t.spent.get(name, 0.0) for t in trials])) for name in trials[0].spent},
        )

    @property
    def ratio(self) -> float | None:
        """Cost of the search over the bound."""
        return None if self.cell.bound is None else self.search / self.cell.bound


def _error_of_mean(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Answers whose stated probability fell between two edges."""

    low: float
    high: float
    stated: float
    right: Share


def calibration(trials: Sequence[Trial]) -> list[Bin]:
    """The share that is right in each bin of stated probability, over the trials that were answered."""
    answered = [(trial.stated, trial.right) for trial in trials if trial.answered and trial.stated is not None]
    bins = []
    for low, high in pairwise(BINS):
        inside = [(stated, right) for stated, right in answered if low <= stated < high or stated == high == 1.0]
        if inside:
            share = Share(hits=sum(right for _, right in inside), trials=len(inside))
            bins.append(Bin(low=low, high=high, stated=float(np.mean([s for s, _ in inside])), right=share))
    return bins
