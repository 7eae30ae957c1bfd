"""Weeks: series over changes of their accepted level, what moved, what is open, what was found and how long it took."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import VerdictKind
from bisector.core.watch.chain import Chain
from bisector.core.watch.moves import Accepted, AcceptedBy, Entry
from bisector.core.watch.nights import Night
from bisector.core.watch.week import DAY, WEEK, Week, week_of
from tests.helpers.lines import name
from tests.report.weeks import BEGIN, NIGHTS, RATE, SECONDS, UNTIL, answer, blamed, full_week, series, watched

STEPS = {10: 0.08, 25: 0.3, 40: -0.25}


@pytest.mark.parametrize("metric", [SECONDS, RATE], ids=lambda metric: metric.name)
@pytest.mark.parametrize("acknowledged", [(), (20, 33)])
def test_a_chain_follows_the_level_through_every_change_of_what_is_accepted(
    metric: Metric, acknowledged: Sequence[int]
) -> None:
    chain = Chain.of([*series(metric, STEPS, noise=0.001, acknowledged=acknowledged)], metric)
    assert len(chain.points) == NIGHTS
    level = 1.0
    for night, point in enumerate(chain.points, start=1):
        level *= 1 + STEPS.get(night, 0.0)
        # The host's drift is a tenth of the level, and none of it is here.
        assert 1 + chain.relative(point.offset) == pytest.approx(level, rel=0.004)


def test_a_rewritten_branch_begins_a_chain_of_its_own() -> None:
    history = [*series(SECONDS, {10: 0.5}, noise=0.001)]
    begun = Accepted(commit=name(40), time=BEGIN + 40 * DAY, by=AcceptedBy.START, note="the branch was rewritten")
    cut = next(index for index, entry in enumerate(history) if entry.time > begun.time)
    chain = Chain.of([*history[:cut], begun, *history[cut:]], SECONDS)
    assert [point.time for point in chain.points] == [BEGIN + day * DAY for day in range(41, NIGHTS + 1)]
    assert max(abs(point.offset) for point in chain.points) < 0.01


def test_values_that_are_not_positive_have_a_chain_too() -> None:
    nights = [
        Night(time=BEGIN + day * DAY, tip=name(day), values=(value,), reference=(-1.0,))
        for day, value in enumerate([-1.0, -1.0, 0.0], start=1)
    ]
    chain = Chain.of([Accepted(commit=name(0), time=BEGIN, by=AcceptedBy.START), *nights], SECONDS)
    assert not chain.logarithmic
    assert [chain.relative(point.offset) for point in chain.points] == [0.0, 0.0, pytest.approx(1.0)]
    assert Chain.of([], SECONDS).points == ()


def test_what_moved_is_told_from_what_did_not() -> None:
    week = full_week()
    assert [(trend.scenario, trend.worse) for trend in week.movers] == [
        ("serve", False),
        ("render", False),
        ("query", True),
        ("parse", True),
    ]
    moved = {trend.scenario: trend.moved for trend in week.trends}
    assert moved["parse"] == pytest.approx(0.08, abs=0.01)
    assert moved["render"] == pytest.approx(-0.107, abs=0.01)
    assert moved["serve"] == pytest.approx(0.15, abs=0.01)
    assert moved["import"] == pytest.approx(0.0, abs=0.01)
    # Of this change no closer look knows yet: it stands out by itself.
    assert [trend.confirmed for trend in week.trends if trend.scenario == "query"] == [()]


@pytest.mark.parametrize("seed", range(12))
def test_noise_is_no_move(seed: int) -> None:
    quiet = watched("idle", SECONDS, series(SECONDS, {}, noise=0.02, rng=seed))
    assert week_of([quiet], [], UNTIL).movers == ()


def test_scatter_as_large_as_the_move_is_no_move() -> None:
    """Above the smallest effect, and no more than the nights before did among themselves."""
    history: list[Entry] = [Accepted(commit=name(0), time=BEGIN, by=AcceptedBy.START)]
    levels = [1.0, 1.08, 0.95, 1.1, 0.93, 1.07, 1.0, 1.05, 1.05, 1.05]
    for day, value in enumerate(levels, start=1):
        history.append(Night(time=BEGIN + day * DAY, tip=name(day), values=(value,), reference=(1.0,)))
    loud = watched("loud", SECONDS, iter(history))
    (trend,) = week_of([loud], [], BEGIN + 7.5 * DAY + WEEK).trends
    assert trend.moved == pytest.approx(0.05)
    assert not trend.notable
    calm = [
        replace(entry, values=(1.0,)) if isinstance(entry, Night) and entry.time < BEGIN + 7.5 * DAY else entry
        for entry in history
    ]
    (trend,) = week_of([watched("calm", SECONDS, iter(calm))], [], BEGIN + 7.5 * DAY + WEEK).trends
    assert trend.notable


def test_with_too_few_nights_nothing_is_said() -> None:
    (trend,) = week_of([watched("parse", SECONDS, series(SECONDS, {}))], [], BEGIN + 2.5 * DAY).trends
    assert (trend.moved, trend.notable) == (None, False)
    empty = week_of([watched("parse", SECONDS, iter([]))], [], UNTIL)
    assert (empty.trends[0].points, empty.movers, empty.open) == ((), (), ())


def opened(week: Week) -> list[str]:
    return [each.searched.job for each in week.open]


def test_open_is_what_is_worse_and_neither_acknowledged_nor_gone() -> None:
    week = full_week()
    assert opened(week) == ["134", "158"]
    assert [(each.searched.job, each.series) for each in week.fixed] == [("124", "shop/main/render/seconds@default")]
    first, second = week.open
    assert first.seen == BEGIN + 30 * DAY
    assert (first.change.relative if first.change else None) == 0.05
    assert first.answer is not None, "what was named weeks ago is known still"
    assert (second.answer.job if second.answer else None) == "158"
    known = [watched("parse", SECONDS, series(SECONDS, {30: 0.05}, acknowledged=(40,)))]
    assert opened(week_of(known, [], BEGIN + 39.5 * DAY)) == ["134"]
    assert opened(week_of(known, [], UNTIL)) == []


def test_half_of_it_back_is_not_fixed_and_two_regressions_go_one_by_one() -> None:
    halves = watched("parse", SECONDS, series(SECONDS, {10: 0.2, 30: -0.1}, noise=0.002))
    assert opened(week_of([halves], [], UNTIL)) == ["114"]
    twice = watched("parse", SECONDS, series(SECONDS, {10: 0.1, 25: 0.2, 45: 1 / 1.2 - 1}, noise=0.002))
    assert opened(week_of([twice], [], UNTIL)) == ["114"]


def test_a_week_knows_nothing_of_what_came_later() -> None:
    all_series = [watched("parse", SECONDS, series(SECONDS, {54: 0.08}))]
    answers = [answer(158, 58.2, blamed=(blamed(60, BEGIN + 53.4 * DAY, "x", relative=0.08),))]
    week = week_of(all_series, answers, BEGIN + 57 * DAY)
    assert (week.open, week.found, dict(week.answers)) == ((), (), {})
    assert week.trends[0].points[-1].time < BEGIN + 57 * DAY
    later = week_of(all_series, answers, BEGIN + (58.2 + 7.1) * DAY)
    assert (later.found, opened(later)) == ((), ["158"])
    assert later.open[0].answer is not None


def test_lead_times_go_from_the_commit_and_from_what_was_seen_first() -> None:
    week = full_week()
    by_job = {found.answer.job: found for found in week.found}
    assert list(by_job) == ["156", "202", "158", "203", "159"]
    assert by_job["158"].from_seen == pytest.approx(4.2 * DAY)
    assert by_job["158"].from_commit == pytest.approx(4.8 * DAY, abs=2)
    assert by_job["203"].from_seen == pytest.approx(5400)
    assert by_job["159"].from_commit is None, "who is not verified is not blamed"
    assert by_job["202"].from_commit is None
    assert week.from_commit == pytest.approx(4.4 * DAY, abs=2)
    assert dict(week.answers) == {
        VerdictKind.CULPRIT: 3,
        VerdictKind.CULPRIT_SET: 1,
        VerdictKind.NOT_REPRODUCED: 1,
        VerdictKind.ENVIRONMENT_CHANGED: 1,
    }
    assert math.isclose(week.until - week.since, WEEK)
