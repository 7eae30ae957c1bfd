"""Stretches without a change hold none: what touches the code lies at their beginning or outside."""

from pathlib import Path

from benchmarks.no_change import LONGEST, given, row, stretches, told
from tests.helpers.repositories import Sandbox

TOUCHING = {0, 9, 12, 20}


def history(place: Path) -> tuple[Sandbox, list[str]]:
    """Commits of which some touch the code."""
    made = Sandbox.make(place)
    for number in range(30):
        path = "lib/code.py" if number in TOUCHING else f"notes/{number}.txt"
        made.commit(f"Change {number}", {path: f"{number}\n"})
    return made, [made.sha(f"HEAD~{29 - number}") for number in range(30)]


def test_stretches_end_before_the_next_commit_that_touches_the_code(tmp_path: Path) -> None:
    made, shas = history(tmp_path / "repository")
    found = stretches(made.top, ["lib"], "HEAD")
    assert [(shas.index(each.good), shas.index(each.bad)) for each in found] == [(20, 29), (0, 8), (12, 19)]
    assert [each.candidates for each in found] == [9, 8, 7]


def test_a_long_stretch_is_taken_in_pieces_that_share_no_candidate(tmp_path: Path) -> None:
    made, _ = history(tmp_path / "repository")
    for number in range(LONGEST):
        made.commit(f"Further {number}", {f"notes/further-{number}.txt": "kept\n"})
    longest, rest, *_ = stretches(made.top, ["lib"], "HEAD")
    assert (longest.candidates, rest.candidates) == (LONGEST, 9)
    assert longest.good == rest.bad


def test_a_given_range_is_counted(tmp_path: Path) -> None:
    made, shas = history(tmp_path / "repository")
    assert given(made.top, f"{shas[3]}..{shas[7]}").candidates == 4


def test_a_job_without_a_result_is_a_row_as_well(tmp_path: Path) -> None:
    made, shas = history(tmp_path / "repository")
    told = row(given(made.top, f"{shas[3]}..{shas[7]}"), {"verdict": "no result", "seconds": 1.0})
    assert told.count("|") == 9
    assert "no result" in told


def test_ranges_that_could_not_be_run_do_not_count_as_right() -> None:
    assert told(["not_reproduced"] * 9 + ["culprit"]).startswith(
        "1 of 10 named something: 10%, 95 % interval 0.3% to 44.5%"
    )
    assert told(["not_reproduced", "failed", "failed"]).startswith("0 of 1 named something")
    assert told(["not_reproduced", "failed", "failed"]).endswith("; 2 of 3 could not be run")
    assert told(["failed"]) == "1 of 1 could not be run"
