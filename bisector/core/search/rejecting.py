"""Runs that something else disturbed: made again, but not for ever. A host that is never quiet gets its answer, too."""

from dataclasses import replace

from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Outcome, Purpose, Sample

MOST_AGAIN = 2
"""How often one run is made again."""
SHARE = 0.25
"""Part of all runs that may be left aside,"""
FEWEST = 4
"""but so many in any case."""


def weighed(samples: tuple[Sample, ...], investigation: Investigation) -> tuple[Sample, ...]:
    """The samples of a run, or of those made at the same moment, as they are recorded: all left aside where one
    was disturbed and there is room for it, else as they are, with what disturbed them kept."""
    found = [sample for sample in samples if sample.disturbed and _matters(sample, investigation)]
    if not found or not _has_room(samples, investigation):
        return samples
    reason = found[0].disturbed
    return tuple(replace(each, outcome=Outcome.DISTURBED, values={}, reason=reason) for each in samples)


def _matters(sample: Sample, investigation: Investigation) -> bool:
    """Whether its value is compared, and depends on what else ran."""
    exact = all(metric.exact for metric in investigation.request.asked)
    return sample.outcome is Outcome.OK and sample.purpose is not Purpose.WARMUP and not exact


def _has_room(samples: tuple[Sample, ...], investigation: Investigation) -> bool:
    aside = [each for each in investigation.samples if each.outcome is Outcome.DISTURBED and not each.adopted_from]
    slots = {(sample.step, sample.order) for sample in samples}
    again = max(sum((each.step, each.order) == slot for each in aside) for slot in slots)
    return again < MOST_AGAIN and len(aside) < max(FEWEST, SHARE * investigation.runs())
