"""The lines of a report: the main line and, where a merge was looked into, the commits it brought in."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from bisector.core.model.history import ASIDE, LineName
from bisector.core.model.verdict import InnerKind, Verdict, VerdictKind
from bisector.core.search import several
from bisector.core.search.outlook import Outlook
from bisector.core.search.posterior import Posterior
from bisector.report.basis import Basis
from bisector.report.document import LevelPart, LinePart, Point, Side
from bisector.report.line_source import LineSource
from bisector.report.rows import rows_of

NAMES_OUTRIGHT = frozenset({VerdictKind.CULPRIT, VerdictKind.SEVERAL})


def main_line(basis: Basis) -> LinePart | None:
    """The main line; None before the history is listed."""
    investigation, verdict = basis.investigation, basis.verdict
    if investigation.history is None:
        return None
    compare = not investigation.request.searches
    named = verdict.culprits if verdict is not None and not compare else ()
    outright = verdict is not None and verdict.kind in NAMES_OUTRIGHT
    source = LineSource(
        investigation=investigation,
        name=LineName.MAIN,
        found=basis.main,
        culprits=tuple(culprit.place.index for culprit in named) if outright else (),
        candidates=() if outright else tuple(member for culprit in named for member in culprit.members),
    )
    return _part(source)


def inner_line(basis: Basis) -> LinePart | None:
    """The commits a merge brought in; None where no merge was looked into."""
    investigation = basis.investigation
    if investigation.branch is None or not investigation.branch.line.size:
        return None
    kind, members = _inner_members(basis.verdict)
    source = LineSource(
        investigation=investigation,
        name=LineName.INNER,
        found=basis.inner,
        culprits=members if kind is InnerKind.COMMIT else (),
        candidates=members if kind is InnerKind.COMMIT_SET else (),
    )
    return _part(source)


def _inner_members(verdict: Verdict | None) -> tuple[InnerKind | None, tuple[int, ...]]:
    for culprit in verdict.culprits if verdict is not None else ():
        if culprit.inner is not None:
            return culprit.inner.kind, culprit.inner.members
    return None, ()


def _part(source: LineSource) -> LinePart:
    band = source.candidates or (() if source.culprits else source.likely)
    return LinePart(
        name=source.name,
        size=source.line.size,
        linear=source.line.linear,
        low=source.low,
        high=source.high,
        rows=rows_of(source),
        points=_points(source),
        levels=_levels(source),
        no_change=source.no_change,
        culprits=source.culprits,
        band=(min(band), max(band)) if band else None,
        known=source.posterior is not None,
        changed=source.changed,
    )


def _points(source: LineSource) -> tuple[Point, ...]:
    if source.found is None:
        return ()
    view = source.found.view
    return tuple(
        Point(
            index=index,
            value=sample.values[view.metric.name],
            purpose=sample.purpose,
            side=source.sides.get(index, Side.UNSURE) if index is not None else Side.OLD,
            order=order,
            clock=sample.clock,
            adopted=bool(sample.adopted_from),
        )
        for order, sample in enumerate(view.samples, start=1)
        if (index := None if sample.place == ASIDE else view.index_of(sample.place)) is not None
        or sample.place == ASIDE
    )


def _levels(source: LineSource) -> tuple[LevelPart, ...]:
    """Both levels with their intervals, each over the commits that have it; one common level where nothing changed."""
    found, posterior = source.found, source.posterior
    if found is None or posterior is None:
        return ()
    if source.name is LineName.MAIN and source.investigation.named:
        return tuple(_stretches(source, found, posterior))
    levels, scale = posterior.levels, found.view.scale
    reach = NormalDist().inv_cdf(0.5 + source.investigation.request.search.confidence / 2)

    def level(side: Side, row: int, column: int, span: tuple[int, int]) -> LevelPart:
        middle, error = float(levels.mean[row][column]), reach * float(levels.variance[row][column]) ** 0.5
        low, high = sorted((scale.out_of(middle - error), scale.out_of(middle + error)))
        return LevelPart(side=side, value=scale.out_of(middle), low=low, high=high, first=span[0], last=span[1])

    if not source.changed or not levels.classes:
        return (level(Side.UNSURE, -1, 0, (source.low, source.high)),)
    members = posterior.classes.members(levels.classes[0])
    whole = (source.low, source.high)
    old = (source.low, max(min(members) - 1, source.low)) if source.line.linear else whole
    new = (min(max(members), source.high), source.high) if source.line.linear else whole
    return level(Side.OLD, 0, 0, old), level(Side.NEW, 0, 1, new)


def _stretches(source: LineSource, found: Outlook, posterior: Posterior) -> Iterator[LevelPart]:
    """The level of each stretch between culprits that are named, by its own runs."""
    view, named = found.view, source.investigation.named
    reach = NormalDist().inv_cdf(0.5 + source.investigation.request.search.confidence / 2)
    for first, last in several.stretches(view, named):
        part = replace(view, low=first, high=last, part=True)
        values = view.scale.into(np.array([sample.values[view.metric.name] for sample in part.samples]))
        middle, error = float(values.mean()), reach * posterior.sigma / len(values) ** 0.5
        low, high = sorted((view.scale.out_of(middle - error), view.scale.out_of(middle + error)))
        side = Side.OLD if first == view.low else Side.NEW if last == view.high else Side.UNSURE
        yield LevelPart(side=side, value=view.scale.out_of(middle), low=low, high=high, first=first, last=last)
