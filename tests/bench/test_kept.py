"""Tables that are made again for our search keep the peers they were made with."""

from dataclasses import replace
from pathlib import Path

from benchmarks.search.campaign import OURS, Campaign
from benchmarks.search.cells import Cell
from benchmarks.search.kept import with_peers
from benchmarks.search.tables import summaries, write_tables


def test_peers_that_are_not_played_again_stay_in_the_table(tmp_path: Path) -> None:
    cells = (Cell(regime="exact", effect=10.0, size=8), Cell(regime="gauss", effect=10.0, size=8))
    whole = Campaign(cells=cells, strategies=(OURS, "git-k5"), trials=2, seed=5, cache=tmp_path / "cache")
    assert list(whole.play(1))
    write_tables(whole, "small", "first", tmp_path)
    before = summaries(whole)
    again = replace(whole, cells=cells[:1], strategies=(OURS,), cache=tmp_path / "other")
    assert list(again.play(1))
    found = with_peers(summaries(again), again, tmp_path / "small.json")
    assert [(each.cell, each.strategy) for each in found] == [(cells[0], OURS), (cells[0], "git-k5")]
    old = next(each for each in before if (each.cell, each.strategy) == (cells[0], "git-k5"))
    assert replace(found[1], named=None) == replace(old, named=None)
    write_tables(again, "small", "second", tmp_path)
    text = (tmp_path / "small.md").read_text()
    assert "second" in text
    assert "git-k5" in text
