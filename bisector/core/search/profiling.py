"""When and what to profile: both sides of what is about to be named, before the verdict is concluded."""

from collections.abc import Sequence
from math import ceil

from bisector.core.model.history import LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import CaptureSlot, ProfilerName, interleaved, looks_like_python
from bisector.core.model.request import JobKind
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import Metric, Scenario
from bisector.core.model.steps import ProfileSides, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Change, Verdict, VerdictKind

MOST_PAIRS = 3
"""Culprits whose sides are profiled, where there are several."""
FEWEST_SAMPLES, MOST_SAMPLES = 400, 6000
"""Of one capture. Between them as many as the change needs to stand out.

With n samples a side the cost of a function that takes the share s differs between two equal sides by chance with a
standard deviation of sqrt(2 s (1 - s) / n) of the whole: three captures of 400 tell a tenth of the whole to ±2.4 %
of it at 95 %, and none worse than ±4 %.
"""
LONGEST_SIDE: Seconds = 20.0
"""The sampled captures of one side together: no run is begun that would be over later, but for the first of each."""
LONGEST_COUNT: Seconds = 90.0
"""A counting run that would take longer is left out, and that is said."""
SHORT_RUN_SAMPLES = 40
"""Of one run; the rate is raised for a program too short for so many,"""
HIGHEST_RATE = 1000
"""up to so many a second, beyond which profilers do little else than sample,"""
HIGHEST_RATES = {ProfilerName.PY_SPY: 250}
"""and what falls behind before: py-spy stops the program to read its stacks. At 555 a second, of a program of 118 ms in
a container, it told importing as twice what it takes; at 255 as it is."""
WHOLE = 12.0
"""Samples of a side that show a change of everything by all of itself, well beyond their own noise."""

MOST_OF_MEMORY = 2
"""Captures of a side for a size, which hardly differs from run to run and takes long to capture."""

Pair = tuple[Place, Place]


def profile_first(investigation: Investigation, verdict: Verdict, elapsed: Seconds) -> Step | None:
    """The step that profiles the sides of what `verdict` names; None where that is done, not wanted or of no use."""
    request = investigation.request
    recipe = request.scenario.profile
    budget = request.budget.seconds
    spent = budget is not None and elapsed >= budget
    unwanted = not request.profile or recipe.profiler == "none"
    if unwanted or spent or _is_planned(investigation):
        return None
    pairs = pairs_of(investigation, verdict)
    if not pairs:
        return None
    sides = list(dict.fromkeys(place for pair in pairs for place in pair))
    wanted, much = _samples_wanted(verdict.change, recipe.captures), ""
    if not is_memory(investigation.metric):
        much = f", about {wanted} samples a capture"
    return ProfileSides(
        pairs=pairs,
        slots=slots_of(sides, request.scenario, investigation.metric),
        samples=wanted,
        reason=f"why: both sides in turns, apart from the measured runs{much}",
    )


def slots_of(sides: Sequence[Place], scenario: Scenario, metric: Metric) -> tuple[CaptureSlot, ...]:
    """What is captured of the sides: stacks in turns, then calls, and for Python and a time what is allocated."""
    allocated = looks_like_python(scenario) and not is_memory(metric)
    counted, captures = len(sides) > 1, scenario.profile.captures
    if is_memory(metric):
        captures = min(captures, MOST_OF_MEMORY)
    return interleaved(sides, captures, counted=counted, allocated=allocated and counted)


def rate_for(cpu: Seconds | None, rate_hz: int, name: ProfilerName) -> int:
    """Samples a second for a program of so much processor time: as asked, or more where a run would yield few."""
    if cpu is None or cpu <= 0:
        return rate_hz
    return max(rate_hz, min(ceil(SHORT_RUN_SAMPLES / cpu), HIGHEST_RATES.get(name, HIGHEST_RATE)))


def is_memory(metric: Metric) -> bool:
    """Whether the metric is a size: where the time goes does not tell where the memory does."""
    return metric.unit == "B"


def pairs_of(investigation: Investigation, verdict: Verdict) -> tuple[Pair, ...]:
    """The two sides of each culprit, with good and bad themselves where they are asked for too; built ones only."""
    line, request = investigation.line, investigation.request
    pairs: list[Pair] = []
    if request.kind is not JobKind.BISECT:
        pairs.append((main(0), main(line.size)))
    elif verdict.kind in {VerdictKind.CULPRIT, VerdictKind.SEVERAL}:
        pairs += [
            (main(line.parent_index(culprit.place.index)), culprit.place)
            for culprit in verdict.culprits[:MOST_PAIRS]
            if len(culprit.members) == 1 and culprit.place.line is LineName.MAIN
        ]
    if pairs and request.profile_ends and (main(0), main(line.size)) not in pairs:
        pairs.append((main(0), main(line.size)))
    return tuple(pair for pair in pairs if all(_is_built(investigation, place) for place in pair))


def _is_built(investigation: Investigation, place: Place) -> bool:
    build = investigation.builds.get((place, 0))
    if build is None or not build.usable or place in investigation.failures:
        return False
    # A run that is stopped at its limit leaves no profile.
    trouble = investigation.troubles.get(place)
    return trouble is None or trouble[0] is not Outcome.TIMEOUT


def _is_planned(investigation: Investigation) -> bool:
    return any(isinstance(plan.step, ProfileSides) for plan in investigation.plans)


def _samples_wanted(change: Change | None, captures: int) -> int:
    """Samples a capture: a relative change r stands out of the noise of counting from WHOLE / r² on."""
    size = abs(change.relative) if change is not None else 0.0
    needed = WHOLE / max(size, 0.01) ** 2 / captures
    return int(min(max(needed, FEWEST_SAMPLES), MOST_SAMPLES))
