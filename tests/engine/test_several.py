"""Several changes in one range, on simulated worlds: who is named, with which part, and what it costs a single one."""

import math
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import CulpritNamed
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget
from bisector.core.model.samples import Purpose
from bisector.core.model.verdict import Change, Culprit, InnerKind, Reason, Verdict, VerdictKind
from bisector.core.search import several
from bisector.report.compose import JobFacts, report_of
from bisector.report.document import CulpritPart
from tests.helpers.simulated import Simulation, simulate

TWO = World(candidates=64, culprit=20, effect=0.1, noise=0.01, also="45:0.1")
FIXED = World(candidates=64, culprit=20, effect=0.15, noise=0.01, also="45:-0.06")
THREE = World(candidates=64, culprit=20, effect=0.15, noise=0.01, also="35:0.2/50:-0.08")
CREEP = World(candidates=64, noise=0.01, creep=0.3)


def answer(investigation: Investigation) -> Verdict:
    assert investigation.verdict is not None
    return investigation.verdict


def places(culprits: tuple[Culprit, ...]) -> list[int]:
    return [culprit.place.index for culprit in culprits]


def parts(investigation: Investigation) -> tuple[tuple[CulpritPart, ...], tuple[CulpritPart, ...]]:
    told = report_of(investigation, JobFacts(state="done"))
    return told.culprits, told.opposite


def holds(change: Change | None, effect: float) -> bool:
    return change is not None and change.low <= effect <= change.high


@pytest.mark.parametrize("seed", range(5))
def test_two_culprits_are_both_named_verified_and_share_the_change(seed: int) -> None:
    found = simulate(replace(TWO, seed=seed))
    assert answer(found).kind is VerdictKind.SEVERAL
    assert sorted(places(answer(found).culprits)) == [20, 45]
    assert all(culprit.verified and culprit.probability > 0.95 for culprit in answer(found).culprits)
    culprits, opposite = parts(found)
    assert not opposite
    for culprit in culprits:
        assert culprit.share_low is not None
        assert culprit.share_high is not None
        assert culprit.share_low <= 0.5 <= culprit.share_high
    assert sum(culprit.share or 0 for culprit in culprits) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_a_second_culprit_takes_more_pairs_than_fit_into_one_swing_of_the_host(seed: int) -> None:
    found = simulate(replace(TWO, seed=seed, effect=0.5, also="45:0.5"))
    second = found.named[1].culprit.place
    fresh = [each for each in found.samples if each.purpose is Purpose.VERIFY and each.place == second]
    assert len(fresh) >= 6


@pytest.mark.parametrize("seed", range(5))
def test_a_partial_fix_is_told_apart_from_the_culprit(seed: int) -> None:
    found = simulate(replace(FIXED, seed=seed))
    assert answer(found).kind is VerdictKind.CULPRIT
    assert places(answer(found).culprits) == [20]
    assert places(answer(found).opposite) == [45]
    (culprit,), (fix,) = parts(found)
    whole = math.log(1.15 * 0.94)
    for part, effect in ((culprit, 1.15), (fix, 0.94)):
        assert part.share_low is not None
        assert part.share_high is not None
        assert part.share_low <= math.log(effect) / whole <= part.share_high
    assert fix.share is not None
    assert fix.share < 0 < 1 < (culprit.share or 0)


def test_the_largest_culprit_comes_first_and_a_merge_is_looked_into() -> None:
    found = simulate(replace(TWO, culprit=35, effect=0.2, also="36:0.1"))
    assert places(answer(found).culprits) == [35, 36]
    merges = simulate(replace(TWO, also="36:0.2"))
    largest, other = answer(merges).culprits
    assert (largest.place.index, other.place.index) == (36, 20)
    assert largest.inner is not None
    assert largest.inner.kind is InnerKind.INTERACTION
    assert other.inner is None


def test_changes_at_neighbouring_commits_are_told_apart() -> None:
    found = simulate(replace(TWO, culprit=21, also="22:0.2"))
    assert sorted(places(answer(found).culprits)) == [21, 22]


def test_a_single_change_is_found_as_before_and_costs_hardly_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def runs() -> int:
        jobs = [simulate(World(candidates=64, culprit=21, effect=0.1, noise=0.02, seed=seed)) for seed in range(10)]
        assert all(places(answer(job).culprits) == [21] and not answer(job).opposite for job in jobs)
        return sum(job.runs() for job in jobs)

    looking = runs()
    monkeypatch.setattr(several, "next_in_parts", lambda *_: None)
    assert looking <= 1.05 * runs()


def test_a_job_killed_after_the_first_was_named_goes_on_to_the_same_answer() -> None:
    simulation = Simulation(TWO)
    try:
        done = simulation.run()
        facts = simulation.ports.store.facts(done.job)
        named = next(number for number, fact in enumerate(facts) if isinstance(fact, CulpritNamed))
        other = Simulation(TWO)
        job = other.ports.store.create(other.request())
        for fact in facts[: named + 1]:
            other.ports.store.append(job, fact)
        again = other.work(job)
        other.close()
        assert set(places(answer(again).culprits)) == set(places(answer(done).culprits))
        assert again.named[0] == done.named[0]
    finally:
        simulation.close()


def test_what_was_named_stands_when_the_budget_ends_the_search() -> None:
    whole = simulate(THREE)
    first = next(plan.number for plan in whole.plans if type(plan.step).__name__ == "NameCulprit")
    spent = sum(sample.step <= first and sample.purpose != "warmup" for sample in whole.samples)
    found = simulate(THREE, budget=Budget(runs=spent + 4))
    assert answer(found).reason is Reason.BUDGET
    assert answer(found).culprits[0].verified
    assert found.runs() <= spent + 4


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_creep_is_said_to_be_one_and_nobody_is_blamed(seed: int) -> None:
    found = simulate(replace(CREEP, seed=seed))
    assert (answer(found).kind, answer(found).reason) == (VerdictKind.INCONCLUSIVE, Reason.CREEP)
    assert answer(found).culprits == ()
    assert holds(answer(found).change, 0.3)
    assert found.runs() < 120


@pytest.mark.parametrize("also", ["48:0.1", "24:0.1/40:0.1/56:0.1"])
def test_a_staircase_is_not_taken_for_a_creep(also: str) -> None:
    found = simulate(replace(TWO, culprit=8, also=also))
    steps = [8, *(int(part.split(":")[0]) for part in also.split("/"))]
    assert answer(found).kind is VerdictKind.SEVERAL
    assert sorted(places(answer(found).culprits)) == steps
