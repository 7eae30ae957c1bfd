"""Which builds are likely wanted next, while the step in hand is carried out, and when they may go on beside it.

The planner itself says: every likely answer to the step is imagined, and it is asked what it would want then, and after
that, until the ways it may go are too many to be likely.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import numpy as np

from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded, Planned
from bisector.core.model.history import LineName, Place
from bisector.core.model.investigation import BuildId, Investigation
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome, Purpose, Sample, Usage
from bisector.core.model.scenario import Metric
from bisector.core.model.steps import BuildPlace, Measure, Slot, Step
from bisector.core.model.units import Seconds
from bisector.core.search.costing import DEFAULT_BUILD_SECONDS
from bisector.core.search.outlook import Outlook, outlook
from bisector.core.search.planner import PLANNER, next_step
from bisector.core.search.spending import run_seconds

SPARE = 4
"""Processors that a build beside a run is given where nobody said how many things may go on at once."""
MOST_UNASKED = 3
FIRST_ALONE = 4
"""Runs that a job makes alone before something is built beside any: what the others are held against."""
LEAST_CHANCE, ALMOST_SURE, LIKELY = 0.1, 0.9, 0.5
"""Chance of being wanted from which a build is worth beginning; where builds are limited; and worth waiting for."""
QUICK: Seconds = 1.0
"""Builds that take less are made before one has looked ahead."""
MOST_LOOKS = 16
"""How often the planner is asked in one look ahead."""
CLEARLY = 4.0
"""Smallest changes worth naming that the ends are imagined to be apart before either was run."""
DECIDING = frozenset({Purpose.VERIFY, Purpose.CONTROL, Purpose.TRIAL})
"""Runs that an answer stands on: nothing is built beside them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A build that may be asked for, the chance that it will be, and whether that is before anything is measured."""

    place: Place
    number: int
    chance: float
    before_runs: bool

    @property
    def unit(self) -> BuildId:
        """What names the build in an investigation."""
        return self.place, self.number


def room(request: Request, processors: int) -> int:
    """How many builds may go on beside the step in hand on a host with so many processors (0: cannot be told apart).

    None where the runs take all of them. As asked where it was asked, else one for every `SPARE` that are not measured
    on, `MOST_UNASKED` at most.
    """
    spare = max(processors - measured_on(request), 0)
    if request.jobs is None:
        return min(spare // SPARE, MOST_UNASKED)
    return request.jobs - 1 if spare else 0


def room_for_others(request: Request, processors: int, slots: int | None) -> int:
    """How many builds of other jobs may go on beside a job: as the operator asked (`slots`), else as many as its own.

    None where the runs take all processors, nor beside a job that asked for nothing beside it.
    """
    if processors <= measured_on(request) or request.jobs == 1:
        return 0
    return room(request, processors) if slots is None else slots


def measured_on(request: Request) -> int:
    """How many processors are measured on at once."""
    return request.scenario.run.cpus * request.width


def may_build_beside(investigation: Investigation, step: Step, wanted: Wanted) -> bool:
    """Whether `wanted` may be built while `step` is carried out."""
    return others_may_build(investigation, step) or (isinstance(step, BuildPlace) and wanted.before_runs)


def others_may_build(investigation: Investigation, step: Step) -> bool:
    """Whether something that the job itself does not wait for may be built while `step` is carried out."""
    alone = sum(s.counts and not s.beside and not s.adopted_from for s in investigation.samples)
    begun = alone >= FIRST_ALONE or all(metric.exact for metric in investigation.request.asked)
    if isinstance(step, Measure):
        return begun and not wants_quiet(investigation, step)
    return isinstance(step, BuildPlace) and begun and investigation.disturbed is None


def wants_quiet(investigation: Investigation, step: Step) -> bool:
    """Whether nothing may be built beside `step`: the answer stands on its runs, or builds were seen to harm runs."""
    if not isinstance(step, Measure):
        return False
    deciding = not investigation.request.searches or any(slot.purpose in DECIDING for slot in step.slots)
    return deciding or investigation.disturbed is not None


def worth_beginning(investigation: Investigation, wanted: Wanted, going: int) -> bool:
    """Whether to begin a build while `going` others are being made: likely enough, and within the budget."""
    most = investigation.request.budget.builds
    if most is None:
        return wanted.chance >= LEAST_CHANCE
    return wanted.chance >= ALMOST_SURE and investigation.builds_made() + going < most


def worth_looking(investigation: Investigation) -> bool:
    """Whether builds take long enough, as far as is known, for it to pay to look which ones will be wanted."""
    made = [build.seconds for build in investigation.builds.values() if not build.reused]
    return not made or float(np.median(made)) >= QUICK


def likely_builds(investigation: Investigation, elapsed: Seconds, most: int) -> tuple[Wanted, ...]:
    """The builds that may be asked for after the step in hand, the likeliest first; `elapsed` as for the planner.

    The look ends with the ways that lead to `most` of them.
    """
    found: dict[BuildId, Wanted] = {}
    in_hand = investigation.unfinished()
    paths, order = [(-1.0, 0, False, investigation)], count(1)
    for _ in range(MOST_LOOKS):
        if not paths or len(found) >= most:
            break
        chance, _, measured, state = heappop(paths)
        state, step = _planned(state, elapsed)
        match step:
            case BuildPlace():
                unit = (step.place, step.number)
                # One from scratch is made by the loop: the failed build that it follows is still at hand.
                if (in_hand is None or in_hand.step != step) and not step.clean:
                    known = found.get(unit)
                    found[unit] = Wanted(
                        place=step.place,
                        number=step.number,
                        chance=-chance + (known.chance if known is not None else 0.0),
                        before_runs=not measured,
                    )
                heappush(paths, (chance, next(order), measured, _built(state, step)))
            case Measure():
                for part, after in _measured(state):
                    if -chance * part >= LEAST_CHANCE:
                        heappush(paths, (chance * part, next(order), True, after))
            case _:
                pass
    return tuple(sorted(found.values(), key=lambda wanted: -wanted.chance))


def _planned(investigation: Investigation, elapsed: Seconds) -> tuple[Investigation, Step | None]:
    """The step in hand or else the next one, planned."""
    unfinished = investigation.unfinished()
    if unfinished is not None:
        return investigation, unfinished.step
    step = next_step(investigation, elapsed).step
    if step is None:
        return investigation, None
    plan = Planned(number=investigation.next_number, step=step, planner=PLANNER, elapsed=elapsed)
    return investigation.with_fact(plan), step


def _built(investigation: Investigation, step: BuildPlace) -> Investigation:
    """As if the build had come out well."""
    made = [build.seconds for build in investigation.builds.values() if build.usable and not build.reused]
    usual = float(np.median(made)) if made else DEFAULT_BUILD_SECONDS
    build = Build(key=f"ahead {step.place} {step.number}", outcome=Outcome.OK, handle="ahead", seconds=usual)
    return investigation.with_fact(BuildRecorded(place=step.place, number=step.number, build=build))


def _measured(investigation: Investigation) -> Iterator[tuple[float, Investigation]]:
    """What the round in hand may show, each with its chance: for every way in which the commits of the round can lie
    before or after the culprit, and for no change."""
    pending = investigation.pending()
    host = investigation.host
    lines = {slot.place.line for _, slot in pending}
    name = next((line for line in (LineName.INNER, LineName.PART, LineName.COMPANY) if line in lines), LineName.MAIN)
    guesses = [
        _Guess(metric, found)
        for metric in investigation.request.asked
        if (found := outlook(investigation, metric, name)) is not None
    ]
    if not pending or not guesses or host is None or investigation.crashing:
        return
    open_one = max(guesses, key=lambda guess: guess.open)
    for chance, culprit in open_one.sides([slot.place for _, slot in pending]):
        state = investigation
        for guess in guesses:
            guess.begin(culprit if guess is open_one else guess.likeliest)
        for number, (order, slot) in enumerate(pending):
            values = {guess.metric.name: guess.value(slot, len(pending)) for guess in guesses}
            state = state.with_fact(_sample(investigation, order, slot, values, number))
        yield chance, state


def _sample(investigation: Investigation, order: int, slot: Slot, values: dict[str, float], number: int) -> Sample:
    plan, host = investigation.plans[-1], investigation.environments[0].host
    usual = run_seconds(investigation)
    last = investigation.samples[-1].clock if investigation.samples else 0.0
    width = plan.step.width if isinstance(plan.step, Measure) else 1
    return Sample(
        place=slot.place,
        number=slot.number,
        build=investigation.builds[slot.place, slot.number].key,
        purpose=slot.purpose,
        outcome=Outcome.OK,
        values=values,
        usage=Usage(wall=usual, cpu=usual, peak_memory=0),
        step=plan.number,
        order=order,
        clock=last + (number // width + 1) * usual,
        host=host,
        partner=plan.step.partner(order) if isinstance(plan.step, Measure) else None,
        lane=plan.step.lane(order) if isinstance(plan.step, Measure) else 0,
    )


class _Guess:
    """What runs may show of one metric: levels and noise as known so far, else a clear change."""

    def __init__(self, metric: Metric, found: Outlook) -> None:
        self.metric = metric
        self._found = found
        self._culprit: int | None = None
        self._turn: dict[Place, int] = {}
        scale, posterior = found.view.scale, found.posterior
        threshold = scale.threshold(found.view.investigation.request.min_effect_of(metric))
        if posterior is not None and found.levels is not None:
            old, new = (float(scale.into(np.array([level]))[0]) for level in found.levels)
            self._levels, self._noise = (old, new), posterior.sigma
        else:
            values = [sample.values[metric.name] for sample in found.view.samples]
            old = float(np.median(scale.into(np.array(values or [1.0], dtype=float))))
            self._levels, self._noise = (old, old + CLEARLY * threshold), threshold / CLEARLY

    @property
    def open(self) -> float:
        """How far it is from being settled."""
        return 1 - max(float(self._found.chances.max(initial=0.0)), self._found.no_change)

    @property
    def likeliest(self) -> int | None:
        """The likeliest culprit; None for no change."""
        chances = self._found.chances
        best = int(np.argmax(chances))
        return best + 1 if chances[best] > self._found.no_change else None

    def sides(self, places: Sequence[Place]) -> Iterator[tuple[float, int | None]]:
        """The ways in which `places` can lie before or after the culprit: the chance, and a culprit for which it is so
        (None for no change)."""
        chances, view = self._found.chances, self._found.view
        indexes = sorted({index for place in places if (index := view.index_of(place)) is not None})
        rows = np.array([view.line.contains(index) for index in indexes]).reshape(len(indexes), len(chances))
        _, first, way = np.unique(rows, axis=1, return_index=True, return_inverse=True)
        parts = np.bincount(way.ravel(), weights=chances, minlength=len(first))
        for part, candidate in zip(parts.tolist(), first.tolist(), strict=True):
            yield part, candidate + 1
        yield self._found.no_change, None

    def begin(self, culprit: int | None) -> None:
        """From now on values are those with this culprit."""
        self._culprit, self._turn = culprit, {}

    def value(self, slot: Slot, runs: int) -> float:
        """What the next run of the slot's commit shows: its level, in turns above and below it."""
        view, culprit = self._found.view, self._culprit
        index = view.index_of(slot.place)
        new = culprit is not None and index is not None and bool(view.line.contains(index)[culprit - 1])
        turn = self._turn[slot.place] = self._turn.get(slot.place, -1) + 1
        apart = self._noise if runs > 1 else 0.0
        return view.scale.out_of(self._levels[new] + (apart if turn % 2 == 0 else -apart))
