"""Builds of one commit that are not alike: one of four that is slow must not be taken for another commit's doing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.steps import BuildPlace
from bisector.core.model.verdict import Reason
from bisector.core.search.end_levels import end_difference
from bisector.core.search.information import Hypotheses
from bisector.core.search.observations import Observations, Settings
from bisector.core.search.odd_builds import allowing_for_builds
from bisector.core.search.posterior import assess
from tests.helpers.lines import line, observations
from tests.helpers.simulated import Simulation

SIZE = 40
USUAL = Settings()
LEVELS = np.array([81.5, 91.5])


def of_builds(runs: Sequence[tuple[int, int, float]]) -> Observations:
    """Observations from (place, build, value) in the order the runs were made."""
    units = sorted({(place, build) for place, build, _ in runs})
    basis: Mapping[int, Sequence[float]] = {0: [1.0], SIZE: [1.0]}
    return replace(
        observations(line(SIZE), basis, threshold=2.0),
        unit_place=np.array([place for place, _ in units]),
        run_unit=np.array([units.index((place, build)) for place, build, _ in runs]),
        values=np.array([value for _, _, value in runs]),
    )


def rounds(first: tuple[int, int, float], second: tuple[int, int, float]) -> list[tuple[int, int, float]]:
    """Three runs of each of two builds, in turns, each a little off."""
    turns = (first, second, second, first, first, second)
    return [(place, build, level + off) for (place, build, level), off in zip(turns, (0, 1, -1, 1, -1, 0), strict=True)]


ENDS = [*rounds((0, 0, 82), (SIZE, 0, 92)), (0, 0, 82.0), (SIZE, 0, 92.5)]
BISECTED = [(20, 0, 81.0), (30, 0, 91.0), (25, 0, 83.0), (27, 0, 91.5), (26, 0, 104.0)]
"""Commit 27 makes a step from 82 to 92; the build of 26 is one in four that is a quarter slower."""
VERIFIED = [*rounds((25, 1, 81), (26, 1, 103)), *rounds((25, 2, 81), (26, 2, 81)), *rounds((25, 3, 81), (26, 3, 82))]


def test_what_two_of_four_builds_of_a_commit_have_is_theirs_and_not_the_commits() -> None:
    seen = of_builds([*ENDS, *BISECTED, *VERIFIED])
    found = assess(seen, USUAL)
    chances = found.of_candidates(seen.weights)
    assert int(np.argmax(chances)) + 1 == 27
    assert chances[26] > 10 * chances[25]
    assert found.tau > 3, "builds deviate by more than a run does"


def test_without_two_builds_that_differ_nothing_more_is_allowed_for() -> None:
    seen = of_builds([*ENDS, *BISECTED, *rounds((25, 1, 81), (26, 1, 103))])
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0) == USUAL


def test_the_deviation_that_builds_show_is_allowed_for_once() -> None:
    seen = of_builds([*ENDS, *BISECTED, *VERIFIED])
    found = allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0)
    of_26 = [103.0, 81.0, 82.0]  # the first build was run but once
    expected = np.sqrt((np.var(of_26) * 3 + 0.0) / (2 + 2))  # those of 25, three as well, are alike
    assert found.odd_builds == pytest.approx(expected, rel=0.05)
    assert found.tau_ratios == (*USUAL.tau_ratios, found.odd_builds)
    assert sum(found.tau_prior) == pytest.approx(1.0)


def test_a_burst_over_runs_in_a_row_makes_no_odd_build() -> None:
    burst = [*ENDS, *BISECTED, *rounds((25, 1, 81), (27, 1, 92)), (25, 2, 160.0), (25, 2, 175.0)]
    seen = of_builds(burst)
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0).odd_builds == 0


def test_a_burst_over_a_whole_round_makes_no_odd_build() -> None:
    calm = [*ENDS, *BISECTED, *rounds((25, 1, 81), (26, 1, 81))]
    burst = [*rounds((25, 2, 160), (26, 2, 162)), (20, 0, 82.0)]
    seen = of_builds([*calm, *burst])
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0).odd_builds == 0
    among = [run for each, calm in zip(burst[:6], [81.0, 82.0, 80.5] * 2, strict=True) for run in (each, (20, 0, calm))]
    shown = of_builds([*calm, *among])
    assert allowing_for_builds(USUAL, shown, shown.values, LEVELS, 1.0).odd_builds > 40, "seen again among calm runs"


def test_runs_that_do_not_agree_make_no_odd_build() -> None:
    torn = [(26, 1, each) for each in (82.0, 112.0, 131.0)]
    among = [run for each in torn for run in (each, (25, 1, 81.0))]
    seen = of_builds([*ENDS, *BISECTED, *among, *rounds((25, 2, 81), (26, 2, 81))])
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0).odd_builds == 0


def test_what_lies_many_steps_off_is_no_luck_of_a_build() -> None:
    among = [run for each in (281.0, 282.0, 280.0) for run in ((26, 1, each), (25, 1, 81.0))]
    seen = of_builds([*ENDS, *BISECTED, *among, *rounds((25, 2, 81), (26, 2, 81))])
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0).odd_builds == 0


def test_builds_that_differ_by_no_more_than_their_runs_change_nothing() -> None:
    seen = of_builds([*ENDS, *BISECTED, *rounds((25, 1, 81), (26, 1, 92)), *rounds((25, 2, 83), (26, 2, 92))])
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0) == USUAL


def of_kinds(*levels: tuple[int, float]) -> Observations:
    """The bisected range, but for 26, with further builds (commit, level), each run in turns with one of commit 20."""
    seen: dict[int, int] = {20: 0}
    runs = []
    for place, level in levels:
        seen[place] = seen.get(place, 0) + 1
        runs += rounds((place, seen[place], level), (20, 0, 81))
    return of_builds([*ENDS, *(each for each in BISECTED if each[0] != 26), *runs])


def runs_of(seen: Observations) -> list[tuple[int, int, float]]:
    """Its runs as (place, build, value), in their order."""
    number = numbers(seen)
    units = zip(seen.run_unit.tolist(), seen.values.tolist(), strict=True)
    return [(int(seen.unit_place[unit]), number[unit], value) for unit, value in units]


def test_two_kinds_of_builds_are_told_by_what_lies_between_those_of_one_commit() -> None:
    seen = of_kinds((25, 81), (25, 103), (27, 92), (27, 114), (26, 82))
    found = allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0)
    assert found.gap == pytest.approx(22, abs=1)
    posterior = assess(seen, USUAL)
    assert posterior.kinds is not None
    assert posterior.kinds.gap == pytest.approx(22, abs=1), "the odd builds are the slow ones"
    assert int(np.argmax(posterior.of_candidates(seen.weights))) + 1 == 27


def in_time(seen: Observations) -> Observations:
    """The same with the time of each run, one after the other."""
    return replace(seen, times=np.arange(len(seen.values), dtype=float))


KNOWN = replace(USUAL, gap=22.0, kinds_prior=(3.6, 0.4), tau_prior=(0.95, 0.03, 0.015, 0.005))
"""What a calibration knows of builds of which some lie 22 above the others, which are alike."""


def test_what_speaks_for_two_kinds_of_builds_speaks_against_a_drift() -> None:
    """Where a drift was seen before, too: normal deviations of builds alone would make one of odd builds."""
    seen = in_time(of_kinds((25, 81), (25, 103), (27, 92), (27, 114), (26, 82)))
    found = assess(seen, replace(USUAL, prior_drift=0.6))
    assert found.kinds is not None
    assert found.drifting < 0.02
    known = assess(in_time(of_builds([*ENDS, *BISECTED])), replace(KNOWN, prior_drift=0.6))
    assert known.kinds is not None
    assert known.drifting < 0.02


def test_two_kinds_that_are_known_are_allowed_for_before_they_are_seen() -> None:
    """No commit is built twice yet: 26 lies as high as an odd build of the old side, and the step is at 27."""
    seen = of_builds([*ENDS, *BISECTED])
    known, unknown = (assess(seen, each).of_candidates(seen.weights) for each in (KNOWN, USUAL))
    assert int(np.argmax(known)) + 1 == 27
    assert int(np.argmax(unknown)) + 1 == 26
    assert allowing_for_builds(KNOWN, seen, seen.values, LEVELS, 1.0) == KNOWN


def test_a_gap_that_is_seen_stands_in_for_the_one_that_was_known() -> None:
    seen = of_kinds((25, 81), (25, 103), (27, 92), (27, 114), (26, 82))
    found = allowing_for_builds(replace(KNOWN, gap=15.0), seen, seen.values, LEVELS, 1.0)
    assert found.gap == pytest.approx(22, abs=1)
    assert found.kinds_prior == KNOWN.kinds_prior
    once = of_kinds((25, 81), (25, 103), (25, 82), (27, 92))
    kept = allowing_for_builds(KNOWN, once, once.values, LEVELS, 1.0)
    assert (kept.odd_builds > 0, kept.gap) == (True, KNOWN.gap)


def test_odd_builds_may_be_the_fast_ones() -> None:
    fast = [
        (25, 81),
        (25, 59),
        (20, 81),
        (20, 82),
        (27, 92),
        (27, 70),
        (27, 91),
        (26, 82),
        (26, 81),
        (30, 91),
        (30, 70),
    ]
    posterior = assess(of_kinds(*((place, float(level)) for place, level in fast)), USUAL)
    assert posterior.kinds is not None
    assert posterior.kinds.gap == pytest.approx(-22, abs=1)


def test_builds_that_do_not_agree_about_the_gap_are_not_of_two_kinds() -> None:
    seen = of_kinds((25, 81), (25, 103), (27, 92), (27, 148), (26, 82))
    found = allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0)
    assert found.odd_builds > 0
    assert found.gap == 0
    assert assess(seen, USUAL).kinds is None


def test_one_build_alone_that_differs_does_not_make_two_kinds() -> None:
    """The first build of a commit may be the one that is off, and what looks like two kinds the commit's doing."""
    seen = of_kinds((25, 81), (25, 103), (25, 82), (27, 92), (26, 82))
    found = allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0)
    assert found.odd_builds > 0
    assert found.gap == 0


def test_two_builds_of_either_kind_are_two_kinds_though_of_one_commit() -> None:
    seen = of_kinds((25, 81), (25, 103), (25, 82), (25, 104), (27, 92), (26, 82))
    assert allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0).gap == pytest.approx(22, abs=1)


def test_a_gap_that_was_seen_once_is_seen_again_by_fewer_runs() -> None:
    """Two runs each of two builds that lie 3 apart are no proof of anything, but they agree with a gap of 4."""
    once = [(25, 81.0), (25, 85.0), (25, 81.2)]

    def gap(again: float) -> float:
        turns = [(27, number, level + off) for off in (-0.3, 0.3) for number, level in enumerate((92.0, again), 1)]
        seen = of_kinds(*once)
        with_turns = of_builds([*runs_of(seen), *turns])
        return allowing_for_builds(USUAL, with_turns, with_turns.values, LEVELS, 0.8).gap

    assert gap(95.0) == pytest.approx(4, abs=0.3)
    assert gap(93.0) == 0, "as far apart as their runs explain"
    assert gap(89.0) == pytest.approx(4, abs=0.3), "whichever of the two is the odd one"


def test_builds_that_lie_evenly_are_not_parted() -> None:
    even = [(25, level) for level in (81.0, 84.5, 88.0, 91.5, 95.0)] + [(27, 92.0), (27, 95.5), (27, 99.0), (27, 102.5)]
    seen = of_kinds(*even)
    found = allowing_for_builds(USUAL, seen, seen.values, LEVELS, 0.8)
    assert found.odd_builds > 0
    assert found.gap == 0


def test_the_gap_is_that_of_the_middles_of_both_kinds() -> None:
    """The widest distance between two neighbours is less than it, the less the more builds there are."""
    low, high = (80.0, 81.0, 82.0, 82.6), (90.4, 91.0, 92.0, 93.0)
    seen = of_kinds(*((25, level) for pair in zip(low, high, strict=True) for level in pair))
    found = allowing_for_builds(USUAL, seen, seen.values, LEVELS, 1.0)
    assert found.gap == pytest.approx(np.mean(high) - np.mean(low), abs=0.5)


def test_builds_that_are_alike_are_of_one_kind() -> None:
    assert assess(of_kinds((25, 81), (25, 82), (27, 92), (27, 91)), USUAL).kinds is None


def test_an_odd_build_lies_off_by_the_gap_and_the_level_is_that_of_the_others() -> None:
    """Good's only build is an odd one: most runs on the good side are its."""
    odd_end = [(place, build, value + 22.0 * (place == 0)) for place, build, value in ENDS]
    bisected = [(25, 0, 83.0), (27, 0, 91.5), (26, 0, 82.0)]
    fresh = [(26, 1, 82), (26, 2, 104), (27, 1, 92), (27, 2, 114)]
    seen = of_builds([*odd_end, *bisected, *(run for build in fresh for run in rounds(build, (30, 0, 91)))])
    found = assess(seen, USUAL)
    assert found.kinds is not None
    assert found.good > 90, "the middle of the good side's runs is that of odd builds"
    planned = Hypotheses.of(found)
    assert planned.kinds == found.kinds
    assert (planned.tau == found.kinds.within(found.sigma)).all(), "how far builds of one kind deviate"
    assert found.centres == pytest.approx((82, 92), abs=1.5)
    assert found.step == pytest.approx(10, abs=1.5)
    off = dict(zip(zip(seen.unit_place.tolist(), numbers(seen), strict=True), found.surplus().tolist(), strict=True))
    assert {unit for unit, surplus in off.items() if surplus} == {(0, 0), (26, 2), (27, 2)}
    assert set(off.values()) == {0.0, found.kinds.gap}
    change, error = end_difference(seen, found)
    assert change == pytest.approx(10, abs=2)
    assert error < found.tau, "what the odd builds lie off by is no error of the ends any more"
    of_27 = [np.array([92.0, 91.0]), np.array([114.0, 113.0])]
    usual, levelled = found.without_surplus([*of_27[:1], *of_27], seen.unit_place == 27)[1:]
    assert levelled == pytest.approx(of_27[1] - found.kinds.gap)
    assert usual == pytest.approx(of_27[0])
    elsewhere = found.without_surplus(of_27, np.array([True, True]))
    assert [each.tolist() for each in elsewhere] == [each.tolist() for each in of_27], (
        "units of another part of the line"
    )


def test_a_job_that_went_the_other_way_builds_both_ends_again_and_says_why() -> None:
    simulation = Simulation(World(candidates=16, culprit=9, effect=-0.2, layout=0.001))
    done = simulation.run(simulation.request())
    simulation.close()
    again = [plan.step for plan in done.plans if isinstance(plan.step, BuildPlace) and plan.step.number]
    assert [(step.place.index, step.number) for step in again] == [(0, 1), (16, 1), (0, 2), (16, 2)]
    assert {step.reason for step in again} == {"the ends differ the other way: does another build of this one, too?"}
    assert done.verdict is not None
    assert done.verdict.reason is Reason.OPPOSITE_DIRECTION


def numbers(seen: Observations) -> list[int]:
    """Which build of its commit each unit is."""
    return [seen.number_of(unit) for unit in range(len(seen.unit_place))]
