"""Facts survive their text, whatever is in them."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.captures import ChangeKind, ChangeSeen
from bisector.core.model.facts import BuildRecorded, Fact
from bisector.core.model.history import Commit, main
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome
from bisector.errors import StoreError
from bisector.formats.facts import (
    fact_from_text,
    fact_to_object,
    fact_to_text,
    kind_of,
    request_from_text,
    request_to_text,
)
from tests.helpers.lines import name
from tests.helpers.simulated import Simulation


def recorded() -> tuple[Request, list[Fact]]:
    simulation = Simulation(World(candidates=16, culprit=8, unbuildable=0.2, infra=0.05, seed=2))
    try:
        investigation = simulation.run()
    finally:
        simulation.close()
    return investigation.request, simulation.ports.store.facts("1")


def test_every_fact_of_a_job_survives() -> None:
    request, facts = recorded()
    assert len({kind_of(fact) for fact in facts}) >= 6
    for fact in facts:
        assert fact_from_text(kind_of(fact), fact_to_text(fact)) == fact
        assert isinstance(fact_to_object(fact), dict)
    assert request_from_text(request_to_text(request)) == request


def test_a_build_of_before_packages_were_noted_reads_without_them() -> None:
    fact = BuildRecorded(place=main(1), number=0, build=Build(key="k", outcome=Outcome.OK, packages={"python:a": "1"}))
    record = json.loads(fact_to_text(fact))
    assert fact_from_text("BuildRecorded", json.dumps(record)) == fact
    del record["build"]["packages"]
    old = fact_from_text("BuildRecorded", json.dumps(record))
    assert old == replace(fact, build=replace(fact.build, packages=None))


def test_a_look_of_before_kinds_were_told_is_about_a_commit_and_its_parent() -> None:
    old = fact_from_text("ChangeSeen", '{"place": {"line": "main", "index": 4}, "files": ["a.py"], "left_out": 0}')
    assert isinstance(old, ChangeSeen)
    assert (old.kind, old.packages, old.submodules) == (ChangeKind.COMMIT, (), ())
    assert old.is_of(main(4), main(3))
    assert not old.is_of(main(5), main(3))
    assert not replace(old, parent=main(0)).is_of(main(4), main(3))


@given(st.text(), st.text())
def test_a_strange_subject_survives(subject: str, author: str) -> None:
    from bisector.core.model.facts import HistoryListed
    from bisector.core.model.history import linear_line

    commit = Commit(sha=name(1), tree=name(2), parents=(), time=0, author=author, subject=subject)
    fact = HistoryListed(line=linear_line(commit, [commit]))
    assert fact_from_text(kind_of(fact), fact_to_text(fact)) == fact


@pytest.mark.parametrize(
    ("kind", "text"),
    [("Unheard", "{}"), ("Sample", "{}"), ("Planned", '{"number": 1}'), ("Sample", "not json"), ("Planned", "[]")],
)
def test_a_fact_that_cannot_be_read_is_said_so(kind: str, text: str) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        fact_from_text(kind, text)


def test_what_was_kept_before_there_were_duets_brackets_and_runs_in_parallel_still_reads() -> None:
    request, facts = recorded()
    old = json.loads(request_to_text(request))
    del old["duet"], old["parallel"], old["search"]["bracket"]
    assert request_from_text(json.dumps(old)) == request
    for fact in facts:
        record = json.loads(fact_to_text(fact))
        for lately in ("partner", "lane"):
            record.pop(lately, None)
        if isinstance(record.get("step"), dict):
            record["step"].pop("duet", None)
            record["step"].pop("parallel", None)
        assert fact_from_text(kind_of(fact), json.dumps(record)) == fact
