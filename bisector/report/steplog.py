"""The log of a job: every step, why it was taken, and what came of it."""

from collections.abc import Iterator
from statistics import median
from typing import assert_never

from bisector.core.model.builds import Build
from bisector.core.model.captures import Profiled
from bisector.core.model.facts import Planned
from bisector.core.model.history import Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import CaptureKind, Format
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.steps import (
    BuildPlace,
    Conclude,
    ListBranch,
    ListHistory,
    ListParts,
    LookAtChange,
    MakeTrial,
    Measure,
    NameCulprit,
    ProfileSides,
    Step,
)
from bisector.core.model.trials import TrialMade
from bisector.report import numbers
from bisector.report.basis import LONGEST_REASON
from bisector.report.document import LogEntry
from bisector.report.numbers import Gauge
from bisector.report.phrase import Phrase, quote, told
from bisector.report.restoration import MOST_CONFLICTS
from bisector.report.sentence import explained
from bisector.report.text import SHORT, displayed
from bisector.report.words import OUTCOMES, VERDICTS


def log_of(investigation: Investigation, gauge: Gauge) -> tuple[LogEntry, ...]:
    """One entry a step, in their order; `gauge` writes the values of the metric."""
    by_step: dict[int, list[Sample]] = {}
    for sample in investigation.samples:
        if not sample.adopted_from:
            by_step.setdefault(sample.step, []).append(sample)
    return tuple(
        LogEntry(
            number=plan.number,
            elapsed=plan.elapsed,
            what=step_name(plan.step),
            reason=displayed(plan.step.reason, LONGEST_REASON),
            result=Phrase(_result(investigation, plan, by_step.get(plan.number, []), gauge)),
        )
        for plan in investigation.plans
    )


def place_name(place: Place) -> str:
    """A place as a table names it: its index on the main line, "inner 2", "good itself"."""
    match place.line:
        case place.line.MAIN:
            return numbers.whole(place.index)
        case place.line.INNER:
            return f"inner {numbers.whole(place.index)}"
        case place.line.ASIDE:
            return "good itself"
        case place.line.TRIED:
            return f"trial {numbers.whole(place.index)}" if place.index else "the tip"
        case place.line.PART:
            return f"part {numbers.whole(place.index)}"
        case place.line.ALONE:
            return f"part {numbers.whole(place.index)} alone"
        case place.line.COMPANY:
            return f"company {numbers.whole(place.index)}"
    assert_never(place.line)


def step_name(step: Step) -> str:
    """A step as a log names it: "Build 40", "Run 40 ×2, beside it 0 ×1"."""
    match step:
        case ListHistory():
            return "List the commits"
        case BuildPlace(place=place, number=number, clean=clean):
            how = " once more, from scratch" if clean else " afresh" if number else ""
            return f"Build {place_name(place)}{how}"
        case Measure():
            return _measured(step)
        case ListBranch() | ListParts():
            return _listing(step)
        case NameCulprit(culprit=culprit):
            return f"Name {place_name(culprit.place)}"
        case ProfileSides(slots=slots):
            return f"Profile {numbers.listing(place_name(place) for place in dict.fromkeys(s.place for s in slots))}"
        case LookAtChange(place=place) | MakeTrial(place=place):
            made = f"Make {place_name(place)} ({step.trial.kind})" if isinstance(step, MakeTrial) else ""
            return made or f"Look at what {place_name(place)} changes"
        case Conclude():
            return "Conclude"
    assert_never(step)


def _measured(step: Measure) -> str:
    """ "Run 40 ×4, with 0 ×1": the commits in question, and those they are compared with."""
    runs: dict[tuple[bool, Place], int] = {}
    for slot in step.slots:
        key = (slot.purpose is Purpose.REFERENCE, slot.place)
        runs[key] = runs.get(key, 0) + 1
    wanted, beside = (
        numbers.listing(f"{place_name(place)} ×{count}" for (other, place), count in runs.items() if other is reference)
        for reference in (False, True)
    )
    verb = "Verify" if any(slot.purpose is Purpose.VERIFY for slot in step.slots) else "Run"
    return f"{verb} {wanted}{f', beside it {beside}' if beside else ''}" if wanted else f"Run {beside}"


def _result(investigation: Investigation, plan: Planned, samples: list[Sample], gauge: Gauge) -> str:
    match plan.step:
        case ListHistory():
            history = investigation.history
            return numbers.count(history.line.size, "candidate") if history is not None else ""
        case BuildPlace(place=place, number=number):
            build = investigation.builds.get((place, number))
            return _built(build) if build is not None else ""
        case Measure():
            return "; ".join(_medians(investigation, samples, gauge))
        case ListBranch() | ListParts():
            return _listed(investigation, plan.step)
        case NameCulprit(culprit=culprit):
            return numbers.change(culprit.change) if culprit.change is not None else ""
        case ProfileSides():
            return profiled(investigation, plan.number)
        case LookAtChange() | MakeTrial():
            return _looked_at(investigation, plan.step)
        case Conclude(verdict=verdict):
            return VERDICTS[verdict.kind].lower()
    assert_never(plan.step)


def _looked_at(investigation: Investigation, step: LookAtChange | MakeTrial) -> str:
    if isinstance(step, MakeTrial):
        made = investigation.trials.get(step.place)
        return _made(made) if made is not None else ""
    seen = investigation.change_seen(step.place, step.parent)
    return numbers.count(len(seen.files) + seen.left_out, "file") if seen is not None else ""


def _listing(step: ListBranch | ListParts) -> str:
    if isinstance(step, ListParts):
        if step.with_part:
            return f"List the company of part {numbers.whole(step.with_part)}"
        return f"List the {step.what} that {place_name(step.place)} moves"
    where = "" if step.in_context else ", on their own branch"
    return f"List what merge {place_name(step.merge)} brought in{where}"


def _listed(investigation: Investigation, step: ListBranch | ListParts) -> str:
    branch = investigation.branch
    parts = investigation.company if isinstance(step, ListParts) and step.with_part else investigation.parts
    if isinstance(step, ListBranch):
        return numbers.count(branch.line.size, "commit") if branch is not None else ""
    if parts is None:
        return ""
    return explained(parts.problem) if parts.problem else numbers.count(parts.size, "part")


def _made(made: TrialMade) -> str:
    if made.conflicts:
        return f"it conflicts in {numbers.listing(quote(path, 120) for path in made.conflicts[:MOST_CONFLICTS])}"
    return f"tree {quote(made.commit.tree[:SHORT])}"


def _built(build: Build) -> str:
    if build.usable:
        return "at hand" if build.reused else f"built in {numbers.seconds(build.seconds)}"
    return ": ".join(filter(None, (OUTCOMES[build.outcome], explained(build.reason))))


def counted_in(fact: Profiled) -> str:
    """What a capture is told to hold so many of."""
    if fact.kind is CaptureKind.SAMPLED:
        return "stack" if fact.format is Format.MEMORY else "sample"
    return "call"


def profiled(investigation: Investigation, number: int) -> str:
    """What came of the captures of a step: "6 captures by py-spy, 2 counts", and how many there are not."""
    taken = [capture for capture in investigation.captures if capture.step == number]
    counts = [capture for capture in taken if capture.kind is not CaptureKind.SAMPLED and not capture.problem]
    parts = [numbers.count(len(counts), "count")] if counts else []
    for tool in dict.fromkeys(capture.tool for capture in taken if capture.kind is CaptureKind.SAMPLED):
        good = sum(capture.tool == tool and not capture.problem for capture in taken)
        parts.insert(0, f"{numbers.count(good, 'capture')} by {tool}")
    return ", ".join(parts)


def _medians(investigation: Investigation, samples: list[Sample], gauge: Gauge) -> Iterator[str]:
    metric = investigation.metric
    places: dict[tuple[Place, bool], list[float]] = {}
    failed: dict[Outcome, int] = {}
    walls: dict[Place, list[float]] = {}
    for sample in samples:
        if sample.counts and metric.name in sample.values:
            again = sample.purpose is Purpose.ENVIRONMENT and sample.number > 0
            places.setdefault((sample.place, again), []).append(sample.values[metric.name])
        elif sample.purpose is Purpose.UNTOOLED and sample.outcome is Outcome.OK and sample.usage is not None:
            walls.setdefault(sample.place, []).append(sample.usage.wall)
        elif sample.purpose is not Purpose.WARMUP:
            failed[sample.outcome] = failed.get(sample.outcome, 0) + 1
    for (place, again), values in places.items():
        name = f"{place_name(place)}{' built again' if again else ''}"
        yield f"{name}: {gauge.bare(median(values))} {told(gauge.unit)}".rstrip()
    for place, times in walls.items():
        yield f"{place_name(place)}: {numbers.seconds(median(times))} of wall time"
    for outcome, count in failed.items():
        yield f"{numbers.count(count, 'run')}: {OUTCOMES[outcome]}"
