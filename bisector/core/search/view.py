"""The facts of an investigation as the search sees them: one line, one metric, larger values worse."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from bisector.core.model.history import ASIDE, BoolArray, Line, LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Across, JobKind
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import CRASHED, Direction, Metric
from bisector.core.model.steps import Measure
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change
from bisector.core.search.across import runs_together, taken_together
from bisector.core.search.censored import WALL, is_bound, placed, with_bounds
from bisector.core.search.duets import Levelled, levelled
from bisector.core.search.effect import Difference, difference
from bisector.core.search.exact import is_exact
from bisector.core.search.failing import reasons_by_index
from bisector.core.search.observations import FloatArray, Observations, Verification
from bisector.core.search.pairs import Paired, compare_pairs, neighbours
from bisector.core.search.posterior import Posterior
from bisector.core.search.prior import prior_weights
from bisector.core.search.scale import Scale


@dataclass(frozen=True, kw_only=True)
class View:
    """One line of an investigation, for one metric, between the indexes that stand for its ends.

    `elsewhere` says where an index is measured when that is not the place of that name: both ends of the commits
    inside a merge are places of the main line, whose samples are known already.
    """

    investigation: Investigation
    name: LineName
    line: Line
    metric: Metric
    low: int
    high: int
    elsewhere: Mapping[int, Place] = field(default_factory=dict)
    use_adopted: bool = True
    part: bool = False
    """One side of a named culprit: what lies outside the ends is another level, and a change may go either way."""
    either: bool = False
    """Whether a change either way counts, beside what was asked for."""

    @property
    def two_sided(self) -> bool:
        """Whether a change in either direction is looked for."""
        return self.part or self.either or self.investigation.request.search.direction is Direction.EITHER

    def place_at(self, index: int) -> Place:
        """Where index `index` of the line is measured."""
        return self.elsewhere.get(index) or Place(line=self.name, index=index)

    def index_of(self, place: Place) -> int | None:
        """The index on this line of a measured place, or None where it has none."""
        for index, other in self.elsewhere.items():
            if other == place:
                return index
        return place.index if place.line is self.name and place.index not in self.elsewhere else None

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The samples that count on this line, in the order they were taken, of the job's own host only.

        Where a tail or a spread is compared each is of several runs. One that ran into its time limit has the limit
        as its value.
        """
        found = (sample for sample in self._counting() if self._holds(sample.place))
        return taken_together(found, self.metric.name, self.across)

    def _counting(self) -> Iterator[Sample]:
        host = self.investigation.host
        disturbed = self.investigation.disturbed is not None
        name = self.metric.name
        for sample in with_bounds(self.investigation.samples, name, self.time_limit):
            if sample.purpose is Purpose.ENVIRONMENT:
                # Of a commit with other packages: what it shows is not the commit's level.
                continue
            here = (host is None or sample.host == host.host) and not (disturbed and sample.beside)
            wanted = self.use_adopted or not sample.adopted_from
            if (sample.counts or is_bound(sample)) and here and wanted and name in sample.values:
                yield sample

    @property
    def time_limit(self) -> Seconds | None:
        """What a run that did not finish is known to lie above; None where that says nothing of the metric."""
        return self.investigation.time_limit if self.metric.source == WALL else None

    @property
    def across(self) -> Across:
        """What of the runs is compared; whether they failed is asked of each."""
        return Across.MEDIAN if self.metric == CRASHED else self.investigation.request.search.across

    @property
    def runs_together(self) -> int:
        """How many runs one compared value is taken of."""
        return runs_together(self.across)

    def _holds(self, place: Place) -> bool:
        index = self.index_of(place)
        if self.part:
            return index is not None and self.low <= index <= self.high
        return place == ASIDE or index is not None

    def values_at(self, place: Place) -> FloatArray:
        """The metric's values at `place`."""
        return np.array([s.values[self.metric.name] for s in self.samples if s.place == place], dtype=float)

    @cached_property
    def scale(self) -> Scale:
        """The scale all values of this line share."""
        values = np.array([sample.values[self.metric.name] for sample in self.samples], dtype=float)
        return Scale.of(values, self.metric, self.investigation.request.search.direction)

    def change(self, old: Place, new: Place, posterior: Posterior) -> Change | None:
        """The relative change between two places, its interval by the whole search's noise; None without samples."""
        found = self.offset(old, new, posterior)
        return None if found is None else self.scale.change(found)

    def offset(self, old: Place, new: Place, posterior: Posterior) -> Difference | None:
        """The same in the search's units."""
        before, after = (self._compared_at(place, posterior) for place in (old, new))
        if not before or not after:
            return None
        if self.investigation.request.kind is JobKind.COMPARE:
            found = self.paired(old, new)
            if found is not None and found.preferred:
                return found.difference
        return difference(before, after, posterior.spread_of_kind, self.investigation.request.search.confidence)

    def paired(self, old: Place, new: Place, purpose: Purpose | None = None) -> Paired | None:
        """The difference of two places by pairs of runs that follow each other; only runs for `purpose` where given.

        None where there are too few pairs, and where there is no noise.
        """
        if self.exact or self.metric == CRASHED:
            return None
        pays = self._levelled is not None
        samples = self._freed(apart=True)
        pairs = neighbours([s for s in samples if purpose in (None, s.purpose)], old, new)
        before, after = (np.array([pair[side].values[self.metric.name] for pair in pairs]) for side in (0, 1))
        confidence = self.investigation.request.search.confidence
        found = compare_pairs(self.scale.into(before), self.scale.into(after), confidence)
        return replace(found, preferred=True) if found is not None and pays else found

    @cached_property
    def compared(self) -> tuple[Sample, ...]:
        """The samples as the search reads them: of a duet without what its moment did to both, where that pays."""
        return self._freed(apart=False)

    def _freed(self, *, apart: bool) -> tuple[Sample, ...]:
        if self._levelled is None:
            return self.samples
        taken, found = self._levelled
        name, values = self.metric.name, (found.apart if apart else found.values).tolist()
        kept = [(s, v) for s, v in zip(taken, values, strict=True) if np.isfinite(v) and self._holds(s.place)]
        return tuple(replace(s, values={**s.values, name: self.scale.out_of(value)}) for s, value in kept)

    @cached_property
    def _levelled(self) -> tuple[tuple[Sample, ...], Levelled] | None:
        """Every sample that counts, those beside which this line's were taken included, and what they amount to."""
        if not self.investigation.request.duet or self.across is not Across.MEDIAN or self.metric == CRASHED:
            return None
        taken = tuple(self._counting())
        if any(is_bound(sample) for sample in taken):
            # What a moment did to a run that did not finish is not known.
            return None
        values = np.array([sample.values[self.metric.name] for sample in taken], dtype=float)
        if self.exact or (self.scale.logarithmic and (values <= 0).any()):
            return None
        found = levelled(taken, self.scale.into(values))
        return None if found is None else (taken, found)

    def _compared_at(self, place: Place, posterior: Posterior) -> list[FloatArray]:
        """The runs of each build of `place`, in the search's units, without what an odd build lies off by."""
        runs = [(self.build_number(s), s.values[self.metric.name]) for s in self.compared if s.place == place]
        numbers = sorted({number for number, _ in runs})
        values = [self.scale.into(np.array([value for of, value in runs if of == number])) for number in numbers]
        return posterior.without_surplus(values, self._observations.unit_place == self.index_of(place))

    def observations(self) -> Observations:
        """The arrays the search decides on."""
        return self._observations

    @cached_property
    def _observations(self) -> Observations:
        samples = [(self.index_of(s.place), s) for s in self.compared]
        on_line = [(index, s) for index, s in samples if index is not None]
        unit_of = [(index, self.build_number(s)) for index, s in on_line]
        units = sorted(set(unit_of))
        position = {unit: number for number, unit in enumerate(units)}
        scale, indexes = self.scale, np.array([index for index, _ in on_line], dtype=np.int64)
        bounds = np.array([self.time_limit is not None and is_bound(s) for _, s in on_line], dtype=bool)
        values = placed(
            np.array([s.values[self.metric.name] for _, s in on_line], dtype=float),
            bounds,
            [indexes == end for end in (self.low, self.high)],
        )
        request = self.investigation.request
        return Observations(
            line=self.line,
            weights=self._weights(),
            testable=self._testable(),
            unit_place=np.array([index for index, _ in units], dtype=np.int64),
            run_unit=np.array([position[unit] for unit in unit_of], dtype=np.int64),
            values=scale.into(values) if len(values) else values,
            threshold=scale.threshold(request.min_effect_of(self.metric)),
            low=self.low,
            high=self.high,
            exact=self.exact,
            times=self._times([sample for _, sample in on_line]),
            verifications=self._verifications(),
            attempted=tuple(pair for _, pair in self._verifying),
            bounds=bounds,
            failing=reasons_by_index(self.investigation.failures, self.index_of, self.line.size),
        )

    def _times(self, samples: list[Sample]) -> FloatArray | None:
        """When the samples were taken, in runs' lengths; None where some are another job's, whose clock was another."""
        if any(sample.adopted_from for sample in samples) or not samples:
            return None
        clocks = np.array([sample.clock for sample in samples])
        length = float(np.median([sample.usage.wall for sample in samples if sample.usage is not None] or [0.0]))
        return np.asarray((clocks - clocks.min()) / max(length, 1e-3))

    def build_number(self, sample: Sample) -> int:
        """Which build a sample is of: a rebuild that came out equal to the first is the first."""
        if sample.number == 0:
            return 0
        builds = self.investigation.builds
        first, own = (builds.get((sample.place, number)) for number in (0, sample.number))
        same = first is not None and own is not None and own.content is not None and own.content == first.content
        return 0 if same else sample.number

    @cached_property
    def exact(self) -> bool:
        """Whether the metric is free of noise, as `is_exact` says."""
        ends = (self.place_at(self.low), self.place_at(self.high))
        return is_exact(self.samples, self.metric, ends, self.investigation.request.min_effect_of(self.metric))

    def _weights(self) -> FloatArray:
        weights = prior_weights(self.line, guessing=self.investigation.request.search.prior)
        weights[~self.line.contains(self.high) | self.line.contains(self.low)] = 0.0
        weights = self._at_crashes(weights)
        if not self.investigation.request.searches:
            return weights
        same = self.line.unchanged | self.same_content()
        if self.part:
            return weights * ~same
        return weights if not (weights * ~same).any() else weights * ~same

    def _at_crashes(self, weights: FloatArray) -> FloatArray:
        """The weights where a crash is as bad as bad: the culprit is in every commit that crashes."""
        if not self.investigation.request.search.crash_is_bad or self.investigation.crashing:
            return weights
        kept = weights.copy()
        for place, (outcome, _) in self.investigation.failures.items():
            index = self.index_of(place)
            if index is not None and self.low < index < self.high and outcome is not Outcome.BUILD_FAILED:
                kept[~self.line.contains(index)] = 0.0
        return kept if kept.any() else weights

    def same_content(self) -> BoolArray:
        """Candidates whose build came out equal to their parent's, though the trees differ."""
        same = np.zeros(self.line.size, dtype=bool)
        for (place, number), build in self.investigation.builds.items():
            index = self.index_of(place)
            if number or not index or build.content is None:
                continue
            parent = self.investigation.builds.get((self.place_at(self.line.parent_index(index)), 0))
            same[index - 1] = parent is not None and parent.content == build.content
        return same

    def _testable(self) -> BoolArray:
        testable = self.line.has_tree.copy()
        failed = (self.index_of(place) for place in self.investigation.failures)
        skipped = (self.line.index_of(sha) for sha in self.investigation.request.search.skip)
        for index in (*failed, *skipped):
            if index is not None:
                testable[index] = False
        return testable

    def _verifications(self) -> tuple[Verification, ...]:
        """Pairs that a finished round has measured afresh."""
        scale, found = self.scale, []
        for number, indexes in self._verifying:
            old, new = (self._fresh(number, self.place_at(index)) for index in indexes)
            if old and new:
                rise = self._median(new) - self._median(old)
                wanted = scale.threshold(self.investigation.request.min_effect_of(self.metric)) / 2
                passed = (abs(rise) if self.two_sided else rise) > wanted
                low, high = indexes
                builds = old[0].number, new[0].number
                found.append(Verification(parent=low, culprit=high, passed=passed, rise=rise, numbers=builds))
        return tuple(found)

    @cached_property
    def _verifying(self) -> tuple[tuple[int, tuple[int, int]], ...]:
        """The rounds that verify a pair of this line: number of the step, parent and culprit."""
        found = []
        for plan in self.investigation.plans:
            if not isinstance(plan.step, Measure):
                continue
            verified = dict.fromkeys(slot.place for slot in plan.step.slots if slot.purpose is Purpose.VERIFY)
            indexes = [i for place in verified if (i := self.index_of(place)) is not None]
            if self.line.linear:
                # In a graph the parent's index may be the larger one: its run comes first, but not in every duet.
                indexes.sort()
            if len(indexes) == 2:
                found.append((plan.number, (indexes[0], indexes[1])))
        return tuple(found)

    def _fresh(self, step: int, place: Place) -> list[Sample]:
        fresh = (s for s in self.compared if s.step == step and s.purpose is Purpose.VERIFY and not s.adopted_from)
        return [sample for sample in fresh if sample.place == place]

    def _median(self, samples: list[Sample]) -> float:
        values = np.array([sample.values[self.metric.name] for sample in samples], dtype=float)
        return float(np.median(self.scale.into(values)))


def main_view(investigation: Investigation, metric: Metric, low: int, high: int) -> View:
    """The main line between the indexes that stand for its ends."""
    return View(
        investigation=investigation, name=LineName.MAIN, line=investigation.line, metric=metric, low=low, high=high
    )


def inner_view(investigation: Investigation, metric: Metric) -> View:
    """The commits a merge brought in; in its context both ends are places of the main line."""
    branch = investigation.branch
    if branch is None:
        raise ValueError("no branch is listed yet")
    size = branch.line.size
    parent = main(investigation.line.parent_index(branch.merge.index))
    return View(
        investigation=investigation,
        name=LineName.INNER,
        line=branch.line,
        metric=metric,
        low=0,
        high=size,
        elsewhere={0: parent, size: branch.merge} if branch.in_context else {},
    )
