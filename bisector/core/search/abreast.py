"""Rounds of several runs at the same moment: beside the run that teaches most, runs at quantiles of the posterior.

A search that runs w at a time halves what is left no faster by running one commit w times; with w commits at the
quantiles 1/(w + 1) … w/(w + 1) of where the culprit may be, it is left with one of w + 1 parts. Where a quantile lies
between two commits that are measured already, the one of them with fewer runs is run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np

from bisector.core.model.investigation import BuildId, Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import BuildPlace, Measure, Slot
from bisector.core.model.units import Seconds
from bisector.core.search.decide import pair
from bisector.core.search.observations import FloatArray, Observations
from bisector.core.search.posterior import Posterior
from bisector.core.search.queries import build_chances, nearest_split
from bisector.core.search.spending import runs_left
from bisector.core.search.view import View

SEARCHING = frozenset({Purpose.SEARCH, Purpose.REFERENCE})


def abreast(
    investigation: Investigation, step: Measure, view: View | None, posterior: Posterior | None, elapsed: Seconds
) -> BuildPlace | Measure:
    """The round `step` with as many runs at every moment as was asked for, within the budget.

    A round of the search is joined by other commits of `view`, which are built first; any other one by more runs of its
    own, so that it always measures as many at once: what runs do to each other is the same for all of them then.
    """
    width, slots = investigation.request.parallel, step.slots
    if view is not None and posterior is not None and all(slot.purpose in SEARCHING for slot in slots):
        row = _Company(view=view, posterior=posterior).row(slots, width)
        for slot in row:
            if (slot.place, slot.number) not in investigation.builds:
                return BuildPlace(place=slot.place, number=slot.number, reason="to be run beside others")
        slots = tuple(row) * sum(slot.purpose is Purpose.SEARCH for slot in slots)
    whole = -(-len(slots) // width) * width
    most = runs_left(investigation, elapsed)
    return replace(step, slots=tuple(islice(cycle(slots), whole))[:most], parallel=width)


@dataclass(frozen=True, kw_only=True)
class _Company:
    """What is run beside a run of the search."""

    view: View
    posterior: Posterior

    def row(self, slots: tuple[Slot, ...], width: int) -> list[Slot]:
        """`width` slots for one moment: the unit that is to be run, references that go with it, and company."""
        taken = list(dict.fromkeys(sorted(slots, key=lambda slot: slot.purpose is Purpose.REFERENCE)))[:width]
        units = {(slot.place, slot.number) for slot in taken}
        for choice in self._beside(taken[0], width):
            unit = next((unit for unit in choice if unit not in units), None)
            if unit is not None and len(taken) < width:
                units.add(unit)
                taken.append(Slot(place=unit[0], number=unit[1], purpose=Purpose.SEARCH))
        return list(islice(cycle(taken), width))

    def _beside(self, first: Slot, width: int) -> Iterator[tuple[BuildId, ...]]:
        """Units at each quantile of where the culprit may be, but the one that `first` is the nearest to: the best
        first."""
        quantiles = np.arange(1, width + 1) / (width + 1)
        index = self.view.index_of(first.place)
        if index is not None:
            quantiles = np.delete(quantiles, np.argmin(np.abs(quantiles - self._reach(index))))
        chances = self._chances(first)
        if index is not None:
            chances[index] = 0.0
        for quantile in quantiles:
            yield self._at(float(quantile), chances)

    @property
    def _observations(self) -> Observations:
        return self.view.observations()

    def _reach(self, index: int) -> float:
        """Probability that the commit at `index` contains the culprit, if there is one."""
        chances = self.posterior.of_candidates(self._observations.weights)
        return float(chances[self._observations.line.contains(index)].sum() / max(chances.sum(), 1e-300))

    def _chances(self, first: Slot) -> FloatArray:
        """Chance to build of every commit that may be run for the first time.

        Of what is built alone where builds are counted, and where `first` was run before: a moment that takes a run
        would then take a build for company.
        """
        observations, investigation = self._observations, self.view.investigation
        chances = build_chances(observations)
        chances[observations.unit_place[observations.counts > 0]] = 0.0
        builds_of_first = int((observations.unit_place == self.view.index_of(first.place)).sum())
        if first.number < builds_of_first or investigation.request.budget.builds is not None:
            built = {self.view.index_of(place) for place, number in investigation.builds if number == 0}
            chances[[index not in built for index in range(len(chances))]] = 0.0
        return chances

    def _at(self, quantile: float, chances: FloatArray) -> tuple[BuildId, ...]:
        """The units to run at `quantile`: a commit that splits the class it falls into, or else what lies beside it.

        What splits it is not asked for again: its chance is taken.
        """
        observations, classes, parts = self._observations, self.posterior.classes, self.posterior.given_change
        until = np.cumsum(parts)
        index = int(np.searchsorted(until, quantile))
        share = 1 - (float(until[index]) - quantile) / max(float(parts[index]), 1e-300)
        split = nearest_split(observations, classes, index, share, chances)
        if split is not None:
            chances[split] = 0.0
            return ((self.view.place_at(split), 0),)
        if self.posterior.exact:
            return ()
        sides = np.isin(observations.unit_place, pair(observations, self.posterior, index))
        units = np.flatnonzero(sides & (observations.counts > 0))
        fewest = units[np.argsort(observations.counts[units], kind="stable")]
        return tuple(
            (self.view.place_at(int(observations.unit_place[unit])), observations.number_of(unit))
            for unit in fewest.tolist()
        )
