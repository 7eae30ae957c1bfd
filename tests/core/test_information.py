"""What a measurement should teach, and which one is made for it."""

from dataclasses import replace

import numpy as np
import pytest

from bisector.core.search.decide import Costs, MeasureCommit, VerifyPair, decide
from bisector.core.search.information import bits, bits_of_two
from bisector.core.search.observations import Observations, Settings, Verification, classify
from bisector.core.search.posterior import assess
from bisector.core.search.queries import MOST_OF_A_COMMIT, worth_rerunning
from tests.helpers.lines import line, observations

COSTS = Costs(run=1.0, round=0.0, build=np.full(9, 5.0), rebuild=5.0)
GOOD, BAD = [100.1, 98.9, 100.9, 100.2], [102.1, 103.2, 101.8, 102.4]


def with_builds(seen: Observations, place: int, runs: list[list[float]]) -> Observations:
    """`seen` with further builds of one commit; units of a commit follow each other."""
    values = {unit: list(seen.values[seen.run_unit == unit]) for unit in range(len(seen.unit_place))}
    units = [(int(at), values[unit]) for unit, at in enumerate(seen.unit_place)]
    last = max(number for number, (at, _) in enumerate(units) if at == place)
    units[last + 1 : last + 1] = [(place, each) for each in runs]
    return replace(
        seen,
        unit_place=np.array([at for at, _ in units], dtype=np.int64),
        run_unit=np.array([number for number, (_, each) in enumerate(units) for _ in each], dtype=np.int64),
        values=np.array([value for _, each in units for value in each], dtype=float),
    )


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
