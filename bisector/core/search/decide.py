"""What to do next: the action that buys the most information per second, or the end of the search.

Runs, builds and reruns of a reference compete in one score. The levels' own uncertainty is part of each prediction, so
that an end whose level is the bottleneck is returned to, and "no change" stands among the hypotheses, so that a
regression is doubted before it is hunted.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bisector.core.model.units import Seconds
from bisector.core.search.information import Hypotheses
from bisector.core.search.observations import FloatArray, Observations, Settings
from bisector.core.search.posterior import Posterior, assess
from bisector.core.search.queries import divisible, splitting_queries

RUNS = np.array([1.0, 2, 4, 8, 16, 32, 64])
LEAST_BITS = 1e-3
LEAST_GAIN = 0.05
"""Bits per run's worth of time, and bits in all, below which going on is not worth it."""
EXACT_RUNS = 2
EQUIVALENCE = 1.5
"""No change is answered once the upper bound of the change is below this many times the smallest one worth naming."""
ONE_SIDED_95 = 1.645
STRICT = 2.6
"""Standard errors out for the bound that ends the search alone: it is looked at after every round."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What things cost, in seconds: one run, opening a round (container, warm-up, reference), building index i.

    `rebuild` is what building a commit afresh costs, where that can draw another layout; None where it cannot.
    """

    run: Seconds
    round: Seconds
    build: FloatArray
    rebuild: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class MeasureEnds:
    """Run both ends `runs` times each, in turns."""

    runs: int


@dataclass(frozen=True, kw_only=True)
class MeasureCommit:
    """Run the commit at `index` `runs` times, building it first if need be; `bits` is what that should teach.

    `number` is 0 for the commit's first build; a number not yet among the units asks for a build made afresh, to tell
    the commit from its build.
    """

    index: int
    runs: int
    bits: float
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class VerifyPair:
    """Run parent and culprit afresh, in turns, `pairs` times each."""

    parent: int
    culprit: int
    pairs: int


class Ending(StrEnum):
    """How a search ends."""

    FOUND = "found"
    NO_CHANGE = "no_change"
    EXHAUSTED = "exhausted"
    """Nothing that can still be run teaches enough."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The search is over; `found` is the class that holds the culprit, where one does."""

    ending: Ending
    found: int | None = None


Action = MeasureEnds | MeasureCommit | VerifyPair | Stop


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The next action and what it was decided on; `posterior` is None until both ends have a run."""

    action: Action
    posterior: Posterior | None


def decide(observations: Observations, costs: Costs, settings: Settings) -> Decision:
    """The next action of the search on `observations`."""
    wanted = EXACT_RUNS if observations.exact else settings.first_runs
    fewest = min(len(observations.runs_of([end])) for end in (observations.low, observations.high))
    if fewest == 0:
        return Decision(action=MeasureEnds(runs=wanted), posterior=None)
    posterior = assess(observations, settings)
    if fewest < wanted:
        return Decision(action=MeasureEnds(runs=wanted - fewest), posterior=posterior)
    action = _conclusion(observations, posterior, settings) or _best_measurement(observations, posterior, costs)
    return Decision(action=action, posterior=posterior)


def _conclusion(observations: Observations, posterior: Posterior, settings: Settings) -> Action | None:
    """The verification or the end that the posterior calls for, if it does."""
    error = 1 - settings.confidence
    likeliest = int(np.argmax(posterior.probability))
    probability = float(posterior.probability[likeliest])
    if probability >= 1 - 3 * error and not divisible(observations, posterior.classes, likeliest):
        parent, culprit = pair(observations, posterior, likeliest)
        if not any((v.parent, v.culprit) == (parent, culprit) for v in observations.verifications):
            return VerifyPair(parent=parent, culprit=culprit, pairs=_verify_pairs(posterior, settings))
        if probability >= settings.confidence:
            return Stop(ending=Ending.FOUND, found=likeliest)
    if settings.two_sided:
        return _no_change_either_way(observations, posterior, settings)
    threshold = observations.threshold
    absent = posterior.no_change >= settings.confidence and excluded(observations, posterior) < EQUIVALENCE * threshold
    # A change smaller than the threshold favours neither hypothesis for long; its bound settles it.
    too_small = excluded(observations, posterior, STRICT) < threshold
    return Stop(ending=Ending.NO_CHANGE) if absent or too_small else None


def _no_change_either_way(observations: Observations, posterior: Posterior, settings: Settings) -> Action | None:
    change, error = end_difference(observations, posterior)
    threshold = observations.threshold
    bound = abs(change) + ONE_SIDED_95 * error
    absent = posterior.no_change >= settings.confidence and bound < EQUIVALENCE * threshold
    too_small = abs(change) + STRICT * error < threshold
    return Stop(ending=Ending.NO_CHANGE) if absent or too_small else None


def pair(observations: Observations, posterior: Posterior, index: int) -> tuple[int, int]:
    """The two places whose difference class `index` stands for: the last with the old level, the first with the new.

    On a line these are the measured neighbours that enclose the class. In a graph the culprit is compared with its own
    first parent, or, where the class has several members, with the measured commit that contains the most and has the
    old level.
    """
    members = posterior.classes.members(index)
    places = observations.unit_place
    measured = observations.counts > 0
    bad = posterior.classes.bad[index]
    if observations.line.linear:
        return int(places[measured & ~bad].max()), int(places[measured & bad].min())
    if len(members) == 1:
        return observations.line.parent_index(members[0]), members[0]
    return int(places[measured & ~bad].max()), int(places[measured & bad].min())


def excluded(observations: Observations, posterior: Posterior, z: float = ONE_SIDED_95) -> float:
    """Upper bound of the change between the ends, `z` standard errors out: every larger one is ruled out."""
    change, error = end_difference(observations, posterior)
    return change + z * error


def end_difference(observations: Observations, posterior: Posterior) -> tuple[float, float]:
    """Difference of the ends' levels (new minus old) and its standard error, build deviation included."""
    levels, variance = [], 0.0
    for place in (observations.low, observations.high):
        units = np.flatnonzero((observations.unit_place == place) & (observations.counts > 0))
        precision = 1 / (posterior.tau**2 + posterior.sigma**2 / observations.counts[units])
        levels.append(float(precision @ posterior.unit_mean[units] / precision.sum()))
        variance += float(1 / precision.sum())
    return levels[1] - levels[0], float(np.sqrt(variance))


def _verify_pairs(posterior: Posterior, settings: Settings) -> int:
    if posterior.exact:
        return 1
    step = max(abs(posterior.bad - posterior.good), 1e-12)
    least, most = settings.verify_pairs
    return int(np.clip(np.ceil(6 * (posterior.sigma / step) ** 2), least, most))


@dataclass(frozen=True, kw_only=True)
class _Option:
    """A possible measurement: expected bits for each entry of `RUNS`, and what each costs in seconds."""

    index: int
    gain: FloatArray
    price: FloatArray
    number: int = 0

    @property
    def score(self) -> FloatArray:
        """Bits per second."""
        return self.gain / self.price


def _best_measurement(observations: Observations, posterior: Posterior, costs: Costs) -> Action:
    """The measurement with the most bits per second; half a plan at a time is nearly sequential testing."""
    options = _options(observations, posterior, costs)
    if not options:
        return Stop(ending=Ending.EXHAUSTED)
    option = max(options, key=lambda each: float(each.score.max()))
    best = int(np.argmax(option.score))
    if option.score[best] * costs.run < LEAST_BITS and option.gain.max() < LEAST_GAIN:
        return Stop(ending=Ending.EXHAUSTED)
    most = int(RUNS[np.flatnonzero(option.score >= 0.9 * option.score[best])[-1]])
    share = len(observations.values) // 20
    wanted = int(np.clip(np.ceil(most / 2), max(share, 1), max(int(RUNS[best]), share, 1)))
    return MeasureCommit(index=option.index, runs=wanted, bits=float(option.gain[best]), number=option.number)


def _options(observations: Observations, posterior: Posterior, costs: Costs) -> list[_Option]:
    hypotheses = Hypotheses.of(posterior)
    runs = RUNS[:1] if posterior.exact else RUNS
    opening = costs.round + runs * costs.run
    options = []
    for query in splitting_queries(observations, posterior.classes, hypotheses.classes):
        gain = query.chance * hypotheses.new(query.share, runs)
        price = costs.build[query.index] + query.chance * opening
        options.append(_Option(index=query.index, gain=gain, price=price))
    if posterior.exact:
        return options
    for unit in _worth_rerunning(observations, posterior, hypotheses):
        index = int(observations.unit_place[unit])
        gain = hypotheses.rerun(unit, float(posterior.unit_mean[unit]), int(observations.counts[unit]), runs)
        options.append(_Option(index=index, gain=gain, price=opening, number=observations.number_of(unit)))
        if costs.rebuild is not None:
            gain = hypotheses.new(hypotheses.bad[:-1, unit].astype(float), runs)
            number = int((observations.unit_place == index).sum())
            options.append(_Option(index=index, gain=gain, price=costs.rebuild + opening, number=number))
    return options


def _worth_rerunning(observations: Observations, posterior: Posterior, hypotheses: Hypotheses) -> list[int]:
    """Measured units that could still move the answer: both ends, and those next to a class that is in play."""
    in_play = set()
    measured = np.flatnonzero(observations.counts > 0)
    places = observations.unit_place
    for m in hypotheses.classes:
        bad = posterior.classes.bad[m]
        old, new = measured[~bad[measured]], measured[bad[measured]]
        if len(old):
            in_play.add(int(old[np.argmax(places[old])]))
        if len(new):
            in_play.add(int(new[np.argmin(places[new])]))
    in_play.update(int(u) for u in measured if places[u] in (observations.low, observations.high))
    return sorted(in_play)
