"""Ticks of cron expressions: in UTC, missed ones as one, how many a year."""

from datetime import UTC, datetime

import pytest

from bisector.formats.cron import check_cron, newest_tick, next_tick, ticks_a_year


def at(month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> float:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC).timestamp()


def test_missed_ticks_are_one_and_one_that_is_reached_counts() -> None:
    begin = at(3, 1, 12)
    assert newest_tick("30 2 * * *", begin, at(3, 2, 2, 29, 59)) is None
    assert newest_tick("30 2 * * *", begin, at(3, 2, 2, 30)) == at(3, 2, 2, 30)
    assert newest_tick("30 2 * * *", begin, at(3, 9, 1)) == at(3, 8, 2, 30)
    assert newest_tick("30 2 * * *", at(3, 8, 2, 30), at(3, 8, 23)) is None
    assert next_tick("30 2 * * *", at(3, 8, 2, 30)) == at(3, 9, 2, 30)


def test_a_clock_that_was_set_back_makes_no_tick_twice() -> None:
    assert newest_tick("30 2 * * *", at(3, 8, 2, 30), at(3, 7, 12)) is None


@pytest.mark.parametrize(("cron", "ticks"), [("0 2 * * *", 365.25), ("0 * * * *", 8766), ("0 2 * * 1", 52.18)])
def test_ticks_a_year(cron: str, ticks: float) -> None:
    assert ticks_a_year(cron) == pytest.approx(ticks, rel=0.01)


@pytest.mark.parametrize("cron", ["", "nightly", "61 * * * *", "* * * *", "0 0 31 2 *"])
def test_what_is_no_expression_or_never_comes_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"cron|no such time"):
        check_cron(cron)
