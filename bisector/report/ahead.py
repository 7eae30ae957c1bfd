"""Building ahead in words: what is going to be done about it, and what was."""

from collections.abc import Iterator

from bisector.core.model.facts import Disturbed
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.steps import BuildPlace
from bisector.core.search.ahead import measured_on, room
from bisector.report import numbers


def prospect(request: Request, processors: int) -> str | None:
    """What is built ahead on a host with so many processors; None where nobody asked and nothing is."""
    builds = room(request, processors)
    if builds:
        others = numbers.count(processors - measured_on(request), "other processor")
        return f"building ahead: up to {numbers.count(builds, 'build')} beside the step in hand, on {others}"
    if request.jobs is None or request.jobs < 2:
        return None
    if not processors:
        return "building ahead: off, this engine cannot tie containers to processors of their own"
    return f"building ahead: off, the runs take {_all(processors)}, and a build beside them would disturb them"


def review(investigation: Investigation) -> Iterator[str]:
    """What was built ahead, and what was seen of it in the runs beside."""
    asked = {(p.step.place, p.step.number) for p in investigation.plans if isinstance(p.step, BuildPlace)}
    ahead = {unit for unit, build in investigation.builds.items() if not build.reused and unit not in asked}
    if ahead:
        idle = len(ahead - {(sample.place, sample.number) for sample in investigation.samples})
        vain = f"; {numbers.whole(idle)} of them turned out not to be needed" if idle else ""
        made = numbers.count(investigation.builds_made(), "build")
        yield f"{numbers.whole(len(ahead))} of {made} {'was' if len(ahead) == 1 else 'were'} made ahead{vain}."
    if investigation.disturbed is not None:
        yield (
            f"{disturbed(investigation.disturbed)}: from then on nothing was built beside runs, and those that had one "
            "beside them were left aside."
        )
        return
    beside = sum(sample.beside and sample.counts and not sample.adopted_from for sample in investigation.samples)
    if beside:
        yield f"{numbers.count(beside, 'run')} had a build beside {'it' if beside == 1 else 'them'}; no harm was seen."


def disturbed(found: Disturbed) -> str:
    """How runs beside a build differed from those alone."""
    how = f"lay {numbers.percent(found.slower, signed=True)} from those alone"
    if found.louder > 1:
        how += f" and {found.louder:.1f} times as far from their level"
    return f"{numbers.count(found.beside, 'run')} beside a build {how} ({numbers.whole(found.alone)})"


def _all(processors: int) -> str:
    return "the only processor" if processors == 1 else f"all {numbers.whole(processors)} processors"
