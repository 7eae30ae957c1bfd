"""Page faults beside a change of time are told where runs surely differ in them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bisector.core.model.history import Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import Reason, Verdict, VerdictKind
from bisector.report.phrase import plain
from tests.report.worlds import by_verdict, report

DONE = by_verdict()["culprit"]
CULPRIT = DONE.verdict.culprits[0].place if DONE.verdict is not None else main(0)
PARENT = main(CULPRIT.index - 1)


def told(investigation: Investigation, faults: Mapping[Place, tuple[int, ...]]) -> list[str]:
    """The notes on page faults where the runs of a place take `faults` in turn, and those of others none."""
    samples, seen = [], dict.fromkeys(faults, 0)
    for sample in investigation.samples:
        if sample.place in faults and sample.usage is not None:
            of = faults[sample.place]
            count = of[seen[sample.place] % len(of)]
            seen[sample.place] += 1
            samples.append(replace(sample, usage=replace(sample.usage, page_faults=count)))
        else:
            samples.append(sample)
    notes = report(replace(investigation, samples=tuple(samples))).notes
    return [text for note in notes if (text := plain(note)).startswith("Page faults")]


@pytest.mark.parametrize(("before", "after"), [((4000, 4100), (9000, 9200)), ((9000, 9200), (4000, 4100))])
def test_more_or_fewer_are_told_of_the_culprit(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    (note,) = told(DONE, {PARENT: before, CULPRIT: after})
    of = f"in a run of {DONE.commit(CULPRIT).sha[:10]}"
    assert of in note
    more, fewer = note.split(of)
    assert ("9," in more, "4," in more) == ("4," in fewer, "9," in fewer) == (after > before, after < before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((4000, 4100), (4000, 9200)),  # runs of one lie among those of the other
        ((4000, 4100), (4700, 4800)),  # less than a quarter more
        ((400, 410), (900, 920)),  # too few to take time
        ((0,), (9000, 9200)),  # not known before
        ((4000, *[0] * 99), (9000, 9200)),  # known of one run
    ],
)
def test_what_may_be_chance_or_matters_little_is_not(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    assert told(DONE, {PARENT: before, CULPRIT: after}) == []


def test_a_job_that_ended_before_its_commits_were_listed_has_none() -> None:
    verdict = Verdict(kind=VerdictKind.INCONCLUSIVE, reason=Reason.BUDGET)
    assert told(replace(DONE, history=None, builds={}, samples=(), verdict=verdict), {}) == []


@pytest.mark.parametrize("source", ["page_faults", "peak_memory", "instructions"])
def test_of_what_is_no_time_nothing_is_said(source: str) -> None:
    metric = Metric(name="seconds", source=source, exact=source == "instructions")
    scenario = replace(DONE.request.scenario, metrics=(metric,))
    other = replace(DONE, request=replace(DONE.request, scenario=scenario))
    assert told(other, {PARENT: (4000, 4100), CULPRIT: (9000, 9200)}) == []
