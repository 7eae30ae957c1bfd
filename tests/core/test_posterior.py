"""The posterior: sums, symmetries, and what evidence must do to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.search.end_levels import end_difference
from bisector.core.search.observations import Settings, classify
from bisector.core.search.posterior import assess
from bisector.core.search.sides import sides_of
from tests.core.test_history import parent_lists
from tests.helpers.lines import graph, line, observations

values = st.lists(st.integers(90_000, 130_000).map(lambda thousandths: thousandths / 1000), min_size=2, max_size=6)
"""As instruments give them: two values that differ by rounding alone would be one value after a shift."""


@st.composite
def measured_lines(draw: st.DrawFn) -> tuple[int, dict[int, list[float]]]:
    size = draw(st.integers(1, 40))
    places = draw(st.sets(st.integers(0, size), max_size=6)) | {0, size}
    return size, {place: draw(values) for place in sorted(places)}


@given(measured_lines())
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_whatever_was_measured(case: tuple[int, dict[int, list[float]]]) -> None:
    size, runs = case
    seen = observations(line(size), runs)
    found = assess(seen, Settings())
    chances = found.of_candidates(seen.weights)
    assert np.isfinite(chances).all()
    assert (chances >= 0).all()
    assert chances.sum() + found.no_change == pytest.approx(1)


@given(measured_lines(), st.floats(-1000, 1000), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_shifting_and_scaling_all_values_changes_nothing(
    case: tuple[int, dict[int, list[float]]], shift: float, scale: float
) -> None:
    size, runs = case
    moved = {place: [shift + scale * value for value in found] for place, found in runs.items()}
    before = assess(observations(line(size), runs), Settings())
    after = assess(observations(line(size), moved, threshold=0.35 * scale), Settings())
    assert after.no_change == pytest.approx(before.no_change, abs=0.02)
    assert after.probability == pytest.approx(before.probability, abs=0.02)


@given(st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_runs_within_a_commit_does_not_matter(order: list[int]) -> None:
    first = [100.1, 99.7, 100.4, 99.9, 100.0, 100.2, 99.8, 100.3]
    last = [value + 2 for value in first]
    before = assess(observations(line(9), {0: first, 4: first[:3], 9: last}), Settings())
    shuffled = {0: [first[i] for i in order], 4: first[:3], 9: [last[i] for i in order]}
    after = assess(observations(line(9), shuffled), Settings())
    assert after.probability == pytest.approx(before.probability, abs=1e-6)


def test_a_commit_at_the_old_level_clears_those_before_it() -> None:
    good, bad = [100.1, 99.9, 100.0, 100.2], [104.1, 103.8, 104.0, 104.2]
    found = assess(observations(line(8), {0: good, 4: good, 8: bad}), Settings())
    chances = found.of_candidates(np.ones(8))
    assert chances[:4].sum() < 0.01
    assert chances[4:].sum() > 0.98


def test_equal_ends_speak_for_no_change() -> None:
    same = [100.1, 99.9, 100.0, 100.2, 99.8, 100.05]
    found = assess(observations(line(8), {0: same, 8: same}, threshold=1.0), Settings())
    assert found.no_change > 0.9


def test_one_outlier_does_not_move_the_answer() -> None:
    good, bad = [100.1, 99.9, 100.0, 100.2], [103.1, 102.9, 103.0, 103.2]
    calm = assess(observations(line(8), {0: good, 4: good[:3], 8: bad}), Settings())
    wild = assess(observations(line(8), {0: good, 4: [*good[:3], 160.0], 8: bad}), Settings())
    assert wild.of_candidates(np.ones(8))[4:].sum() > 0.9
    assert calm.of_candidates(np.ones(8))[4:].sum() > 0.9


def test_untestable_commits_keep_their_probability() -> None:
    good, bad = [100.1, 99.9, 100.0, 100.2], [104.1, 103.8, 104.0, 104.2]
    runs = {0: good, 2: good, 8: bad}
    free = assess(observations(line(8), runs), Settings()).of_candidates(np.ones(8))
    broken = assess(observations(line(8), runs, untestable=[4, 5, 6]), Settings()).of_candidates(np.ones(8))
    assert broken == pytest.approx(free)


def test_a_candidate_without_weight_has_no_probability() -> None:
    good, bad = [100.1, 99.9, 100.0, 100.2], [104.1, 103.8, 104.0, 104.2]
    seen = observations(line(4), {0: good, 4: bad})
    weights = np.array([1.0, 0.0, 1.0, 1.0])
    seen = type(seen)(**{**seen.__dict__, "weights": weights})
    assert assess(seen, Settings()).of_candidates(weights)[1] == 0


@given(parent_lists(), st.data())
@settings(max_examples=60, deadline=None)
def test_classes_group_what_the_units_cannot_tell_apart(parents: list[list[int]], data: st.DataObject) -> None:
    on = graph(parents)
    places = sorted(data.draw(st.sets(st.integers(0, on.size), max_size=5)) | {0, on.size})
    seen = observations(on, {place: [1.0] for place in places})
    found = classify(seen)
    signatures = [tuple(bool(on.contains(place)[c]) for place in places) for c in range(on.size)]
    for first in range(on.size):
        for second in range(on.size):
            same_class = found.of[first] == found.of[second]
            assert same_class == (signatures[first] == signatures[second])
    assert found.weight.sum() == on.size


def test_in_a_graph_a_bad_side_branch_points_at_that_branch() -> None:
    # 1 and 2 lie on one branch, 3 and 4 on another, 5 merges them.
    on = graph([[0], [1], [0], [3], [2, 4]])
    good, bad = [100.1, 99.9, 100.0, 100.2], [104.1, 103.8, 104.0, 104.2]
    found = assess(observations(on, {0: good, 2: good, 4: bad, 5: bad}), Settings())
    chances = found.of_candidates(np.ones(5))
    assert chances[[2, 3]].sum() > 0.98


def test_what_is_asked_again_is_remembered_and_what_differs_is_not() -> None:
    runs = {0: [100.0, 100.3, 99.8, 100.1], 4: [104.0, 104.2], 8: [104.1, 103.7, 104.0, 104.3]}
    first, same = (assess(observations(line(8), runs), Settings()) for _ in range(2))
    assert same is first
    moved = assess(observations(line(8), {**runs, 4: [100.0, 104.2]}), Settings())
    stricter = assess(observations(line(8), runs, threshold=3.0), Settings())
    other = assess(observations(line(8), runs), Settings(prior_no_change=0.5))
    for each in (moved, stricter, other):
        assert not np.array_equal(each.probability, first.probability)


def test_noise_is_told_from_every_build_that_was_run_twice_and_from_no_other() -> None:
    """Not from a build's only run, which is its own median, and from one whose side is not known as from any other."""
    seen = observations(line(8), {0: [1.0, 2.0, 3.0, 4.0], 2: [2.0], 4: [3.0, 3.5, 5.0], 8: [7.0, 8.0, 8.5, 9.0]})
    good, bad = np.array([True, True, False, False]), np.array([False, False, False, True])
    found = sides_of(seen, seen.values, good, bad, between_builds=True)
    assert found.df == 3 + 2 + 3
    assert found.residuals == pytest.approx([-1.5, -0.5, 0.5, 1.5, -0.5, 0.0, 1.5, -1.25, -0.25, 0.25, 0.75])
    assert np.flatnonzero(np.isnan(found.own)).tolist() == [4]


def test_a_fresh_build_of_an_end_that_met_a_burst_is_no_level_of_that_end() -> None:
    quiet = observations(
        line(8), {0: [100.1, 99.0, 100.8, 100.3, 99.6], 4: [101.9, 102.2], 8: [102.2, 101.4, 102.9, 102.0]}
    )
    burst = replace(
        quiet,
        unit_place=np.array([0, 0, 4, 8]),
        run_unit=np.concatenate([quiet.run_unit[:5], [1, 1], quiet.run_unit[5:] + 1]),
        values=np.concatenate([quiet.values[:5], [171.0, 184.0], quiet.values[5:]]),
    )
    alone, beside = (end_difference(each, assess(each, Settings()))[0] for each in (quiet, burst))
    assert beside == pytest.approx(alone, abs=0.3)
