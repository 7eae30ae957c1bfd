"""What to do next: the action that buys the most information per second, or the end of the search.

Runs, builds and reruns of a reference compete in one score. The levels' own uncertainty is part of each prediction, so
that an end whose level is the bottleneck is returned to, and "no change" stands among the hypotheses, so that a
regression is doubted before it is hunted.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bisector.core.model.units import Seconds
from bisector.core.search.bursts import agree, quiet_reach
from bisector.core.search.end_levels import ONE_SIDED_95, end_difference
from bisector.core.search.information import Hypotheses
from bisector.core.search.noise import centre
from bisector.core.search.observations import RESERVE, FloatArray, Observations, Settings
from bisector.core.search.posterior import Posterior, assess
from bisector.core.search.queries import divisible, splitting_queries, worth_rerunning
from bisector.core.search.verifying import verify_pairs, wants_verifying

RUNS = np.array([1.0, 2, 4, 8, 16, 32, 64])
REFERENCES = (0, 1, 2)
"""Runs of the ends that may go with a measurement where the machine drifts."""
LEAST_BITS = 1e-3
LEAST_GAIN = 0.05
"""Bits per run's worth of time, and bits in all, below which going on is not worth it."""
EXACT_RUNS = 2
EQUIVALENCE = 1.5
"""No change is answered once the upper bound of the change is below this many times the smallest one worth naming."""
MOST_ATTEMPTS = 4
"""Rounds that verify one pair, those that gave nothing to judge by among them, before the search ends without it."""
LIKELIER = 0.5
MOST_FIRST, MOST_UNCHANGED = 4, 16
"""Times the first runs of an end are made at most; the second where of "no change" only the bound is missing."""
BUILDS_OF_AN_END = 3
"""Builds of each end that show a change the other way before it is told: one in four that is odd is so twice in a row
in one job of sixteen."""
DOUBTFUL = 0.05
"""Probability of no change from which it is not clear that there is anything to find."""
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
    references: int = 0
    """Runs of the ends that go with every round, whatever they teach."""


@dataclass(frozen=True, kw_only=True)
class MeasureEnds:
    """Run both ends `runs` times each, in turns."""

    runs: int


@dataclass(frozen=True, kw_only=True)
class MeasureCommit:
    """Run the commit at `index` `runs` times, building it first if need be; `bits` is what that should teach.

    `number` is 0 for the commit's first build; a number not yet among the units asks for a build made afresh, to tell
    the commit from its build. `references` runs of the ends go with it, where the machine drifts. An end's fresh build
    that is made in any case has no `bits`.
    """

    index: int
    runs: int
    bits: float
    number: int = 0
    references: int = 0


@dataclass(frozen=True, kw_only=True)
class VerifyPair:
    """Run parent and culprit afresh, in turns, `pairs` times each.

    `numbers` are the builds to run, parent's first: 0 for the first build of each, a number not yet among the units
    for one made afresh, so that the answer does not rest on one build's luck.
    """

    parent: int
    culprit: int
    pairs: int
    numbers: tuple[int, int] = (0, 0)


class Ending(StrEnum):
    """How a search ends."""

    FOUND = "found"
    NO_CHANGE = "no_change"
    EXHAUSTED = "exhausted"
    """Nothing that can still be run teaches enough."""
    UNVERIFIED = "unverified"
    """What verifies the answer was done again and again and came to nothing."""


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
    known = observations, posterior, costs, settings
    action = _conclusion(*known) or _best_measurement(*known)
    if isinstance(action, Stop) and _too_soon(observations, posterior, settings, action):
        action = MeasureEnds(runs=settings.first_runs)
    return Decision(action=action, posterior=posterior)


def _too_soon(observations: Observations, posterior: Posterior, settings: Settings, stop: Stop) -> bool:
    """Whether an ending may only come of bursts over the few runs of an end, so that it wants more of those."""
    ends = [observations.runs_of([end]) for end in (observations.low, observations.high)]
    exhausted = stop.ending is Ending.EXHAUSTED
    most = MOST_UNCHANGED if exhausted and posterior.no_change >= settings.confidence else MOST_FIRST
    if observations.exact or min(len(runs) for runs in ends) >= most * settings.first_runs:
        return False
    if exhausted:
        return posterior.no_change > DOUBTFUL
    if stop.ending is not Ending.NO_CHANGE or end_difference(observations, posterior)[0] >= -observations.threshold:
        return False
    # A burst over most runs of one end looks like a change the other way.
    reach = quiet_reach(observations, observations.values)
    return not all(agree(runs, centre(runs), reach) for runs in ends)


def _conclusion(observations: Observations, posterior: Posterior, costs: Costs, settings: Settings) -> Action | None:
    """The verification or the end that the posterior calls for, if it does."""
    # First: a difference below the threshold between clear ends fits neither hypothesis, and one of them has to win.
    if _no_change(observations, posterior, settings):
        change, _ = end_difference(observations, posterior)
        fewest = min(len(observations.runs_of([end])) for end in (observations.low, observations.high))
        if change < -observations.threshold and not observations.exact and fewest < 2 * settings.first_runs:
            # A burst over the first runs of one end looks like a change the other way: that wants more runs.
            return MeasureEnds(runs=settings.first_runs)
        return _other_way(observations, costs, settings, change) or Stop(ending=Ending.NO_CHANGE)
    error = 1 - settings.confidence
    likeliest = int(np.argmax(posterior.probability))
    probability = float(posterior.probability[likeliest])
    if probability < 1 - 3 * error:
        return None
    if divisible(observations, posterior.classes, likeliest):
        alone = _standing_out(observations, posterior, 1 - 3 * error)
        return None if alone is None else _verification(observations, posterior, costs, settings, alone)
    places = pair(observations, posterior, likeliest)
    if wants_verifying(observations, posterior, settings, places, afresh=costs.rebuild is not None):
        return _verification(observations, posterior, costs, settings, places)
    reserve = RESERVE if costs.rebuild is None else settings.reserve
    return Stop(ending=Ending.FOUND, found=likeliest) if probability >= 1 - (1 - reserve) * error else None


def _other_way(observations: Observations, costs: Costs, settings: Settings, change: float) -> MeasureCommit | None:
    """A fresh build of the end that has fewer of them, where the ends differ the other way: builds may be odd."""
    if change >= -observations.threshold or observations.exact or costs.rebuild is None:
        return None
    built = {end: int((observations.unit_place == end).sum()) for end in (observations.low, observations.high)}
    end = min(built, key=built.__getitem__)
    again = built[end] < BUILDS_OF_AN_END
    return MeasureCommit(index=end, runs=settings.first_runs, bits=0.0, number=built[end]) if again else None


def _standing_out(observations: Observations, posterior: Posterior, wanted: float) -> tuple[int, int] | None:
    """A candidate and its parent, where the prior makes it stand out of a class that was not taken apart by runs.

    To measure the two is to verify the candidate and to take it out of its class at once.
    """
    chances = posterior.of_candidates(observations.weights)
    culprit = int(np.argmax(chances)) + 1
    parent = observations.line.parent_index(culprit)
    testable = observations.testable[culprit] and observations.testable[parent]
    return (parent, culprit) if chances[culprit - 1] >= wanted and testable else None


def _no_change(observations: Observations, posterior: Posterior, settings: Settings) -> bool:
    """Whether every change worth naming is ruled out: by the posterior and the bound together, or by a strict bound."""
    change, error = end_difference(observations, posterior)
    if settings.two_sided:
        change = abs(change)
    threshold = observations.threshold
    absent = posterior.no_change >= settings.confidence and change + ONE_SIDED_95 * error < EQUIVALENCE * threshold
    too_small = posterior.no_change >= LIKELIER and change + STRICT * error < threshold
    return absent or too_small


def pair(observations: Observations, posterior: Posterior, index: int) -> tuple[int, int]:
    """The two places whose difference class `index` stands for: the last with the old level, the first with the new.

    On a line these are the measured neighbours that enclose the class. In a graph the culprit is compared with its own
    first parent, or, where the class has several members or the two cannot be tested, the measured commit that contains
    the most and has the old level with the one that contains the least and has the new one.
    """
    members = posterior.classes.members(index)
    places = observations.unit_place
    measured = observations.counts > 0
    bad = posterior.classes.bad[index]
    if observations.line.linear:
        return int(places[measured & ~bad].max()), int(places[measured & bad].min())
    if len(members) == 1:
        parent, culprit = observations.line.parent_index(members[0]), members[0]
        if observations.testable[parent] and observations.testable[culprit]:
            return parent, culprit
    return int(places[measured & ~bad].max()), int(places[measured & bad].min())


def _verification(
    observations: Observations, posterior: Posterior, costs: Costs, settings: Settings, places: tuple[int, int]
) -> VerifyPair | Stop:
    """Fresh runs of a pair, of fresh builds where those can be had, as long as that leads anywhere."""
    if observations.attempted.count(places) >= MOST_ATTEMPTS:
        return Stop(ending=Ending.UNVERIFIED)
    # Runs that were equal so far may still differ between builds: only a declared counter cannot (no rebuild then).
    afresh = costs.rebuild is not None
    numbers = [int((observations.unit_place == place).sum()) if afresh else 0 for place in places]
    return VerifyPair(
        parent=places[0],
        culprit=places[1],
        pairs=verify_pairs(posterior, settings),
        numbers=(numbers[0], numbers[1]),
    )


def _verified_ahead(
    observations: Observations, posterior: Posterior, costs: Costs, settings: Settings
) -> tuple[VerifyPair, float] | None:
    """The verification of the likeliest answer, and the bits it should teach per second that it costs beyond plan.

    If that answer is the right one, its verification has to be paid for in any case; only where it is not is the
    price lost.
    """
    likeliest = int(np.argmax(posterior.probability))
    probability = float(posterior.probability[likeliest])
    if costs.rebuild is None or posterior.exact or probability < LIKELIER:
        return None
    if divisible(observations, posterior.classes, likeliest):
        return None
    places = pair(observations, posterior, likeliest)
    action = _verification(observations, posterior, costs, settings, places)
    if places in observations.attempted or not isinstance(action, VerifyPair):
        return None
    known = Hypotheses.of(posterior)
    fresh = known.beside(0, costs.rebuild / costs.run + 1)
    first = np.array([posterior.classes.members(m)[0] - 1 for m in known.classes])
    sides = np.array([observations.line.contains(place)[first] for place in places])
    gain = fresh.pair(sides, float(action.pairs))
    price = 2 * (costs.rebuild + action.pairs * costs.run) + costs.round
    return action, gain / (max(1 - probability, 1e-9) * price)


@dataclass(frozen=True, kw_only=True)
class _Option:
    """A possible measurement: expected bits for each entry of `RUNS`, and what each costs in seconds."""

    index: int
    gain: FloatArray
    price: FloatArray
    number: int = 0
    references: int = 0

    @property
    def score(self) -> FloatArray:
        """Bits per second."""
        return self.gain / self.price


def _best_measurement(observations: Observations, posterior: Posterior, costs: Costs, settings: Settings) -> Action:
    """The measurement with the most bits per second; half a plan at a time is nearly sequential testing."""
    options = _options(observations, posterior, costs)
    if not options:
        return Stop(ending=Ending.EXHAUSTED)
    option = max(options, key=lambda each: float(each.score.max()))
    best = int(np.argmax(option.score))
    if option.score[best] * costs.run < LEAST_BITS and option.gain.max() < LEAST_GAIN:
        return Stop(ending=Ending.EXHAUSTED)
    ahead = _verified_ahead(observations, posterior, costs, settings)
    if ahead is not None and ahead[1] > option.score[best]:
        return ahead[0]
    most = int(RUNS[np.flatnonzero(option.score >= 0.9 * option.score[best])[-1]])
    share = len(observations.values) // 20
    wanted = int(np.clip(np.ceil(most / 2), max(share, 1), max(int(RUNS[best]), share, 1)))
    return MeasureCommit(
        index=option.index,
        runs=wanted,
        bits=float(option.gain[best]),
        number=option.number,
        references=option.references,
    )


def _options(observations: Observations, posterior: Posterior, costs: Costs) -> list[_Option]:
    known = Hypotheses.of(posterior)
    queries = splitting_queries(observations, posterior.classes, known.classes, costs.build == 0)
    runs = RUNS[:1] if posterior.exact else RUNS
    build_time = float(costs.build.max()) / costs.run
    options = []
    worth_asking = (0,) if posterior.drift is None else REFERENCES
    for references in sorted({max(costs.references, number) for number in worth_asking}):
        opening = costs.round + (runs + references) * costs.run
        fresh = known.beside(references, build_time + 1)
        for query in queries:
            gain = query.chance * fresh.new(query.share, runs)
            price = costs.build[query.index] + query.chance * opening
            options.append(_Option(index=query.index, gain=gain, price=price, references=references))
        beside = known.beside(references, 1)
        for unit in worth_rerunning(observations, posterior.classes, known.classes):
            index = int(observations.unit_place[unit])
            if not posterior.exact:
                gain = beside.rerun(unit, float(posterior.unit_mean[unit]), int(observations.counts[unit]), runs)
                number = observations.number_of(unit)
                options.append(_Option(index=index, gain=gain, price=opening, number=number, references=references))
            if costs.rebuild is not None:
                gain = fresh.new(known.bad[:-1, unit].astype(float), runs)
                number = int((observations.unit_place == index).sum())
                price = costs.rebuild + opening
                options.append(_Option(index=index, gain=gain, price=price, number=number, references=references))
    return options
