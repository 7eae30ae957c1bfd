"""The jobs of sweeps: how each is asked for, and what one that has ended told."""

from dataclasses import dataclass, replace

from bisector.core.model.history import ASIDE, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind, Request, Search
from bisector.core.model.scenario import Direction, Metric
from bisector.core.model.trigger import Trigger
from bisector.core.model.units import Sha, digest
from bisector.core.model.verdict import Change, VerdictKind
from bisector.core.watch import moves
from bisector.core.watch.log import Asked
from bisector.core.watch.nights import Night
from bisector.engine.asking import Ask, Grounds, request_of
from bisector.engine.queue import Order, Priority, dedup_key
from bisector.engine.series import SeriesName
from bisector.formats.service import RepositoryTable, SweepTable

NIGHT_BUILDS = 4
"""Builds that a night may cost: the tip, and what stands in for it where it does not build."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A series as a sweep watches it."""

    name: SeriesName
    sweep: SweepTable
    repository: RepositoryTable
    metric: Metric
    together: tuple[str, ...]
    """The metrics that the sweep watches of the scenario: one measurement tells of all of them."""


Wanted = tuple[Request, Order]
"""A job to queue."""


def night_job(watched: Watched, asked: moves.Measure, tip: Sha, tick: float, grounds: Grounds) -> Wanted:
    """The tip beside the accepted commit, in turns, as many runs as the sweep says: no more, whatever they show."""
    request = replace(
        _between(watched, asked.reference, tip, JobKind.COMPARE, grounds),
        metrics=watched.together,
        budget=Budget(runs=2 * watched.sweep.runs, builds=NIGHT_BUILDS),
    )
    name = watched.name
    key = digest("night", name.repository, name.scenario, name.host_class, asked.reference, tip, str(tick))
    return request, _order(watched, key)


def look_job(watched: Watched, look: moves.Look, number: int, grounds: Grounds) -> Wanted:
    """Both sides of a step measured afresh, in turns, until it is clear whether it is there."""
    request = _between(watched, look.good, look.bad, JobKind.COMPARE, grounds)
    return request, _order(watched, digest("look", str(watched.name), str(number)))


def search_job(watched: Watched, search: moves.Search, grounds: Grounds) -> Wanted:
    """The search for a step that a closer look confirmed; an alert that asks the same shares it."""
    sweep = watched.sweep
    request = _between(watched, search.good, search.bad, JobKind.BISECT, grounds)
    direction = Direction.WORSE if search.worse else Direction.BETTER
    budget = Budget(runs=sweep.max_runs or request.budget.runs, seconds=sweep.max_seconds or request.budget.seconds)
    request = replace(request, search=replace(request.search, direction=direction), budget=budget)
    return request, _order(watched, dedup_key(request))


def _between(watched: Watched, good: Sha, bad: Sha, kind: JobKind, grounds: Grounds) -> Request:
    """Refused where the commits or the scenario are no longer to be had."""
    name = watched.name
    trigger = Trigger(
        source=_asker(watched),
        repository=name.repository,
        scenario=name.scenario,
        metric=name.metric,
        good=good,
        bad=bad,
    )
    ask = Ask(trigger=trigger, priority=Priority.SWEEP, host_class=name.host_class, kind=kind)
    request = request_of(ask, grounds)
    if kind is JobKind.COMPARE:
        # What others measured was measured at another time of the host.
        return replace(request, search=Search(direction=Direction.EITHER), profile=False, reuse_samples=False)
    return request


def _order(watched: Watched, dedup: str) -> Order:
    return Order(priority=Priority.SWEEP, host_class=watched.name.host_class, dedup=dedup, asked_by=_asker(watched))


def _asker(watched: Watched) -> str:
    return f"sweep {watched.sweep.name}"


def night_of(asked: Asked, done: Investigation, metric: str) -> Night | None:
    """What a night measured of `metric`; None where one of the two commits has no run that counts."""
    history = done.history
    if history is None:
        return None
    old = main(0) if history.aside is None else ASIDE
    new = main(history.line.size)
    samples = [sample for sample in done.samples if sample.counts and metric in sample.values]
    tip, reference = (
        tuple(sample.values[metric] for sample in samples if sample.place == place) for place in (new, old)
    )
    if not tip or not reference:
        return None
    host = done.environments[-1].host if done.environments else ""
    return Night(time=asked.time, tip=asked.bad, values=tip, reference=reference, host=host)


def change_of(done: Investigation) -> Change | None:
    """What a closer look showed; None where the two do not differ by what is worth naming, or nothing was shown."""
    verdict = done.verdict
    return verdict.change if verdict is not None and verdict.kind is VerdictKind.CULPRIT else None
