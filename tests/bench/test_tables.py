"""What the tables of the bench compare."""

from benchmarks.search.campaign import OURS
from benchmarks.search.cells import Cell
from benchmarks.search.strategies import Trial
from benchmarks.search.summaries import Summary
from benchmarks.search.tables import beside_the_best

CELL = Cell(regime="gauss")


def summary(strategy: str, right: int, cost: float, verification: float = 0.0) -> Summary:
    trials = [
        Trial(
            right=number < right,
            answered=True,
            false_culprit=False,
            cost=cost,
            runs=1,
            builds=1,
            stated=None,
            ending="culprit",
            verification=verification,
            decision_seconds=0.0,
        )
        for number in range(10)
    ]
    return Summary.of(CELL, strategy, trials)


def test_ours_stands_beside_the_peer_that_is_right_most_often_and_the_cheaper_of_two_alike() -> None:
    found = [
        summary(OURS, 10, 120, verification=20),
        summary("git-k5", 4, 10),
        summary("welch-k20", 9, 400),
        summary("mwu-k20", 9, 200),
    ]
    _, row = beside_the_best(found)
    assert row == [
        CELL.name,
        "mwu-k20",
        "90.0 %",
        "200",
        f"{200 / (CELL.bound or 1):.2f}",
        "100.0 %",
        "0.50",
        "0.60",
        "0.6",
    ]


def test_beside_a_cheap_peer_less_is_asked_and_a_cell_without_peers_has_no_row() -> None:
    bound = CELL.bound
    assert bound is not None
    _, row = beside_the_best([summary(OURS, 10, bound), summary("git-k5", 9, 3 * bound)])
    assert row[-1] == "0.9"
    assert len(beside_the_best([summary(OURS, 10, 120)])) == 1
