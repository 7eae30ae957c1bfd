"""The live screen: fits its width at every stage, and what it estimates is told as an estimate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.search.outlook import Outlook, outlook
from bisector.report.estimate import entropy, remaining
from bisector.report.live import BLOCKS, live_lines, phase_of, posterior_bar
from bisector.report.terminal import ANSI
from bisector.report.text import columns
from tests.report import worlds
from tests.report.checks import hidden_characters
from tests.report.worlds import MERGE, finished


def seen(investigation: Investigation) -> Outlook | None:
    """The outlook that a screen would show."""
    inside = investigation.branch is not None and investigation.verdict is None
    return outlook(investigation, name=LineName.INNER if inside else LineName.MAIN)


@pytest.mark.parametrize("width", [30, 80, 130])
def test_at_every_stage(width: int) -> None:
    phases = []
    for _, investigation in worlds.stages():
        lines = live_lines(investigation, seen(investigation), 12.3, width=width)
        assert [line for line in lines if columns(line) > width] == []
        assert not hidden_characters("\n".join(lines))
        phases.append(phase_of(investigation))
    order = ["listing the commits", "building", "comparing the ends", "searching", "verifying the culprit",
             "looking into the merge", "looking at the culprit", "done"]  # fmt: skip
    assert list(dict.fromkeys(phases)) == order


def test_every_kind_of_job_can_be_watched_to_its_end() -> None:
    for investigation in worlds.by_verdict().values():
        lines = live_lines(investigation, outlook(investigation), 60, style=ANSI)
        assert any("spent:" in line for line in lines)
        assert not any("estimate" in line for line in lines)


def test_what_is_on_the_screen() -> None:
    _, investigation = worlds.stages()[45]
    text = "\n".join(live_lines(investigation, seen(investigation), 65))
    for part in ("seconds", "1 min 5 s", "64 candidates", "no change:", "good ", "spent:", "(estimate)", "now:"):
        assert part in text


@given(st.lists(st.floats(0, 1), min_size=1, max_size=400), st.integers(1, 120))
def test_a_bar_has_a_block_a_column(chances: list[float], width: int) -> None:
    bar = posterior_bar(chances, width)
    assert 1 <= len(bar) <= width
    assert set(bar) <= set(BLOCKS)
    if max(chances) > 1e-3 and len(chances) <= width:
        assert BLOCKS[-1] in bar


def test_an_even_posterior_makes_an_even_bar() -> None:
    assert len(set(posterior_bar([1 / 1000] * 1000, 70))) == 1


def test_a_single_likely_commit_stands_out_among_many() -> None:
    bar = posterior_bar([1e-6] * 500 + [0.99] + [1e-6] * 499, 80)
    assert bar.count(BLOCKS[-1]) == 1
    assert bar.index(BLOCKS[-1]) == 40


def test_estimates_shrink_as_a_job_goes_on_and_end_with_it() -> None:
    found = [remaining(investigation, seen(investigation)) for _, investigation in worlds.stages()]
    known = [estimate.runs for estimate in found if estimate is not None]
    assert known[0] > 10
    assert known[-1] < known[0] / 2
    assert found[-1] is None
    assert found[0] is None


def test_nothing_is_told_to_be_left_once_the_culprit_is_verified() -> None:
    """What comes then is looking into it, and profiles, which no run is counted for."""
    done = finished(MERGE)
    open_still = replace(done, verdict=None)
    found = outlook(open_still)
    assert found is not None
    assert found.no_change > 0
    assert remaining(open_still, found) is None


@pytest.mark.long
def test_an_estimate_is_about_right_for_a_simulated_search() -> None:
    """Half-way through, what is told to be left is within a factor of four of what it takes."""
    for seed in range(6):
        world = World(candidates=200, culprit=77, seed=seed)
        done = finished(world)
        searched = [sample for sample in done.samples if sample.counts]
        request, facts = worlds.facts_of(world)
        half = Investigation.replay("1", request, facts[: len(facts) // 2])
        estimate = remaining(half, outlook(half))
        assert estimate is not None
        left = len(searched) - half.runs()
        assert left / 4 <= estimate.runs <= left * 4, (seed, left, estimate)


def test_entropy() -> None:
    assert entropy([0.25] * 4) == pytest.approx(2)
    assert entropy([1.0, 0.0]) == 0


def test_a_finished_job_shows_its_answer() -> None:
    investigation = finished(MERGE)
    assert any("Merge ae9d6749db" in line for line in live_lines(investigation, outlook(investigation), 1))
