"""Priors in whole jobs on simulated worlds: a right one saves runs, a wrong one costs some and misleads nobody."""

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Search
from bisector.core.model.verdict import VerdictKind
from tests.helpers.simulated import simulate

DOCS = "/".join(str(index) for index in range(1, 65) if index % 4)
"""Three of four commits seem to change only documentation."""
SEEDS = range(8)


def jobs(culprit: int, *, docs: str = "", prior: bool = True, suspects: tuple[str, ...] = ()) -> list[Investigation]:
    search = Search(descend=False, prior=prior, suspects=suspects)
    world = {"candidates": 64, "culprit": culprit, "effect": 0.1, "noise": 0.02, "docs": docs}
    return [simulate(World(seed=seed, **world), search=search) for seed in SEEDS]  # type: ignore[arg-type]


def named(investigation: Investigation) -> tuple[int, ...]:
    assert investigation.verdict is not None
    assert investigation.verdict.kind is VerdictKind.CULPRIT
    return investigation.verdict.culprits[0].members


def spent(done: list[Investigation]) -> int:
    return sum(job.runs() + 5 * job.builds_made() for job in done)


def test_a_right_prior_saves() -> None:
    with_it, without = jobs(20, docs=DOCS), jobs(20, docs=DOCS, prior=False)
    assert {named(job) for job in (*with_it, *without)} == {(20,)}
    assert spent(with_it) < spent(without)


@pytest.mark.long
def test_a_culprit_that_seems_to_change_only_documentation_is_found_later() -> None:
    with_it, without = jobs(21, docs=DOCS), jobs(21, docs=DOCS, prior=False)
    assert {named(job) for job in (*with_it, *without)} == {(21,)}
    assert spent(with_it) > spent(without)


@pytest.mark.parametrize("suspect", ["45", "1", pytest.param("64", marks=pytest.mark.long)])
def test_a_wrong_suspicion_misleads_nobody(suspect: str) -> None:
    assert {named(job) for job in jobs(21, suspects=(suspect,))} == {(21,)}


def test_a_right_suspicion_saves() -> None:
    assert spent(jobs(21, suspects=("21",))) < spent(jobs(21))


def test_where_nothing_changes_a_prior_blames_nobody() -> None:
    search = Search(suspects=("21",))
    for seed in SEEDS:
        verdict = simulate(World(candidates=64, noise=0.02, docs=DOCS, seed=seed), search=search).verdict
        assert verdict is not None
        assert verdict.kind is VerdictKind.NOT_REPRODUCED
