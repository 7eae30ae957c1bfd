"""Weeks to report on: series with steps, creeps and nothing, searches that ended with every kind of answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bisector.core.model.history import Commit, main
from bisector.core.model.scenario import Better, Metric
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Culprit, VerdictKind
from bisector.core.watch.moves import Accepted, AcceptedBy, Entry, Looked, Searched
from bisector.core.watch.nights import Night
from bisector.core.watch.week import DAY, Answer, Blamed, Watched, Week, week_of
from tests.helpers.lines import name

BEGIN: Seconds = 1_766_000_000.0
NIGHTS = 60
UNTIL = BEGIN + NIGHTS * DAY + 3600.0
SECONDS = Metric(name="seconds", unit="s")
RATE = Metric(name="rate", unit="1/s", better=Better.HIGHER)


def change(relative: float) -> Change:
    """A change with an interval."""
    return Change(relative=relative, low=relative - 0.01, high=relative + 0.01)


def series(
    metric: Metric,
    steps: dict[int, float],
    *,
    level: float = 1.2,
    noise: float = 0.006,
    acknowledged: Sequence[int] = (),
    rng: int = 1,
) -> Iterator[Entry]:
    """Nights with relative `steps` at some of them, each confirmed and searched five nights later as job 100 + night.

    A step of 0.0 … is followed by nothing; `acknowledged` are nights after which a person accepts the level.
    """
    random = np.random.default_rng(rng)
    accepted, current, commit = level, level, name(1)
    yield Accepted(commit=commit, time=BEGIN, by=AcceptedBy.START)
    pending: dict[int, float] = {}
    for night in range(1, NIGHTS + 1):
        if night in steps:
            current *= 1 + steps[night]
            pending[night + 4] = steps[night]
        time, tip = BEGIN + night * DAY, name(night + 1)
        # The host's own drift falls on both sides.
        drift = 1 + 0.1 * np.sin(night / 9)
        values, reference = (
            tuple(float(value) for value in drift * side * (1 + noise * random.standard_normal(5)))
            for side in (current, accepted)
        )
        yield Night(time=time, tip=tip, values=values, reference=reference, host="h")
        if night in pending:
            moved = pending[night]
            good, worse = name(night - 4), (moved > 0) == (metric.better is Better.LOWER)
            yield Looked(good=good, bad=tip, time=time + 600.0, change=change(moved))
            yield Searched(good=good, bad=tip, time=time + 700.0, job=str(100 + night), worse=worse)
            yield Accepted(commit=tip, time=time + 700.0, by=AcceptedBy.STEP)
            accepted = current
        if night in acknowledged:
            yield Accepted(commit=tip, time=time + 900.0, by=AcceptedBy.PERSON, note="as it should be")
            accepted = current


def watched(label: str, metric: Metric, history: Iterator[Entry]) -> Watched:
    """A series of the shop."""
    return Watched(name=f"shop/main/{label}/{metric.name}@default", scenario=label, metric=metric, history=[*history])


def blamed(
    index: int, time: Seconds, subject: str, *, relative: float, members: int = 1, verified: bool = True
) -> Blamed:
    """A culprit."""
    commit = Commit(
        sha=name(index), tree=name(index), parents=(name(index - 1),), time=int(time), author="Ada L.", subject=subject
    )
    culprit = Culprit(
        place=main(index),
        members=tuple(range(index, index + members)),
        probability=0.98,
        change=change(relative),
        verified=members == 1,
    )
    return Blamed(commit=commit, culprit=culprit)


def answer(job: int, day: float, verdict: VerdictKind = VerdictKind.CULPRIT, **more: object) -> Answer:
    """An answer that was written down `day` days after the beginning."""
    concluded = BEGIN + day * DAY
    made = Answer(
        job=str(job),
        asked_by="sweep nightly",
        repository="/shop",
        scenario="parse",
        metric=SECONDS,
        verdict=verdict,
        change=change(0.08),
        blamed=(),
        created=concluded - 5400.0,
        concluded=concluded,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def full_week() -> Week:
    """A week with something of everything."""
    merge = blamed(60, BEGIN + 53.4 * DAY, "Merge pull request #812 from ada/tokens", relative=0.08)
    inside = Commit(
        sha=name(7777), tree=name(1), parents=(name(59),), time=int(BEGIN), author="Grace H.", subject="Keep tokens <b>"
    )
    all_series = [
        watched("parse", SECONDS, series(SECONDS, {54: 0.08}, rng=1)),
        watched("render", SECONDS, series(SECONDS, {20: 0.12, 52: -0.107}, level=0.034, rng=2)),
        watched("serve", RATE, series(RATE, {55: 0.15}, level=5200.0, rng=3)),
        watched("import", SECONDS, series(SECONDS, {30: 0.05}, level=17.0, rng=4)),
        watched("idle", SECONDS, series(SECONDS, {}, level=0.0002, noise=0.02, rng=5)),
        watched("query", SECONDS, series(SECONDS, {59: 0.09}, level=2.5, rng=6)),
    ]
    answers = [
        answer(158, 58.2, blamed=(replace(merge, inner=inside),)),
        answer(
            156,
            56.3,
            scenario="render",
            change=change(-0.107),
            blamed=(blamed(57, BEGIN + 51.9 * DAY, "Draw once", relative=-0.107),),
        ),
        answer(
            159,
            59.4,
            VerdictKind.CULPRIT_SET,
            scenario="serve",
            metric=RATE,
            change=change(0.15),
            blamed=(blamed(58, BEGIN + 54.9 * DAY, "Pool of workers", relative=0.15, members=3),),
        ),
        answer(
            134,
            34.2,
            scenario="import",
            blamed=(blamed(33, BEGIN + 29.9 * DAY, "Read everything at once, then sort it", relative=0.05),),
        ),
        answer(201, 57.0, VerdictKind.NOT_REPRODUCED, asked_by="alertmanager"),
        answer(202, 57.5, VerdictKind.ENVIRONMENT_CHANGED, asked_by="alertmanager", change=change(0.3)),
        answer(203, 58.5, asked_by="api", blamed=(blamed(59, BEGIN + 57.8 * DAY, "Log more", relative=0.21),)),
    ]
    return week_of(all_series, answers, UNTIL)
