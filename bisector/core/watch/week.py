"""What a week brought: how each series moved, what is open, what was found, and how long that took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bisector.core.model.history import Commit
from bisector.core.model.scenario import Metric
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Culprit, VerdictKind
from bisector.core.watch.chain import SETTLED, Chain, Point, level_of
from bisector.core.watch.moves import Entry, Looked, Searched, open_changes
from bisector.core.watch.nights import Night

DAY: Seconds = 86400.0
WEEK: Seconds = 7 * DAY
SHOWN: Seconds = 8 * WEEK
"""How far back a trend is looked at."""
BEFORE = 7
"""Nights before the week whose median is the level that the week began with."""
FEWEST = 2
"""Nights on a side without which nothing is said of a week's move."""
SCATTER = 2.0
"""How many times the scatter of the nights before a move has to be, unless it was confirmed."""
NORMAL = 1.4826
"""Standard deviation over median absolute deviation, for normal nights."""
FOUND = frozenset({VerdictKind.CULPRIT, VerdictKind.CULPRIT_SET, VerdictKind.SEVERAL, VerdictKind.ENVIRONMENT_CHANGED})
"""Answers that tell of a change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """A series as it is written down."""

    name: str
    scenario: str
    metric: Metric
    history: Sequence[Entry]


@dataclass(frozen=True, kw_only=True, slots=True)
class Blamed:
    """A culprit with its commit, and the one inside it where that is known."""

    commit: Commit
    culprit: Culprit
    inner: Commit | None = None

    @property
    def sure(self) -> bool:
        """Whether it is one commit, verified on fresh builds: only then is anybody named."""
        return self.culprit.verified and len(self.culprit.members) == 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A search that has ended."""

    job: str
    asked_by: str
    repository: str
    scenario: str
    metric: Metric
    verdict: VerdictKind
    change: Change | None
    blamed: tuple[Blamed, ...]
    created: Seconds
    concluded: Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    """A series in the last weeks. `moved` is this week's change of the metric, None where too few nights tell it."""

    name: str
    scenario: str
    chain: Chain
    points: tuple[Point, ...]
    confirmed: tuple[Searched, ...]
    """Changes that were confirmed in the time shown."""
    moved: float | None
    notable: bool
    """Whether the move is worth naming: confirmed, or larger than the smallest effect and than the nights' scatter."""

    @property
    def worse(self) -> bool:
        """Whether the move is for the worse."""
        return self.moved is not None and self.chain.offset_of(self.moved) > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A regression that a sweep confirmed and nobody acknowledged. `answer` is what its search came to, if it has."""

    series: str
    searched: Searched
    change: Change | None
    answer: Answer | None
    seen: Seconds
    """The first night on the new level."""
    fixed: bool
    """Whether the level has come back since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What was found in the week, and how long it took."""

    answer: Answer
    seen: Seconds
    """When the change was first seen: the first night on the new level, else when the job was asked for."""

    @property
    def from_seen(self) -> Seconds:
        """From first seen to named."""
        return max(self.answer.concluded - self.seen, 0.0)

    @property
    def from_commit(self) -> Seconds | None:
        """From the commit to its being named; None where nobody is."""
        sure = [each.commit.time for each in self.answer.blamed if each.sure]
        return max(self.answer.concluded - min(sure), 0.0) if sure else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """From `since` on and before `until`."""

    since: Seconds
    until: Seconds
    trends: tuple[Trend, ...]
    open: tuple[Open, ...]
    """The oldest first."""
    fixed: tuple[Open, ...]
    """Those whose level has come back, though nobody said so."""
    found: tuple[Found, ...]
    answers: Mapping[VerdictKind, int]
    """How many searches ended in the week, and with what."""

    @property
    def movers(self) -> tuple[Trend, ...]:
        """The series with a move worth naming, the largest first."""
        notable = [trend for trend in self.trends if trend.notable and trend.moved is not None]
        return tuple(sorted(notable, key=lambda trend: -abs(trend.chain.offset_of(trend.moved or 0.0))))

    @property
    def from_commit(self) -> Seconds | None:
        """Median time from commit to name."""
        known = [found.from_commit for found in self.found if found.from_commit is not None]
        return median(known) if known else None

    @property
    def from_seen(self) -> Seconds | None:
        """Median time from first seen to named, of what names somebody."""
        known = [found.from_seen for found in self.found if found.from_commit is not None]
        return median(known) if known else None


def week_of(watched: Sequence[Watched], answers: Sequence[Answer], until: Seconds) -> Week:
    """The week before `until`. `answers` are those of searches that series started, and of all that ended in it."""
    begin = until - WEEK
    known = [_until(series, until) for series in watched]
    by_job = {answer.job: answer for answer in answers if answer.concluded < until}
    opened = [each for series in known for each in _open(series, by_job)]
    ended = sorted(
        (answer for answer in by_job.values() if begin <= answer.concluded), key=lambda answer: answer.concluded
    )
    seen = {job: time for series in known for job, time in _first_nights(series)}
    return Week(
        since=begin,
        until=until,
        trends=tuple(_trend(series, begin, until) for series in known),
        open=tuple(sorted((each for each in opened if not each.fixed), key=lambda each: each.seen)),
        fixed=tuple(each for each in opened if each.fixed),
        found=tuple(
            Found(answer=answer, seen=seen.get(answer.job, answer.created))
            for answer in ended
            if answer.verdict in FOUND
        ),
        answers={kind: sum(answer.verdict is kind for answer in ended) for kind in {a.verdict for a in ended}},
    )


def _until(series: Watched, until: Seconds) -> Watched:
    history = [entry for entry in series.history if entry.time < until]
    return Watched(name=series.name, scenario=series.scenario, metric=series.metric, history=history)


def _trend(series: Watched, since: Seconds, until: Seconds) -> Trend:
    chain = Chain.of(series.history, series.metric)
    shown = until - SHOWN
    searched = [entry for entry in series.history if isinstance(entry, Searched) and entry.time >= shown]
    moved = _move(chain, since, until)
    confirmed = any(entry.time >= since for entry in searched)
    return Trend(
        name=series.name,
        scenario=series.scenario,
        chain=chain,
        points=chain.between(shown, until),
        confirmed=tuple(searched),
        moved=None if moved is None else chain.relative(moved),
        notable=moved is not None and (confirmed or _stands_out(moved, chain, since)),
    )


def _move(chain: Chain, since: Seconds, until: Seconds) -> float | None:
    """From the level before the week to that of its last nights."""
    before, after = chain.between(0.0, since)[-BEFORE:], chain.between(since, until)
    if min(len(before), len(after)) < FEWEST:
        return None
    old, new = level_of(before, BEFORE), level_of(after)
    return None if old is None or new is None else new - old


def _stands_out(moved: float, chain: Chain, since: Seconds) -> bool:
    before = [point.offset for point in chain.between(0.0, since)[-BEFORE:]]
    middle = median(before)
    scatter = NORMAL * median(abs(offset - middle) for offset in before)
    return abs(moved) >= chain.smallest and abs(moved) > SCATTER * scatter


def _open(series: Watched, answers: Mapping[str, Answer]) -> list[Open]:
    chain = Chain.of(series.history, series.metric)
    first = dict(_first_nights(series))
    return [
        Open(
            series=series.name,
            searched=searched,
            change=_look_before(series.history, searched),
            answer=answers.get(searched.job),
            seen=first[searched.job],
            fixed=_came_back(chain, searched, first[searched.job]),
        )
        for searched in open_changes(series.history)
    ]


def _look_before(history: Sequence[Entry], searched: Searched) -> Change | None:
    """The closer look that a search follows from."""
    looks = [entry for entry in history[: history.index(searched)] if isinstance(entry, Looked)]
    return looks[-1].change if looks else None


def _first_nights(series: Watched) -> list[tuple[str, Seconds]]:
    """Of each search when its change was first measured: the night after the last one on the old level."""
    found, nights = [], []
    for entry in series.history:
        if isinstance(entry, Night):
            nights.append(entry)
        elif isinstance(entry, Searched):
            old = [index for index, night in enumerate(nights) if night.tip == entry.good]
            after = nights[old[-1] + 1 :] if old else []
            found.append((entry.job, after[0].time if after else entry.time))
    return found


def _came_back(chain: Chain, searched: Searched, seen: Seconds) -> bool:
    """Whether the level is again what it was before, to within the smallest change worth naming."""
    before = level_of(chain.between(0.0, seen), BEFORE)
    after = chain.between(searched.time, float("inf"))
    if before is None or len(after) < SETTLED:
        return False
    now = level_of(after)
    return now is not None and now - before < chain.smallest
