"""Builds of two kinds: the report says so, and tells the change without their luck."""

import re
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Search
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.build_models import Kinds
from bisector.core.search.outlook import outlook
from bisector.report.kinds import kinds_told
from bisector.report.phrase import plain
from tests.report.worlds import finished, report

ODD = World(candidates=64, culprit=40, effect=0.1, noise=0.02, odd=0.25, build=3.0)
"""One build in four is a quarter slower, the culprit a tenth."""


def noise_row(done: Investigation) -> str:
    """What the report says of runs and builds."""
    return next(plain(row.grounds) for row in report(done).evidence if plain(row.label) == "Noise")


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_the_report_says_how_many_builds_are_odd_and_the_change_is_told_without_them(seed: int) -> None:
    world = replace(ODD, seed=seed)
    told = re.search(r"; (\d+) of (\d+) builds lie ([\d.]+) % above the others$", noise_row(finished(world)))
    assert told is not None
    odd, builds, apart = (float(each) for each in told.groups())
    assert 0.05 < odd / builds < 0.5
    assert apart == pytest.approx(25, abs=4)
    verdict = finished(world).verdict
    assert verdict is not None
    change = verdict.culprits[0].change
    assert verdict.culprits[0].place.index == 40
    assert change is not None
    assert change.low < 0.1 < change.high
    assert change.high - change.low < 0.12, "as wide as odd builds lie apart where they are taken for its doing"


@pytest.mark.parametrize(("gap", "side"), [(0.22, "above"), (-0.22, "below")])
def test_kinds_that_are_known_and_do_not_show_are_told_as_such(gap: float, side: str) -> None:
    """Of the few builds of a small job none need be odd: the two kinds are then known from before alone."""
    found = outlook(finished(World(candidates=8, culprit=4, noise=0.02)))
    assert found is not None
    assert found.posterior is not None
    told = kinds_told(replace(found, posterior=replace(found.posterior, kinds=Kinds(gap=gap))))
    assert told is not None
    assert re.fullmatch(rf"none of \d+ builds lies [\d.]+ % {side} the others, as some did before", told), told


def test_of_builds_that_are_alike_the_report_says_what_a_build_adds() -> None:
    assert "a build adds" in noise_row(finished(World(candidates=64, culprit=40, noise=0.02)))


def test_a_parent_with_a_build_of_each_kind_takes_no_name_away() -> None:
    """Its two builds lie as far apart as odd ones do: that is known, and no luck beyond it."""
    verdict = finished(replace(ODD, candidates=32, culprit=20, seed=10), search=Search(descend=False)).verdict
    assert verdict is not None
    assert verdict.kind is VerdictKind.CULPRIT
    control = verdict.culprits[0].control
    assert control is not None
    assert not control.luck
    assert control.difference is not None
    assert control.culprit is not None
    assert control.difference.relative == pytest.approx(0, abs=0.06)
    assert control.culprit.relative == pytest.approx(0.1, abs=0.03)
