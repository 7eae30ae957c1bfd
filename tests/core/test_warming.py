"""When the first run of a build counts: only where the runs show that it is like the others."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget
from bisector.core.model.samples import Purpose
from bisector.core.search.warming import first_runs_count, warm_ups
from tests.helpers.simulated import Simulation, simulate

LARGE_STEP = World(candidates=64, culprit=40, effect=0.2, noise=0.005, seed=3)


def warmed(found: Investigation) -> int:
    return sum(sample.purpose is Purpose.WARMUP for sample in found.samples)


def only(found: Investigation, most: int) -> Investigation:
    """What was known when the first `most` samples had come."""
    return replace(found, samples=found.samples[:most])


def test_a_first_run_like_the_others_counts_from_the_ends_on() -> None:
    found = simulate(LARGE_STEP)
    assert found.verdict is not None
    assert [each.members for each in found.verdict.culprits] == [(40,)]
    assert warmed(found) == 2
    assert warm_ups(found) == 0


@pytest.mark.parametrize("cold", [0.06, 0.5, -0.06])
def test_where_the_first_run_differs_every_session_warms_up(cold: float) -> None:
    found = simulate(replace(LARGE_STEP, cold=cold))
    assert found.verdict is not None
    assert [each.members for each in found.verdict.culprits] == [(40,)]
    rounds = {(sample.step, sample.place, sample.number) for sample in found.samples}
    assert warmed(found) == len(rounds)


def test_what_the_noise_could_hide_is_not_believed() -> None:
    """Noise near the step: no difference is seen, and one of half a step would not be."""
    worlds = [World(candidates=16, culprit=9, effect=0.05, noise=0.025, seed=seed) for seed in range(20)]
    assert not any(first_runs_count(simulate(world, budget=Budget(runs=8))) for world in worlds)


def test_where_nothing_changed_there_is_no_step_to_compare_with() -> None:
    assert not first_runs_count(simulate(World(candidates=16, noise=0.001, seed=5)))


@pytest.mark.parametrize("asked", [0, 2])
def test_a_number_that_is_asked_for_is_kept_to(asked: int) -> None:
    simulation = Simulation(LARGE_STEP)
    try:
        request = simulation.request()
        run = replace(request.scenario.run, warmup_runs=asked)
        found = simulation.run(replace(request, scenario=replace(request.scenario, run=run)))
    finally:
        simulation.close()
    opened = Counter((s.step, s.place, s.number) for s in found.samples if s.purpose is Purpose.WARMUP)
    assert set(opened.values()) == ({asked} if asked else set())


def test_a_session_that_is_opened_again_after_a_crash_decides_nothing_else() -> None:
    found = simulate(LARGE_STEP)
    first = found.samples[0]
    assert first.purpose is Purpose.WARMUP
    again = replace(first, values={name: 2 * value for name, value in first.values.items()})
    assert first_runs_count(replace(found, samples=(first, again, *found.samples[1:])))


def test_one_metric_that_needs_it_is_enough() -> None:
    found = simulate(LARGE_STEP)
    (metric,) = found.request.asked
    other = replace(metric, name="other")
    scenario = replace(found.request.scenario, metrics=(metric, other))
    both = replace(found, request=replace(found.request, scenario=scenario, metrics=("seconds", "other")))
    assert len(both.request.asked) == 2

    def with_other(factor: float) -> Investigation:
        def also(value: float, purpose: Purpose) -> dict[str, float]:
            return {"seconds": value, "other": value * (factor if purpose is Purpose.WARMUP else 1.0)}

        told = tuple(replace(s, values=also(s.values["seconds"], s.purpose)) for s in both.samples)
        return replace(both, samples=told)

    assert first_runs_count(with_other(1.0))
    assert not first_runs_count(with_other(1.1))


@settings(max_examples=25, deadline=None)
@given(part=st.floats(0.3, 3.0), sign=st.sampled_from([1, -1]), noise=st.floats(0.0005, 0.03), seed=st.integers(0, 999))
def test_first_runs_off_by_more_than_a_quarter_of_the_step_are_seldom_believed(
    part: float, sign: int, noise: float, seed: int
) -> None:
    """Off by 0.3 of the step or more: believed only where the noise deceives, which 95 % of the intervals rule out."""
    cold = (1.2 ** (part * sign)) - 1
    world = World(candidates=4, culprit=2, effect=0.2, noise=noise, cold=cold, seed=seed)
    believed = [
        first_runs_count(simulate(replace(world, seed=seed + turn), budget=Budget(runs=8))) for turn in range(4)
    ]
    assert sum(believed) <= 2
