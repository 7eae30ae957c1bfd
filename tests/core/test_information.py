"""What a measurement should teach, and which one is made for it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from bisector.core.search.build_models import Kinds
from bisector.core.search.decide import Costs, MeasureCommit, VerifyPair, decide
from bisector.core.search.information import Hypotheses, bits, bits_of_kinds, bits_of_two
from bisector.core.search.observations import Settings, Verification, classify
from bisector.core.search.posterior import assess
from bisector.core.search.queries import MOST_OF_A_COMMIT, worth_rerunning
from tests.helpers.lines import line, observations, with_builds

Floats = npt.NDArray[np.float64]
COSTS = Costs(run=1.0, round=0.0, build=np.full(9, 5.0), rebuild=5.0)
GOOD, BAD = [100.1, 98.9, 100.9, 100.2], [102.1, 103.2, 101.8, 102.4]


def test_two_observations_teach_what_sampling_finds() -> None:
    probability = np.array([0.2, 0.5, 0.2, 0.1])
    mean = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.5, 0.5]])
    variance = np.array([[0.3, 0.3], [0.3, 0.5], [0.2, 0.3], [0.3, 0.3]])
    random = np.random.default_rng(1)
    truth = random.choice(4, size=100_000, p=probability)
    seen = mean[truth] + np.sqrt(variance[truth]) * random.standard_normal((100_000, 2))
    square = ((seen[:, None, :] - mean) ** 2 / variance).sum(axis=-1)
    density = np.exp(-square / 2) / np.sqrt(variance.prod(axis=-1))
    gained = np.log2(density[np.arange(len(truth)), truth] / (density @ probability))
    assert bits_of_two(probability, mean, variance) == pytest.approx(gained.mean(), abs=4 * gained.std() / 316)


KINDS = Kinds(gap=1.6)


def drawn(probability: Floats, mean: Floats, variance: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """(samples, observations, hypotheses): densities of observations of builds of two kinds; and which one holds."""
    random = np.random.default_rng(1)
    truth = random.choice(len(probability), size=50_000, p=probability)
    offset = np.where(random.random((50_000, 2)) < KINDS.shares[1], KINDS.gap, 0.0)
    seen = mean[truth] + offset + np.sqrt(variance[truth]) * random.standard_normal((50_000, 2))
    density = np.zeros((50_000, 2, len(probability)))
    for gap, share in zip(KINDS.offsets, KINDS.shares, strict=True):
        square = (seen[:, :, None] - mean.T - gap) ** 2 / variance.T
        density += share * np.exp(-square / 2) / np.sqrt(variance.T)
    return np.asarray(density), truth


def test_builds_of_two_kinds_teach_what_sampling_finds() -> None:
    probability = np.array([0.2, 0.5, 0.3])
    mean = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    variance = np.array([[0.3, 0.3], [0.3, 0.5], [0.2, 0.3]])
    density, truth = drawn(probability, mean, variance)
    rows = np.arange(len(truth))
    both = density.prod(axis=1)
    gained = np.log2(both[rows, truth] / (both @ probability))
    assert bits_of_two(probability, mean, variance, KINDS) == pytest.approx(gained.mean(), abs=0.02)
    one = density[:, 0]
    gained = np.log2(one[rows, truth] / (one @ probability))
    means, weight = mean[:, :1] + KINDS.offsets, np.tile(KINDS.shares, (3, 1))
    assert bits_of_kinds(probability, means, variance[None, :, 0], weight)[0] == pytest.approx(gained.mean(), abs=0.02)


def test_where_all_builds_are_of_one_kind_the_kinds_change_nothing() -> None:
    probability, mean = np.array([0.2, 0.5, 0.3]), np.array([0.0, 1.0, 3.0])
    variance = np.array([[0.3, 0.5, 0.4], [0.1, 0.2, 0.1]])
    weight = np.tile([1.0, 0.0], (3, 1))
    found = bits_of_kinds(probability, mean[:, None] + KINDS.offsets, variance, weight)
    assert found == pytest.approx(bits(probability, mean, variance), rel=1e-6)


def of_one_build(step: float, gap: float = 0.0) -> Hypotheses:
    """One build, as likely good as `step` worse; where there is a `gap`, of two kinds of builds."""
    return Hypotheses(
        classes=(0,),
        probability=np.array([0.5, 0.5]),
        bad=np.array([[True], [False]]),
        level=np.array([[0.0, step], [0.0, step]]),
        variance=np.full((2, 2), 0.01),
        sigma=1.0,
        tau=np.full(2, 0.3),
        kinds=Kinds(gap=gap) if gap else None,
    )


def test_a_build_that_is_surely_odd_teaches_no_less_by_its_runs_than_another() -> None:
    runs, kinds = np.array([2.0]), of_one_build(2.0, gap=40.0)
    usual = of_one_build(2.0).rerun(0, 1.0, 1, runs)
    assert kinds.rerun(0, 1.0, 1, runs) == pytest.approx(usual, rel=1e-3)
    assert kinds.rerun(0, 41.0, 1, runs) == pytest.approx(usual, rel=1e-3)


def test_running_a_build_again_does_not_tell_an_odd_one_from_a_bad_one() -> None:
    known = of_one_build(10.0, gap=10.0)
    assert known.rerun(0, 10.0, 4, np.array([8.0]))[0] < 0.05, "ten above good, odd; or as bad as bad"


def test_a_gap_as_large_as_the_step_hides_the_side_of_a_build() -> None:
    share, runs = np.array([1.0]), np.array([16.0])
    taught = {gap: of_one_build(10.0, gap).new(share, runs)[0] for gap in (0.0, 5.0, 10.0)}
    assert taught[0.0] == pytest.approx(1.0, abs=0.01)
    assert taught[5.0] == pytest.approx(1.0, abs=0.01), "four places, and each says which side it is"
    assert taught[10.0] < 0.8
    pairs = {gap: of_one_build(10.0, gap).pair(np.array([[False], [True]]), 16.0) for gap in (0.0, 10.0)}
    assert pairs[0.0] == pytest.approx(1.0, abs=0.01)
    assert pairs[10.0] < 0.9, "parent and culprit may both be odd, or one of them"


def test_an_observation_that_is_the_same_whatever_holds_teaches_nothing_more() -> None:
    probability, mean = np.array([0.4, 0.6]), np.array([[0.0, 5.0], [1.0, 5.0]])
    both = bits_of_two(probability, mean, np.full((2, 2), 0.3))
    assert both == pytest.approx(bits(probability, mean[:, 0], np.full((1, 2), 0.3))[0])


def test_a_build_on_the_wrong_side_takes_builds_that_deviate() -> None:
    seen = observations(line(8), {0: GOOD, 3: [100.0] * 3 + [100.4], 4: [102.3, 102.4, 101.9], 8: BAD})
    posterior = assess(seen, Settings())
    tau = dict(zip(posterior.levels.classes, posterior.levels.tau, strict=False))
    right = posterior.classes.of[3]
    # That commit 1, 2 or 3 did it would put commit 3's runs, which lie low, on the high side.
    wrong = posterior.classes.of[2]
    assert tau[wrong] > 2 * tau[right]


def test_an_answer_is_verified_before_it_is_likely_where_that_teaches_most() -> None:
    seen = observations(line(8), {0: GOOD, 3: [100.9, 99.8], 4: [102.4, 101.5], 8: BAD})
    decision = decide(seen, COSTS, Settings())
    assert decision.posterior is not None
    assert decision.posterior.probability.max() < 0.85
    assert isinstance(decision.action, VerifyPair)
    assert (decision.action.parent, decision.action.culprit) == (3, 4)
    once = decide(replace(seen, attempted=((3, 4),)), COSTS, Settings())
    assert not isinstance(once.action, VerifyPair)
    without = decide(seen, replace(COSTS, rebuild=None), Settings())
    assert not isinstance(without.action, VerifyPair)


def test_every_build_beside_a_class_in_play_may_be_run_again() -> None:
    seen = observations(line(8), {0: GOOD, 3: [100.9, 99.8], 4: [102.4, 101.5], 8: BAD})
    seen = with_builds(seen, 3, [[100.2], [99.5, 100.3, 100.1], [100.6], [100.0], [99.0]])
    classes = classify(seen)
    chosen = worth_rerunning(seen, classes, (int(classes.of[3]),))
    runs = seen.counts[[unit for unit in chosen if seen.unit_place[unit] == 3]]
    assert sorted(runs) == [1] * MOST_OF_A_COMMIT
    assert {int(place) for place in seen.unit_place[chosen]} == {0, 3, 4, 8}


def test_a_fresh_build_is_run_again_rather_than_another_one_made() -> None:
    seen = observations(line(8), {0: GOOD * 2, 3: [100.9, 99.8] * 3, 4: [102.4, 101.5] * 3, 8: BAD * 2})
    held = Verification(parent=3, culprit=4, passed=True, rise=2.0)
    seen = replace(with_builds(seen, 3, [[101.4]]), attempted=((3, 4),) * 2, verifications=(held,) * 2)
    action = decide(seen, COSTS, Settings()).action
    assert isinstance(action, MeasureCommit)
    assert (action.index, action.number) == (3, 1)
