"""The next action, and whole searches in simulated worlds."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.model.history import Line
from bisector.core.search.decide import (
    Action,
    Costs,
    Ending,
    MeasureCommit,
    MeasureEnds,
    Stop,
    VerifyPair,
    decide,
)
from bisector.core.search.observations import FloatArray, Observations, Settings, Verification
from tests.core.test_history import parent_lists
from tests.helpers.lines import graph, line, observations, with_builds

GOOD, BAD = [100.1, 99.9, 100.0, 100.2], [104.1, 103.8, 104.0, 104.2]


def costs(size: int, build: float = 5.0) -> Costs:
    return Costs(run=1.0, round=0.0, build=np.full(size + 1, build))


@dataclass
class Trial:
    """One search driven by the real planner against a planted level at each index."""

    on: Line
    level: Callable[[int], float]
    noise: float
    seed: int
    untestable: frozenset[int] = frozenset()
    exact: bool = False
    threshold: float = 0.35
    runs: dict[int, list[float]] = field(default_factory=dict)
    tested: list[int] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    found: tuple[int, ...] = ()
    ending: Ending | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def run(self) -> "Trial":
        broken: set[int] = set()
        for _ in range(500):
            seen = self._seen(broken)
            action = decide(seen, costs(self.on.size), Settings()).action
            match action:
                case MeasureEnds(runs=runs):
                    self._measure(0, runs)
                    self._measure(self.on.size, runs)
                case MeasureCommit(index=index, runs=runs):
                    if index in self.untestable:
                        broken.add(index)
                    else:
                        self._measure(index, runs)
                case VerifyPair(parent=parent, culprit=culprit, pairs=pairs):
                    self._measure(parent, pairs)
                    self._measure(culprit, pairs)
                    self.verifications.append(Verification(parent=parent, culprit=culprit, passed=True))
                case Stop(ending=ending, found=found):
                    self.ending = ending
                    if found is not None:
                        from bisector.core.search.observations import classify

                        self.found = classify(seen).members(found)
                    return self
        raise AssertionError("the search does not end")

    def _seen(self, broken: set[int]) -> Observations:
        return observations(
            self.on,
            self.runs,
            untestable=sorted(broken),
            exact=self.exact,
            threshold=self.threshold,
            verifications=self.verifications,
        )

    def _measure(self, index: int, runs: int) -> None:
        self.tested.extend([index] * runs)
        noisy = [self.level(index) + self.noise * self.random.gauss(0, 1) for _ in range(runs)]
        self.runs.setdefault(index, []).extend(noisy)


def step_at(culprit: int, effect: float = 4.0) -> Callable[[int], float]:
    return lambda index: 100.0 + (effect if index >= culprit else 0.0)


def test_the_first_action_is_to_measure_both_ends() -> None:
    action = decide(observations(line(8), {}), costs(8), Settings()).action
    assert action == MeasureEnds(runs=4)


def test_between_clear_ends_the_middle_is_measured() -> None:
    action = decide(observations(line(9), {0: GOOD, 9: BAD}), costs(9), Settings()).action
    assert isinstance(action, MeasureCommit)
    assert action.index in {4, 5}


def test_beside_a_commit_that_does_not_build_a_farther_one_is_tried() -> None:
    seen = observations(line(40), {0: GOOD, 40: BAD}, untestable=[20])
    action = decide(seen, costs(40), Settings()).action
    assert isinstance(action, MeasureCommit)
    assert action.index not in {19, 20, 21}


def test_a_costly_build_is_put_off_for_runs_of_what_is_built() -> None:
    vague = {0: [100.0, 101.5, 99.0, 100.6], 9: [101.0, 102.0, 100.2, 101.4]}
    cheap = decide(observations(line(9), vague), costs(9, build=0.1), Settings()).action
    dear = decide(observations(line(9), vague), costs(9, build=1000.0), Settings()).action
    assert isinstance(cheap, MeasureCommit)
    assert cheap.index not in {0, 9}
    assert isinstance(dear, MeasureCommit)
    assert dear.index in {0, 9}


def test_a_single_commit_is_named_only_after_verification() -> None:
    runs = {0: GOOD, 3: GOOD, 4: BAD, 8: BAD}
    action = decide(observations(line(8), runs), costs(8), Settings()).action
    assert isinstance(action, VerifyPair)
    assert (action.parent, action.culprit) == (3, 4)
    verified = [Verification(parent=3, culprit=4, passed=True)]
    stop = decide(observations(line(8), runs, verifications=verified), costs(8), Settings()).action
    assert isinstance(stop, Stop)
    assert stop.ending is Ending.FOUND


@given(st.integers(2, 60), st.data())
@settings(max_examples=25, deadline=None)
def test_a_clear_step_is_found_wherever_it_is(size: int, data: st.DataObject) -> None:
    culprit = data.draw(st.integers(1, size))
    trial = Trial(on=line(size), level=step_at(culprit, 10.0), noise=0.5, seed=culprit).run()
    assert trial.ending is Ending.FOUND
    assert trial.found == (culprit,)


@given(st.integers(4, 40), st.data())
@settings(max_examples=40, deadline=None)
def test_with_unbuildable_commits_the_answer_is_exactly_what_cannot_be_told_apart(
    size: int, data: st.DataObject
) -> None:
    culprit = data.draw(st.integers(1, size))
    untestable = frozenset(data.draw(st.sets(st.integers(1, size - 1), max_size=size - 1)))
    trial = Trial(on=line(size), level=step_at(culprit, 10.0), noise=0.0, seed=1, untestable=untestable, exact=True)
    trial.run()
    before = max(index for index in range(culprit) if index not in untestable)
    after = min(index for index in range(culprit, size + 1) if index not in untestable)
    assert trial.found == tuple(range(before + 1, after + 1))


@given(parent_lists(), st.data())
@settings(max_examples=40, deadline=None)
def test_in_a_graph_the_culprit_is_the_commit_whose_descendants_are_bad(
    parents: list[list[int]], data: st.DataObject
) -> None:
    on = graph(parents)
    reachable = [c for c in range(1, on.size + 1) if on.contains(on.size)[c - 1]]
    culprit = data.draw(st.sampled_from(reachable))
    trial = Trial(
        on=on,
        level=lambda index: 110.0 if on.contains(index)[culprit - 1] else 100.0,
        noise=0.0,
        seed=1,
        exact=True,
    )
    seen_weights = on.contains(on.size)
    if not seen_weights.all():
        return
    trial.run()
    assert trial.found == (culprit,)


@pytest.mark.parametrize("size", [2, 16, 100, 128, 1000])
def test_a_counter_costs_one_run_a_commit(size: int) -> None:
    trial = Trial(on=line(size), level=step_at(size // 3 + 1), noise=0.0, seed=1, exact=True).run()
    builds = len(set(trial.tested))
    steps = int(np.ceil(np.log2(size)))
    assert trial.found == (size // 3 + 1,)
    assert builds <= steps + 2
    before_verification = len(trial.tested) - 2
    assert before_verification <= builds + 2


def test_no_change_is_said_and_not_hunted() -> None:
    for seed in range(10):
        trial = Trial(on=line(64), level=lambda _: 100.0, noise=1.0, seed=seed, threshold=2.0).run()
        assert trial.ending is Ending.NO_CHANGE


def test_a_noisy_step_of_two_deviations_is_found_within_a_sane_budget() -> None:
    trials = [Trial(on=line(128), level=step_at(41 + seed, 2.0), noise=1.0, seed=seed).run() for seed in range(12)]
    right = sum(trial.found == (41 + seed,) for seed, trial in enumerate(trials))
    assert right >= 11
    assert np.mean([len(trial.tested) for trial in trials]) < 90


def test_verification_runs_on_builds_made_afresh_where_those_can_differ() -> None:
    runs = {0: GOOD, 3: GOOD, 4: BAD, 8: BAD}
    seen = observations(line(8), runs)
    assert _numbers(decide(seen, costs(8), Settings()).action) == (0, 0)
    rebuilding = replace(costs(8), rebuild=5.0)
    assert _numbers(decide(seen, rebuilding, Settings()).action) == (1, 1)
    # Runs that were equal so far may differ between builds all the same.
    equal = observations(line(8), {0: [100.0] * 2, 3: [100.0], 4: [104.0], 8: [104.0] * 2}, exact=True)
    assert _numbers(decide(equal, rebuilding, Settings()).action) == (1, 1)


def test_fresh_runs_that_show_nothing_of_the_step_are_made_once_more() -> None:
    runs = {0: GOOD, 3: GOOD, 4: BAD, 8: BAD}
    for rises, again in (([0.2], True), ([-3.5], True), ([3.5], False), ([0.2, 0.1], False), ([0.2, 3.5], False)):
        tried = [Verification(parent=3, culprit=4, passed=True, rise=rise) for rise in rises]
        action = decide(observations(line(8), runs, verifications=tried), costs(8), Settings()).action
        assert isinstance(action, VerifyPair) is again


def test_where_builds_may_deviate_by_a_part_of_the_step_it_is_verified_on_other_builds_once_more() -> None:
    good, bad = [100.0, 99.4, 100.7, 99.9], [101.7, 101.1, 102.2, 101.6]
    runs = {0: good, 3: [100.2, 99.6, 100.5], 4: [101.3, 102.0, 101.6], 8: bad}
    once = [Verification(parent=3, culprit=4, passed=True, rise=1.6, numbers=(1, 1))]
    rebuilding, alike = replace(costs(8), rebuild=5.0), Settings(tau_ratios=(0.0,), tau_prior=(1.0,))
    seen = replace(observations(line(8), runs, verifications=once), attempted=((3, 4),))
    assert isinstance(decide(seen, rebuilding, Settings()).action, VerifyPair)
    # Not where they are known not to, nor where a rebuild gives the same, nor a third time.
    assert not isinstance(decide(seen, rebuilding, alike).action, VerifyPair)
    assert not isinstance(decide(seen, costs(8), Settings()).action, VerifyPair)
    twice = replace(observations(line(8), runs, verifications=once * 2), attempted=((3, 4),) * 2)
    assert not isinstance(decide(twice, rebuilding, Settings()).action, VerifyPair)


def _numbers(action: Action) -> tuple[int, int]:
    assert isinstance(action, VerifyPair)
    return action.numbers


def test_a_clear_difference_below_the_threshold_ends_the_search() -> None:
    runs = {0: GOOD * 2, 8: [value + 1.0 for value in GOOD * 2]}
    stop = decide(observations(line(8), runs, threshold=2.0), costs(8), Settings()).action
    assert stop == Stop(ending=Ending.NO_CHANGE)


def test_a_change_the_other_way_wants_more_runs_than_a_burst_could_spoil() -> None:
    few = observations(line(8), {0: BAD, 8: GOOD}, threshold=1.0)
    assert decide(few, costs(8), Settings()).action == MeasureEnds(runs=4)
    more = observations(line(8), {0: BAD * 2, 8: GOOD * 2}, threshold=1.0)
    assert decide(more, costs(8), Settings()).action == Stop(ending=Ending.NO_CHANGE)


def test_a_change_the_other_way_is_told_once_fresh_builds_of_both_ends_show_it() -> None:
    afresh = replace(costs(8), rebuild=5.0)
    seen = observations(line(8), {0: BAD * 2, 8: GOOD * 2}, threshold=1.0)
    for number in (1, 2):
        assert decide(seen, afresh, Settings()).action == MeasureCommit(index=0, runs=4, bits=0.0, number=number)
        seen = with_builds(seen, 0, [BAD])
        assert decide(seen, afresh, Settings()).action == MeasureCommit(index=8, runs=4, bits=0.0, number=number)
        seen = with_builds(seen, 8, [GOOD])
    assert decide(seen, afresh, Settings()).action == Stop(ending=Ending.NO_CHANGE)


def test_references_are_run_only_where_the_machine_drifts() -> None:
    steady, drifting = [], []
    for seed in range(4):
        draw = np.random.default_rng(seed)
        order = [0, 9, 4, 5] * 10
        noise, walk = draw.standard_normal(len(order)), np.cumsum(1.5 * draw.standard_normal(len(order)))
        steady.append(_next_measurement(order, noise))
        drifting.append(_next_measurement(order, noise + walk))
    assert not any(steady)
    assert any(drifting)


def _next_measurement(order: list[int], offsets: FloatArray) -> int:
    """References that go with the next measurement of a line of 9 whose culprit is 5, runs taken in `order`."""
    taken: dict[int, list[tuple[float, float]]] = {}
    for time, (place, offset) in enumerate(zip(order, offsets, strict=True)):
        taken.setdefault(place, []).append((float(time), (102.0 if place >= 5 else 100.0) + offset))
    seen = observations(line(9), {place: [value for _, value in runs] for place, runs in taken.items()})
    seen = replace(seen, times=np.array([time for runs in taken.values() for time, _ in runs]))
    action = decide(seen, costs(9), Settings(confidence=0.999)).action
    assert isinstance(action, MeasureCommit)
    return action.references


def nearly_found() -> Observations:
    """Every neighbour of the step at 3 measured well: what is left is to verify."""
    return observations(line(4), {0: GOOD, 2: GOOD, 3: BAD, 4: BAD})


def test_a_verification_that_comes_to_nothing_ends_at_some_time() -> None:
    seen = nearly_found()
    assert isinstance(decide(seen, costs(4), Settings()).action, VerifyPair)
    again = decide(replace(seen, attempted=((2, 3),) * 3), costs(4), Settings()).action
    assert isinstance(again, VerifyPair)
    ended = decide(replace(seen, attempted=((2, 3),) * 4), costs(4), Settings()).action
    assert isinstance(ended, Stop)
    assert ended.ending is Ending.UNVERIFIED
    elsewhere = decide(replace(seen, attempted=((1, 2),) * 9), costs(4), Settings()).action
    assert isinstance(elsewhere, VerifyPair)


def test_an_end_most_of_whose_runs_fell_into_bursts_is_not_a_change_the_other_way() -> None:
    good = [100.0, 250.0, 180.0, 99.8, 300.0, 210.0, 100.2, 270.0]
    bad = [102.0, 101.8, 102.1, 101.9, 102.2, 101.8, 102.0, 101.7]
    action = decide(observations(line(8), {0: good, 8: bad}), costs(8), Settings()).action
    assert not isinstance(action, Stop)


def test_before_nothing_more_can_be_learnt_the_ends_are_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is open whether there is a change: the first runs may have fallen into a burst."""
    for name in ("LEAST_BITS", "LEAST_GAIN"):
        monkeypatch.setattr(f"bisector.core.search.decide.{name}", 9.0)
    wild = {0: [100.0, 180.0, 250.0, 140.0], 8: [190.0, 130.0, 240.0, 110.0]}
    assert decide(observations(line(8), wild), costs(8), Settings()).action == MeasureEnds(runs=4)
    many = {place: values * 4 for place, values in wild.items()}
    assert decide(observations(line(8), many), costs(8), Settings()).action == Stop(ending=Ending.EXHAUSTED)
    clear = observations(line(8), {0: GOOD, 8: BAD})
    assert decide(clear, costs(8), Settings()).action == Stop(ending=Ending.EXHAUSTED)


def test_a_part_of_the_error_is_left_where_nothing_is_measured_after_an_answer() -> None:
    good, bad = [100.0, 99.4, 100.7, 99.9], [101.7, 101.1, 102.2, 101.6]
    runs = {0: good, 3: [100.2, 99.6, 100.5], 4: [101.3, 102.0, 101.6], 8: bad}
    tried = [Verification(parent=3, culprit=4, passed=True, rise=1.6)] * 2
    seen = replace(observations(line(8), runs, verifications=tried), attempted=((3, 4),) * 2)
    rebuilding, all_of_it = replace(costs(8), rebuild=5.0), Settings(reserve=0.0)
    decided = decide(seen, rebuilding, all_of_it)
    assert decided.posterior is not None
    assert 0.95 < decided.posterior.probability.max() < 0.97
    assert isinstance(decided.action, Stop)
    assert isinstance(decide(seen, rebuilding, Settings()).action, MeasureCommit)
    # Where nothing can be built afresh, no builds are compared after it.
    assert isinstance(decide(seen, costs(8), all_of_it).action, MeasureCommit)
