"""What a report says of an exponent: the classes on both sides, and from which size on they part."""

from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Fact
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Sample
from bisector.core.model.scenario import Metric
from bisector.core.search.outlook import outlook
from bisector.report.basis import Basis
from bisector.report.growth import notes_of_growth
from bisector.report.notes import notes_of
from tests.report.worlds import facts_of

SIZES = (1000, 2000, 4000, 8000, 16000, 32000)
WORLD = World(candidates=8, culprit=4)


def told(old: float, new: float, *, parts_at: float = 500, fixed: bool = True) -> list[str]:
    """What is said of times that grow by one exponent at good and by another, from a size on, at bad."""

    def with_times(fact: Fact) -> Fact:
        if not isinstance(fact, Sample):
            return fact
        late = fact.place.index >= 4 and fact.place.line == main(0).line
        times = {n: 0.02 + (n / 1000) ** old * 0.01 for n in SIZES}
        if late:
            there = (parts_at / 1000) ** old * 0.01
            times = {n: max(t, 0.02 + there * (n / parts_at) ** new) for n, t in times.items()}
        zero = {"k at 0": 0.02} if fixed else {}
        return replace(fact, values={"k": 2.0 if late else 1.0, **zero, **{f"k at {n}": t for n, t in times.items()}})

    request, facts = facts_of(WORLD)
    run = replace(request.scenario.run, sizes=SIZES, size_zero=fixed)
    metrics = (Metric(name="k", source="growth"),)
    request = replace(request, scenario=replace(request.scenario, run=run, metrics=metrics), metrics=("k",))
    done = Investigation.replay("1", request, [with_times(fact) for fact in facts])
    found = outlook(done)
    assert found is not None
    said = list(notes_of_growth(found))
    assert all(note in [str(each) for each in notes_of(Basis.of(done, "done"), None)] for note in said)
    return said


def test_a_square_that_takes_over_is_said_with_the_size() -> None:
    (note,) = told(1.0, 2.0, parts_at=2000)
    assert note.startswith("O(n) → O(n²) from n ≈ 2,")
    assert "n^1.00 at good" in note
    assert note.endswith("at bad from there on.")


@pytest.mark.parametrize("fixed", [True, False])
def test_what_differs_at_every_size_is_said_so(fixed: bool) -> None:
    (note,) = told(1.0, 3.0, fixed=fixed)
    assert note.startswith("O(n) → O(n³) from n = 1,000 at the latest, the smallest size: ")


def test_what_is_of_no_class_is_said_by_its_exponent() -> None:
    (note,) = told(1.5, 1.5)
    assert note.startswith("O(n^1.5) at both ends: ")
