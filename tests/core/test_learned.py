"""What finished jobs teach of the noise, and that a search that begins with it costs less and is right as often."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.calibration import Calibration
from bisector.core.model.history import ASIDE, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Across, JobKind, Search
from bisector.core.model.samples import Purpose
from bisector.core.model.scenario import Direction
from bisector.core.model.verdict import Verdict, VerdictKind
from bisector.core.search.calibrated import informed
from bisector.core.search.learned import learned, merged
from bisector.core.search.observations import FloatArray, Settings
from tests.helpers.simulated import Simulation

# What `past` makes is made once.
pytestmark = pytest.mark.xdist_group("learned")

HERE = World(candidates=64, culprit=41, effect=0.08, noise=0.03)
SEEDS = range(8)


def job(world: World, known: Calibration | None = None, **changes: object) -> Investigation:
    """A finished job on `world` that began with what was `known`."""
    simulation = Simulation(world)
    try:
        asked = simulation.request(search=Search(descend=False, min_effect=0.03))
        return simulation.run(replace(asked, noise=known, **changes))  # type: ignore[arg-type]
    finally:
        simulation.close()


@cache
def past(layout: float) -> Calibration:
    """What four jobs showed, each with its culprit elsewhere, on a host where builds deviate by `layout`."""
    known: Calibration | None = None
    for number in range(4):
        shown = learned(job(replace(HERE, candidates=32, culprit=7 + 5 * number, layout=layout, seed=100 + number)))
        known = known if shown is None else merged(known, shown)
    assert known is not None
    return known


@cache
def alike() -> tuple[Investigation, ...]:
    """Jobs on a host where builds do not differ."""
    worlds = [replace(HERE, candidates=32, culprit=7 + seed, seed=300 + seed) for seed in range(16)]
    return tuple(job(each) for each in worlds)


def shaken(done: Investigation, factors: FloatArray) -> Investigation:
    """The same job with every run longer by a factor of its own."""
    taken = [
        replace(sample, values={name: value * factor for name, value in sample.values.items()})
        for sample, factor in zip(done.samples, factors, strict=True)
    ]
    return replace(done, samples=tuple(taken))


def seen(jobs: Iterable[Investigation]) -> list[Calibration]:
    """What each four of the jobs showed together."""
    shown = [each for each in map(learned, jobs) if each is not None]
    return [reduce(merged, shown[at : at + 4]) for at in range(0, len(shown), 4)]


def answers(world: World, known: Calibration | None) -> tuple[int, list[Verdict]]:
    """Runs, and what was answered, over the seeds."""
    found = [job(replace(world, seed=seed), known) for seed in SEEDS]
    return sum(each.runs() for each in found), [each.verdict for each in found if each.verdict is not None]


def named_right(world: World, told: list[Verdict]) -> int:
    """Answers that name the culprit and nothing else."""
    named = [each for each in told if each.kind in {VerdictKind.CULPRIT, VerdictKind.SEVERAL}]
    return sum([culprit.place.index for culprit in each.culprits] == [world.culprit] for each in named)


def held(world: World, told: list[Verdict]) -> int:
    """The same with sets that hold it, as where the luck of a build could explain the culprit."""
    return sum(len(each.culprits) == 1 and world.culprit in each.culprits[0].members for each in told)


def test_noise_and_the_deviation_of_builds_are_learned() -> None:
    alike, apart = past(0.0), past(0.03)
    assert alike.sigma == pytest.approx(0.03, rel=0.25)
    assert apart.sigma == pytest.approx(0.03, rel=0.25)
    assert alike.tau < 0.012
    assert apart.tau == pytest.approx(0.03, rel=0.5)
    assert (alike.jobs, apart.jobs) == (4, 4)


def test_builds_that_never_differed_are_not_suspected_and_those_that_did_are() -> None:
    usual = Settings()
    assert informed(usual, past(0.0)).tau_prior[0] > 0.6 > usual.tau_prior[0]
    assert informed(usual, past(0.03)).tau_prior[0] < 0.15
    assert min(informed(usual, past(0.0)).tau_prior) > 0.05 * min(usual.tau_prior) * 0.99


def test_runs_within_bursts_tell_neither_of_a_drift_nor_of_builds() -> None:
    """An eighth of the runs, five in a row, take twice as long."""
    usual = Settings()
    bursts = []
    for seed, done in enumerate(alike()):
        draw = np.random.default_rng(seed)
        slow = np.repeat(draw.random(len(done.samples) // 5 + 1) < 0.125, 5)[: len(done.samples)]
        bursts.append(shaken(done, np.where(slow, 2.0, 1.0)))
    known = [informed(usual, each) for each in seen(bursts)]
    assert all(each.prior_drift < usual.prior_drift for each in known)
    assert sum(each.tau_prior[0] > usual.tau_prior[0] for each in known) >= 3
    assert np.median([each.sigma for each in map(learned, bursts) if each is not None]) < 2 * HERE.noise


def test_a_burst_over_the_last_runs_of_the_ends_is_no_drift() -> None:
    """A small change, for which the ends are run often; of each the last three runs take twice as long."""
    done = job(replace(HERE, candidates=32, culprit=20, effect=0.04, seed=3))
    factors = np.ones(len(done.samples))
    for end in (main(0), main(32)):
        own = [number for number, sample in enumerate(done.samples) if sample.place == end]
        assert len(own) >= 6
        factors[own[-3:]] = 2.0
    known = learned(shaken(done, factors))
    assert known is not None
    assert known.drift == 0.0


def test_a_level_that_walks_is_seen() -> None:
    usual = Settings()
    walks = [
        shaken(done, np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, len(done.samples)))))
        for seed, done in enumerate(alike())
    ]
    assert sum(informed(usual, each).prior_drift > usual.prior_drift for each in seen(walks)) >= 3


@pytest.mark.long
def test_where_the_past_holds_it_costs_less() -> None:
    (before, _), (after, told) = (answers(HERE, known) for known in (None, past(0.0)))
    assert after < before
    assert named_right(HERE, told) == len(SEEDS)


@pytest.mark.long
def test_where_the_past_no_longer_holds_it_is_right_as_often() -> None:
    """Builds that never differed begin to: 0.8 of the noise of a run."""
    world = replace(HERE, layout=0.025)
    (_, told), (_, before) = (answers(world, known) for known in (past(0.0), None))
    wrong, wrong_before = (sum(bool(v.culprits) for v in each) - held(world, each) for each in (told, before))
    assert wrong <= wrong_before + 1
    assert held(world, told) >= held(world, before) - 1


@cache
def odd_past(gap: float) -> Calibration:
    """What four jobs showed on a host where one build in four lies off by `gap`."""
    known: Calibration | None = None
    for number in range(4):
        world = replace(HERE, candidates=32, culprit=7 + 5 * number, odd=gap, seed=100 + number)
        shown = learned(job(world, known))
        known = known if shown is None else merged(known, shown)
    assert known is not None
    return known


@pytest.mark.parametrize("gap", [0.2, -0.2])
def test_two_kinds_of_builds_are_learned_and_are_no_deviation_and_no_drift(gap: float) -> None:
    known = odd_past(gap)
    assert known.gap == pytest.approx(np.log1p(gap), rel=0.2)
    assert known.tau < 0.015
    assert known.drift == 0.0
    told = informed(Settings(), known)
    assert told.gap == abs(known.gap)


def test_where_builds_are_no_longer_of_two_kinds_that_is_forgotten() -> None:
    known = odd_past(0.2)
    done = [job(replace(HERE, candidates=32, culprit=9 + seed, seed=500 + seed), known) for seed in range(4)]
    shown = [each for each in map(learned, done) if each is not None]
    assert [each.gap for each in shown] == [0.0] * len(done)


def test_runs_that_are_not_of_the_line_are_learned_from_as_well() -> None:
    """The good commit lies beside the line, and its runs stand among those of the line."""
    done = job(replace(HERE, candidates=32, culprit=17, odd=0.2, seed=102))
    beside = tuple(replace(s, place=ASIDE) if s.place == main(16) else s for s in done.samples)
    assert {s.place for s in beside} != {s.place for s in done.samples}, "it was run"
    shown, before = learned(replace(done, samples=beside)), learned(done)
    assert shown is not None
    assert before is not None
    assert shown.within == before.within, "each of its runs"


def test_what_is_learned_of_kinds_is_of_the_metric_whichever_way_it_was_looked_at() -> None:
    done = job(replace(HERE, candidates=32, culprit=17, odd=0.2, seed=102))
    better = replace(done.request, search=replace(done.request.search, direction=Direction.BETTER))
    either_way = [learned(done), learned(replace(done, request=better))]
    assert [each.gap for each in either_way if each is not None] == pytest.approx([np.log1p(0.2)] * 2, rel=0.2)


def test_a_machine_that_drifts_does_not_tell_of_kinds() -> None:
    """Job 2 drifts so that it is the likelier case."""
    known, done = odd_past(0.2), alike()[2]
    walk = np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.03, len(done.samples))))
    told = [learned(shaken(replace(done, request=replace(done.request, noise=n)), walk)) for n in (None, known)]
    assert [each.gap for each in told if each is not None] == [0.0, known.gap]


def test_a_job_that_cannot_tell_leaves_what_was_known_of_two_kinds() -> None:
    known = odd_past(0.2)
    compared = learned(job(replace(HERE, candidates=2, culprit=1, effect=0.02), known, kind=JobKind.COMPARE))
    assert compared is not None
    assert compared.gap == known.gap
    elsewhere = replace(known, metric="bytes")
    other = learned(job(replace(HERE, candidates=2, culprit=1, effect=0.02), elsewhere, kind=JobKind.COMPARE))
    assert other is not None
    assert other.gap == 0.0


def test_a_comparison_says_nothing_of_builds() -> None:
    shown = learned(job(replace(HERE, candidates=2, culprit=1, effect=0.02), kind=JobKind.COMPARE))
    assert shown is not None
    assert (shown.builds, shown.tau) == (1, 0.0)
    assert informed(Settings(), shown).tau_prior == pytest.approx(Settings().tau_prior)


def test_nothing_is_learned_from_few_runs_or_from_none_that_differ_or_of_another_statistic() -> None:
    done = job(HERE)
    assert learned(done) is not None
    assert learned(replace(done, samples=done.samples[:10])) is None
    assert learned(replace(done, verdict=None)) is None
    equal = tuple(replace(s, values=dict.fromkeys(s.values, 1.0)) for s in done.samples)
    assert learned(replace(done, samples=equal)) is None
    many = tuple(
        replace(s, order=10 * s.order + k, values={"seconds": s.values["seconds"] * (1 + 0.001 * k)})
        for s in done.samples
        if s.counts
        for k in range(10)
    )
    mean = replace(done.request, search=replace(done.request.search, across=Across.MEAN))
    assert learned(replace(done, samples=many)) is not None
    assert learned(replace(done, samples=many, request=mean)) is None


def test_what_another_job_measured_is_not_learned_twice() -> None:
    done = job(HERE)
    own = tuple(s for s in done.samples if s.purpose is not Purpose.ENDS or s.order % 4 < 2)
    mixed = tuple(s if s in own else replace(s, adopted_from="9") for s in done.samples)
    assert any(s.adopted_from for s in mixed)
    assert learned(replace(done, samples=mixed)) == learned(replace(done, samples=own))


kept = st.builds(
    Calibration,
    metric=st.just("m"),
    runs=st.integers(1, 20),
    builds=st.integers(1, 80),
    level=st.floats(0.1, 10),
    sigma=st.floats(0.001, 0.1),
    tau=st.floats(0, 0.1),
    between=st.floats(0, 0.01),
    autocorrelation=st.floats(-1, 1),
    drift=st.floats(-0.1, 0.1),
    gap=st.sampled_from([0.0, 0.2, -0.1]),
    within=st.integers(6, 500),
    neighbours=st.integers(0, 200),
    jobs=st.integers(1, 9),
)


@given(kept, kept)
def test_what_is_merged_lies_between_and_stays_a_prior(one: Calibration, other: Calibration) -> None:
    found = merged(one, other)
    assert min(one.sigma, other.sigma) * 0.999 <= found.sigma <= max(one.sigma, other.sigma) * 1.001
    assert found.jobs == one.jobs + other.jobs
    assert found.gap == other.gap, "a job knew what was known before"
    assert found.builds >= other.builds
    told = informed(Settings(), found)
    assert sum(told.tau_prior) == pytest.approx(1)
    assert 0 < told.prior_drift < 1


@given(kept, kept)
def test_of_builds_only_jobs_tell_where_a_commit_builds_the_same_each_time(
    one: Calibration, other: Calibration
) -> None:
    found = merged(replace(one, same_build=True), other)
    assert found.builds == other.builds
    assert found.same_build == (other.builds == 1)
    if other.builds > 1:
        ratios = [each.between / each.sigma**2 for each in (found, other)]
        assert ratios[0] == pytest.approx(ratios[1])


@given(kept)
def test_what_was_known_long_ago_fades(one: Calibration) -> None:
    many = one
    for _ in range(20):
        many = merged(many, replace(one, sigma=0.05, builds=11, within=60, between=0.0025))
    assert many.sigma == pytest.approx(0.05, rel=0.05)
