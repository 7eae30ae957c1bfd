"""What a week's page says, in its order. Texts of strangers are harmless and marked in here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bisector.core.model.verdict import VerdictKind
from bisector.core.watch.week import DAY, Answer, Blamed, Found, Open, Trend, Week
from bisector.report import numbers
from bisector.report.headline import Figure
from bisector.report.numbers import Gauge
from bisector.report.phrase import Phrase, quote
from bisector.report.plots.spark import spark
from bisector.report.plots.svg import Svg
from bisector.report.text import SHORT, one_line
from bisector.report.words import VERDICTS

LinkOf = Callable[[str], str]
"""The address of a job's page, "" where nobody can reach it."""
CAPTION = (
    "Each line shows eight weeks of nights as distances from an accepted commit that is measured beside the tip: what"
    " moves the host moves nothing here. Larger values are up, this week is shaded, an upright line is a confirmed"
    " change. A move goes from the median of the seven nights before the week to that of its last three. It is"
    " named where it was confirmed, or is at least the metric's smallest effect and twice the scatter of those nights."
)
LEAD = (
    "From the time of the commit, and from the first night on the new level (or, without a sweep, the alert or order),"
    " to the moment at which the answer was written down."
)
_NAME = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class JobLink:
    """A job with its page."""

    job: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrendLine:
    """A series: where it is, how it moved this week, and its last weeks drawn."""

    series: str
    now: str
    moved: str
    tone: str
    """found: worse; clear: better; "" where the move is not worth naming."""
    jobs: tuple[JobLink, ...]
    """The searches of changes that were confirmed this week."""
    nights: int
    plot: Svg


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLine:
    """A regression that is open, or whose level has come back."""

    series: str
    change: str
    since: str
    age: str
    what: Phrase
    job: JobLink


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundLine:
    """What a search found this week."""

    verdict: str
    scenario: str
    metric: str
    change: str
    what: Phrase
    asked_by: str
    day: str
    from_seen: str
    from_commit: str
    job: JobLink


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekPart:
    """The whole."""

    title: str
    sentence: str
    figures: tuple[Figure, ...]
    worse: tuple[TrendLine, ...]
    better: tuple[TrendLine, ...]
    open: tuple[OpenLine, ...]
    fixed: tuple[OpenLine, ...]
    found: tuple[FoundLine, ...]
    answers: str
    trends: tuple[TrendLine, ...]
    problem: str = ""
    """Why some series are missing."""


def week_part(week: Week, link: LinkOf, problem: str = "") -> WeekPart:
    """A week in words. `problem`: why not every series could be looked at."""
    lines = tuple(_trend(trend, f"trend-{number}", week, link) for number, trend in enumerate(week.trends, start=1))
    movers = [(trend.worse, _trend(trend, f"mover-{n}", week, link)) for n, trend in enumerate(week.movers, start=1)]
    worse = tuple(line for is_worse, line in movers if is_worse)
    better = tuple(line for is_worse, line in movers if not is_worse)
    return WeekPart(
        title=f"The week to {numbers.date(int(week.until) - 1)}",
        sentence=_sentence(week, len(worse), len(better)),
        figures=tuple(_figures(week, len(worse), len(better))),
        worse=worse,
        better=better,
        open=tuple(_open(each, week, link) for each in week.open),
        fixed=tuple(_open(each, week, link) for each in week.fixed),
        found=tuple(_found(each, link) for each in week.found),
        answers=_answers(week),
        trends=lines,
        problem=one_line(problem, 400),
    )


def _sentence(week: Week, worse: int, better: int) -> str:
    if not week.trends and not week.answers:
        return "Nothing is watched, and no search ended."
    told = [
        f"{numbers.count(len(week.found), 'change')} found" if week.found else "Nothing new was found",
        f"{numbers.count(len(week.open), 'regression')} open" if week.open else "no regression is open",
    ]
    if week.trends:
        moved = f"{worse} worse and {better} better" if worse or better else "none moved"
        told.append(f"of {len(week.trends)} series {moved}")
    return f"{'; '.join(told)}."


def _figures(week: Week, worse: int, better: int) -> Iterator[Figure]:
    named = sum(any(each.sure for each in found.answer.blamed) for found in week.found)
    yield Figure(label="found this week", value=str(len(week.found)), below=f"{named} with a verified commit")
    oldest = f"the oldest for {_age(week, week.open[0])}" if week.open else "none to look at"
    yield Figure(label="open regressions", value=str(len(week.open)), below=oldest)
    yield Figure(label="series that moved", value=str(worse + better), below=f"{worse} worse, {better} better")
    if week.from_commit is not None and week.from_seen is not None:
        seen = f"{numbers.seconds(week.from_seen)} from first seen"
        yield Figure(label="from commit to name", value=numbers.seconds(week.from_commit), below=f"median; {seen}")


def _answers(week: Week) -> str:
    if not week.answers:
        return "No search ended."
    kinds = sorted(week.answers.items(), key=lambda item: (-item[1], item[0]))
    told = numbers.listing(f"{VERDICTS[kind].lower()} ({number})" for kind, number in kinds)
    searches = sum(week.answers.values())
    return f"{searches} {'search' if searches == 1 else 'searches'} ended: {told}."


def _trend(trend: Trend, identifier: str, week: Week, link: LinkOf) -> TrendLine:
    gauge = Gauge.of([point.value for point in trend.points], one_line(trend.chain.metric.unit, 40))
    this_week = [change for change in trend.confirmed if change.time >= week.since]
    return TrendLine(
        series=one_line(trend.name, _NAME),
        now=gauge.text(trend.points[-1].value) if trend.points else "",
        moved=numbers.percent(trend.moved, signed=True) if trend.moved is not None else "",
        tone=("found" if trend.worse else "clear") if trend.notable else "",
        jobs=tuple(JobLink(job=change.job, address=link(change.job)) for change in this_week),
        nights=len(trend.points),
        plot=spark(identifier, trend, week.since, week.until),
    )


def _open(found: Open, week: Week, link: LinkOf) -> OpenLine:
    return OpenLine(
        series=one_line(found.series, _NAME),
        change=numbers.change(found.change) if found.change is not None else "",
        since=numbers.date(int(found.seen)),
        age=_age(week, found),
        what=_named(found.answer) if found.answer is not None else Phrase("its search has not ended"),
        job=JobLink(job=found.searched.job, address=link(found.searched.job)),
    )


def _age(week: Week, found: Open) -> str:
    return numbers.count(max(round((week.until - found.seen) / DAY), 0), "day")


def _found(found: Found, link: LinkOf) -> FoundLine:
    answer = found.answer
    alone = answer.blamed[0].culprit.change if len(answer.blamed) == 1 else None
    change = alone or answer.change
    return FoundLine(
        verdict=VERDICTS[answer.verdict],
        scenario=one_line(answer.scenario, _NAME),
        metric=one_line(answer.metric.name, _NAME),
        change=numbers.change(change) if change is not None else "",
        what=_named(answer),
        asked_by=one_line(answer.asked_by, _NAME),
        day=numbers.date(int(answer.concluded)),
        from_seen=numbers.seconds(found.from_seen),
        from_commit=numbers.seconds(found.from_commit) if found.from_commit is not None else "",
        job=JobLink(job=answer.job, address=link(answer.job)),
    )


def _named(answer: Answer) -> Phrase:
    """Which commits, by whom. Nobody is named who is not verified."""
    if answer.verdict is VerdictKind.ENVIRONMENT_CHANGED:
        return Phrase("the cause lies outside the repository")
    sure = [each for each in answer.blamed if each.sure]
    if sure:
        return Phrase(numbers.listing(_commit(each) for each in sure))
    if answer.blamed:
        members = sum(len(each.culprit.members) for each in answer.blamed)
        return Phrase(f"one of {numbers.count(members, 'commit')}, not told apart or not verified")
    return Phrase(f"its search: {VERDICTS[answer.verdict].lower()}")


def _commit(blamed: Blamed) -> str:
    commit = blamed.inner or blamed.commit
    inside = f" inside merge {quote(blamed.commit.sha[:SHORT])}" if blamed.inner is not None else ""
    return f"{quote(commit.sha[:SHORT])} {quote(commit.subject)} by {quote(commit.author)}{inside}"
