"""The rows of a line: every commit that was tested or matters, the untested stretches between them in one row each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from statistics import median
from typing import TypeVar

from bisector.core.model.builds import Build
from bisector.core.model.history import LineName, Place
from bisector.core.model.samples import Outcome
from bisector.report.basis import LONGEST_REASON, commit_part
from bisector.report.document import Row, RowState, Side
from bisector.report.line_source import LineSource
from bisector.report.text import displayed

Value = TypeVar("Value")
MOST_LIKELY = 40
"""Credible sets up to this size are shown commit by commit."""
EQUAL_DIGITS = 12
"""Probabilities that agree to so many digits are the same."""
SHORTEST_STRETCH = 3
"""Untested neighbours from this many on share a row."""


def rows_of(source: LineSource) -> tuple[Row, ...]:
    """Rows that together cover every index 0..N exactly once, in the order of history."""
    table = _Table(source=source)
    rows: list[Row] = []
    shown = sorted(table.shown())
    for before, after in pairwise([-1, *shown, source.line.size + 1]):
        gap = range(before + 1, after)
        if len(gap) >= SHORTEST_STRETCH:
            rows.append(table.stretch(gap))
        else:
            rows.extend(table.row(index) for index in gap)
        if after <= source.line.size:
            rows.append(table.row(after))
    return tuple(rows)


@dataclass(frozen=True, kw_only=True)
class _Table:
    source: LineSource

    def shown(self) -> set[int]:
        """The indexes that get a row of their own."""
        source, size = self.source, self.source.line.size
        found = {0, size, source.low, source.high, *self._values, *self._failures, *self._skipped}
        for index in source.culprits:
            found |= {source.line.parent_index(index), index, index + 1}
        for group in (source.candidates, source.likely):
            found |= set(group) if len(group) <= MOST_LIKELY else {min(group), max(group)}
        return {index for index in found if 0 <= index <= size}

    def row(self, index: int) -> Row:
        """The row of one commit."""
        source, commit = self.source, commit_part(self.source.line.commit(index))
        values, build = self._values.get(index, []), self._builds.get(index)
        state, outcome, reason = self._state(index)
        return Row(
            first=index,
            last=index,
            commit=commit,
            last_commit=commit,
            state=state,
            chance=self._chance(index, index) if index else None,
            likely=index in self._likely,
            role=self._role(index),
            side=source.sides.get(index, Side.UNSURE) if values else Side.UNSURE,
            outcome=outcome,
            reason=displayed(reason, LONGEST_REASON),
            runs=len(values),
            median=float(median(values)) if values else None,
            build_seconds=build.seconds if build is not None else None,
            build_reused=build is not None and build.reused,
        )

    def stretch(self, indexes: range) -> Row:
        """The row of commits that were not tested."""
        line = self.source.line
        return Row(
            first=indexes[0],
            last=indexes[-1],
            commit=commit_part(line.commit(indexes[0])),
            last_commit=commit_part(line.commit(indexes[-1])),
            state=RowState.NOT_TESTED,
            chance=self._chance(indexes[0], indexes[-1]),
            likely=any(index in self._likely for index in indexes),
        )

    def _state(self, index: int) -> tuple[RowState, Outcome | None, str]:
        if index in self._failures:
            return RowState.UNTESTABLE, *self._failures[index]
        if index in self._skipped:
            return RowState.UNTESTABLE, None, "left out on request"
        if not self.source.line.has_tree[index]:
            return RowState.UNTESTABLE, None, "conflicts with the merge's first parent"
        return (RowState.MEASURED if index in self._values else RowState.NOT_TESTED), None, ""

    def _role(self, index: int) -> str:
        source, size = self.source, self.source.line.size
        roles = []
        if source.name is LineName.MAIN:
            first, last = source.names
            roles += [first] if index == source.low else []
            roles += [last] if index == source.high else []
        elif self._in_context:
            roles += ["the merge's first parent"] if index == 0 else []
            roles += ["the merge itself"] if index == size else []
        roles += ["culprit"] if index in source.culprits else []
        roles += ["may be the culprit"] if index in source.candidates else []
        return ", ".join(roles)

    def _chance(self, first: int, last: int) -> float:
        # What differs in the last digits differs by processor: equals are told in the same order on each.
        return round(max(self._sums[last] - self._sums[first - 1], 0.0), EQUAL_DIGITS)

    @cached_property
    def _sums(self) -> list[float]:
        """Element i: the probability of all candidates up to i together."""
        return list(accumulate(self.source.chances, initial=0.0))

    @cached_property
    def _likely(self) -> frozenset[int]:
        return frozenset(self.source.likely)

    @cached_property
    def _in_context(self) -> bool:
        branch = self.source.investigation.branch
        return branch is not None and branch.in_context

    @cached_property
    def _values(self) -> Mapping[int, list[float]]:
        """The values of the runs that are compared, by index."""
        if self.source.found is None:
            return {}
        view, values = self.source.found.view, dict[int, list[float]]()
        for sample in view.samples:
            index = view.index_of(sample.place)
            if index is not None:
                values.setdefault(index, []).append(sample.values[view.metric.name])
        return values

    @cached_property
    def _failures(self) -> Mapping[int, tuple[Outcome, str]]:
        return self._by_index(self.source.investigation.failures)

    @cached_property
    def _builds(self) -> Mapping[int, Build]:
        builds = self.source.investigation.builds
        return self._by_index({place: build for (place, number), build in builds.items() if number == 0})

    def _by_index(self, found: Mapping[Place, Value]) -> dict[int, Value]:
        placed = ((self.source.index_of(place), value) for place, value in found.items())
        return {index: value for index, value in placed if index is not None}

    @cached_property
    def _skipped(self) -> frozenset[int]:
        line = self.source.line
        found = (line.index_of(sha) for sha in self.source.investigation.request.search.skip)
        return frozenset(index for index in found if index is not None)
