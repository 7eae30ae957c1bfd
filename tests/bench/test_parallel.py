"""Searches with several runs at the same moment, in the worlds of the bench."""

import pytest

from benchmarks.parallel import CELLS, played
from benchmarks.search.worlds import Setting

CLEAR, UNCHANGED = CELLS[0], CELLS[-1]


def test_four_at_a_time_take_less_than_two_thirds_of_the_time_and_are_right() -> None:
    alone, together = ([played(CLEAR, width, trial, 7001) for trial in range(4)] for width in (1, 4))
    assert all(each.trial.right for each in (*alone, *together))
    assert sum(each.wall for each in together) < 0.67 * sum(each.wall for each in alone)


@pytest.mark.parametrize("trial", [4, 18, 19])  # in these nothing else was left to be learnt
def test_where_no_change_is_likely_enough_its_bound_is_reached_by_runs_of_the_ends(trial: int) -> None:
    assert UNCHANGED.setting is Setting.NO_CHANGE
    assert played(UNCHANGED, 8, trial, 50127).trial.right
