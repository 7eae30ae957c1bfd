"""What a reader has to know to read the answer right: stand-ins, what was taken over, left aside or looks odd."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from statistics import fmean, median, stdev

import numpy as np

from bisector.core.model.counting import is_counter
from bisector.core.model.history import ASIDE, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.layouts import compiles_in_one_layout
from bisector.core.model.request import Across, RunnerName
from bisector.core.model.samples import SPEAKS_OF_THE_COMMIT, Outcome
from bisector.core.search.dispersion import FEWEST, hint_of_spread, modes, modes_of, spread_ratio
from bisector.core.search.outlook import Outlook
from bisector.core.search.view import View
from bisector.formats.results import MEASURED, MEASURED_OVER
from bisector.report import numbers
from bisector.report.ahead import review
from bisector.report.basis import Basis
from bisector.report.checkouts import checkout_notes
from bisector.report.counted import counted_notes, counted_part
from bisector.report.document import EndsPart
from bisector.report.faulting import notes_of_faults
from bisector.report.growth import notes_of_growth
from bisector.report.packages import notes_of_packages
from bisector.report.phrase import Phrase, quote
from bisector.report.sentence import named
from bisector.report.text import displayed
from bisector.report.words import OUTCOMES

_FIGURE = re.compile(r"[0-9]+")
FAR_OUT = 6.0
"""Deviations of a single run beyond which it is told as far out."""
FEWEST_FOR_DRIFT = 16
DRIFT = 3.0
"""Standard errors between the first and the second half of a job that are told as drift."""


def notes_of(basis: Basis, ends: EndsPart | None) -> tuple[Phrase, ...]:
    """Everything worth knowing, what bears on the answer first."""
    investigation, found = basis.investigation, basis.main
    counted = counted_part(basis)
    notes = [
        *(counted_notes(basis, counted) if counted is not None else ()),
        *(_ends(investigation, ends) if ends is not None else ()),
        *_asked(investigation),
        *(notes_of_growth(found) if found is not None else ()),
        *(_taken_over(investigation, found) if found is not None else ()),
        *(notes_of_packages(found) if found is not None and not _blamed(basis) else ()),
        *_left_out(investigation),
        *review(investigation),
        *notes_of_faults(basis),
        *(_doubtful(found) if found is not None else ()),
        *(_bounded(found) if found is not None else ()),
        *(_shape(found) if found is not None else ()),
        *(_dispersion(found) if found is not None else ()),
        *_inside(investigation),
        *checkout_notes(investigation),
        *_one_layout(basis),
        *_trust(investigation),
    ]
    return tuple(Phrase(note) for note in notes)


def _blamed(basis: Basis) -> bool:
    return basis.verdict is not None and basis.verdict.rebuilt is not None


def _ends(investigation: Investigation, ends: EndsPart) -> Iterator[str]:
    size = investigation.line.size
    for name, end, index in (("good", ends.good, 0), ("bad", ends.bad, size)):
        if end.index == index:
            continue
        failure = investigation.failures.get(main(index))
        said = "" if failure is None or not failure[1] else f": {quote(displayed(failure[1]))}"
        why = f" ({OUTCOMES[failure[0]]}{said})" if failure is not None else ""
        stand_in, steps = investigation.line.commit(end.index), numbers.count(abs(end.index - index), "commit")
        yield (
            f"{named(investigation.line.commit(index))}, named as {name}, cannot be tested{why}: "
            f"{named(stand_in)}, {steps} inwards, stands for it. A change between the two is not seen."
        )
    history = investigation.history
    if history is None:
        return
    if history.aside is not None:
        good, start = named(investigation.commit(ASIDE)), named(history.line.base)
        yield f"Good, {good}, lies beside the line. The search starts at {start}, and both are measured."
    if not history.bad_contains_good:
        yield "Bad does not contain good: the search covers what bad has beyond their common ancestor."
    yield from (quote(note, 300) for note in history.line.notes)


def _asked(investigation: Investigation) -> Iterator[str]:
    """What the request itself keeps out of sight or in view."""
    request = investigation.request
    if request.worktree is not None:
        yield "B is the work tree as it was, uncommitted changes included."
    if investigation.other_verdicts:
        error = numbers.percent(1 - request.search.confidence)
        metrics = numbers.count(len(request.asked), "metric")
        yield (
            f"{metrics} were asked for: what is named for any of them is wrong at most {error} of the time, "
            "all answers taken together (Holm)."
        )
    if request.retracted:
        names = numbers.listing(quote(sha[:10]) for sha in request.retracted[:8])
        yield f"Earlier samples were retracted on request: {names}."
    if request.search.skip:
        names = numbers.listing(quote(sha[:10]) for sha in request.search.skip[:8])
        more = len(request.search.skip) - 8
        yield f"Left out on request: {names}{f' and {numbers.whole(more)} more' if more > 0 else ''}."
    if request.search.paths:
        paths = numbers.listing(quote(path, 80) for path in request.search.paths[:8])
        yield f"The search kept to commits that touch {paths}; the others were looked at last."
    if request.search.suspects:
        paths = numbers.listing(quote(path, 80) for path in request.search.suspects[:8])
        yield f"Commits that touch {paths} were suspected first."
    build = request.scenario.build
    if build.as_of:
        yield f"Builds resolve packages as of {build.as_of}, as far as pip and uv do it; nothing else is held to that."
    if build.constraints:
        yield f"Builds are held to the versions in {quote(build.constraints, 120)}, as far as pip and uv install them."
    if request.duet:
        yield "Every run had one of good's beside it, at the same moment on other processors."
    if request.parallel > 1:
        yield (
            f"{numbers.whole(request.parallel)} runs at a time were made at the same moment, on processors of their "
            "own: what they do to each other is in every value."
        )
    idle = len(investigation.line.idle) if investigation.history is not None and request.search.prior else 0
    if idle:
        what = f"{numbers.count(idle, 'candidate')} that {'seems' if idle == 1 else 'seem'}"
        yield f"{what} to change only documentation and the like {'was' if idle == 1 else 'were'} suspected last."


def _taken_over(investigation: Investigation, found: Outlook) -> Iterator[str]:
    """Samples of earlier jobs and of other hosts: used, or left aside."""
    adopted = [sample for sample in investigation.samples if sample.adopted_from]
    fresh = any(sample.counts and not sample.adopted_from for sample in investigation.samples)
    if adopted and fresh:
        names = sorted({sample.adopted_from for sample in adopted})[:5]
        jobs = f"{'job' if len(names) == 1 else 'jobs'} {numbers.listing(quote(name) for name in names)}"
        runs = numbers.count(len(adopted), "run")
        used = any(sample.adopted_from for sample in found.view.samples)
        fate = "were taken over" if used else "were left aside: fresh runs of the ends did not agree with them"
        yield f"{runs} of equal builds from {jobs} {fate}."
    host = investigation.host
    elsewhere = sum(host is not None and sample.host != host.host for sample in investigation.samples)
    if elsewhere:
        yield f"{numbers.count(elsewhere, 'run')} on another host left aside: runs of two hosts are never compared."


def _left_out(investigation: Investigation) -> Iterator[str]:
    """Runs that yielded no number, by what came of them."""
    wanting = (sample for sample in investigation.samples if sample.outcome is not Outcome.OK)
    if investigation.time_limit is not None:
        wanting = (sample for sample in wanting if sample.outcome is not Outcome.TIMEOUT)
    outcomes = sorted(sample.outcome for sample in wanting)
    for outcome, group in groupby(outcomes):
        runs = numbers.count(len(list(group)), "run")
        if outcome is Outcome.INFRA:
            yield f"{runs} failed through the machine's fault; they say nothing of a commit and were made again."
        elif outcome is Outcome.DISTURBED:
            yield f"{runs} left aside and made again, for what else went on: {_disturbances(investigation, outcome)}."
        elif outcome in SPEAKS_OF_THE_COMMIT:
            yield f"{runs} gave no number ({OUTCOMES[outcome]})."


def _disturbances(investigation: Investigation, outcome: Outcome) -> str:
    """What disturbed runs with this outcome, the commonest kinds first, each as it was said once."""
    told = [sample.disturbed for sample in investigation.samples if sample.disturbed and sample.outcome is outcome]
    kinds = Counter(_FIGURE.sub("", text) for text in told)
    first = {kind: max((text for text in told if _FIGURE.sub("", text) == kind), key=len) for kind in kinds}
    return "; ".join(quote(first[kind], 120) for kind, _ in kinds.most_common(3))


def _doubtful(found: Outlook) -> Iterator[str]:
    """Runs that count although something disturbed them: the host was never quiet for long."""
    disturbed = [sample for sample in found.view.samples if sample.disturbed]
    if disturbed:
        runs = f"{numbers.whole(len(disturbed))} of {numbers.count(len(found.view.samples), 'run')}"
        what = _disturbances(found.view.investigation, Outcome.OK)
        yield f"{runs} count though they were disturbed, for the host was hardly ever quiet: {what}."


def _bounded(found: Outlook) -> Iterator[str]:
    """Runs of which only a lower bound is known."""
    runs = sum(sample.outcome is Outcome.TIMEOUT for sample in found.view.samples)
    if runs and (limit := found.view.time_limit) is not None:
        yield (
            f"{numbers.count(runs, 'run')} did not finish within the limit of {numbers.seconds(limit)} and "
            f"{'counts' if runs == 1 else 'count'} as slower than that: a change measured from "
            f"{'it' if runs == 1 else 'them'} is the least that it can be."
        )


def _shape(found: Outlook) -> Iterator[str]:
    """Runs far from their commit's level, and a level that wanders while the job goes on."""
    view, posterior = found.view, found.posterior
    if posterior is None or posterior.exact or posterior.sigma <= 0:
        return
    residuals = _residuals(view)
    far = sum(abs(residual) > FAR_OUT * posterior.sigma for residual in residuals)
    if far:
        share = f"{numbers.whole(far)} of {numbers.count(len(residuals), 'run')}"
        yield f"Far from their commit's level, and of little weight: {share}."
    half = len(residuals) // 2
    if len(residuals) < FEWEST_FOR_DRIFT:
        return
    early, late = residuals[:half], residuals[half:]
    error = (stdev(early) ** 2 / len(early) + stdev(late) ** 2 / len(late)) ** 0.5
    drift = fmean(late) - fmean(early)
    if abs(drift) > DRIFT * max(error, 1e-12):
        size = numbers.percent(view.scale.relative(drift), signed=True)
        yield f"Values moved by {size} between the first and the second half of the job."


def _dispersion(found: Outlook) -> Iterator[str]:
    """What the level alone does not show: another spread, or a second mode, on the other side of the change."""
    view, name = found.view, quote(found.view.metric.name)
    if view.across is not Across.MEDIAN:
        yield f"Each value is the {view.across} of {numbers.count(view.runs_together, 'run')} in a row of one build."
        return
    old, new = (view.values_at(view.place_at(end)) for end in (view.low, view.high))
    if view.exact or not len(old) or not len(new):
        return
    held = " though its level holds" if found.no_change > 0.5 else ""
    # Noise in proportion to the level is one spread on the scale of the search: nothing but the level has changed then.
    scaled = view.scale.into(old), view.scale.into(new)
    ratio = spread_ratio(old, new)
    if ratio is not None and spread_ratio(*scaled) is not None:
        told = f"{numbers.percent(ratio)} of good's"
        yield f"The spread of {name} at bad is {told}{',' if held else ''}{held}: --across-runs iqr searches for that."
    hint = hint_of_spread(old, new)
    if hint is not None and hint_of_spread(*scaled) is not None:
        where, counts = "at bad" if hint > 1 else "at good", f"{numbers.whole(len(old))} and {numbers.whole(len(new))}"
        yield f"{name} looks less even {where}, but {counts} runs are too few to say: --across-runs iqr takes more."
    if min(len(old), len(new)) < FEWEST and 2 in (modes(old), modes(new)):
        here, there = ("bad", "good") if modes(new) == 2 else ("good", "bad")
        yield f"{name} has two modes at {here}; {there} has too few runs to say: --across-runs p90 or iqr takes more."
    differing = modes_of(old, new)
    if differing is not None:
        where = "at bad, not at good" if differing[1] > differing[0] else "at good, not at bad"
        yield f"{name} has two modes {where}{',' if held else ''}{held}: --across-runs p90 or iqr searches for that."


def _residuals(view: View) -> list[float]:
    """Each run's distance from the median of its commit, in the search's units, in the order the runs were made.

    Runs alone on their commit tell no distance; adopted ones belong to another job's time.
    """
    scaled = view.scale.into(np.array([sample.values[view.metric.name] for sample in view.samples]))
    groups: dict[tuple[Place, int], list[float]] = {}
    for sample, value in zip(view.samples, scaled.tolist(), strict=True):
        groups.setdefault((sample.place, sample.number), []).append(value)
    middle = {unit: median(values) for unit, values in groups.items() if len(values) > 1}
    return [
        value - middle[sample.place, sample.number]
        for sample, value in zip(view.samples, scaled.tolist(), strict=True)
        if (sample.place, sample.number) in middle and not sample.adopted_from
    ]


def _inside(investigation: Investigation) -> Iterator[str]:
    branch = investigation.branch
    if branch is None:
        return
    if not branch.in_context:
        yield "The merged commits conflict with the merge's first parent; they were searched on their own branch."
    elif branch.conflicts:
        yield f"{numbers.count(branch.conflicts, 'merged commit')} cannot be put on top of the merge's first parent."


def _one_layout(basis: Basis) -> Iterator[str]:
    """That fresh builds say nothing of where code lies, where a culprit is named whose code was compiled."""
    investigation, builds = basis.investigation, basis.investigation.builds
    named_any = basis.verdict is not None and bool(basis.verdict.culprits)
    timed = not is_counter(investigation.metric)
    if not (named_any and timed and compiles_in_one_layout(investigation.request.scenario.build)):
        return
    afresh = [(build, builds.get((place, 0))) for (place, number), build in builds.items() if number]
    if any(first is not None and build.content and build.content == first.content for build, first in afresh):
        yield (
            "Builds made afresh came out the same, so that they say nothing of where code lies: a loop that begins "
            "elsewhere in a line of the cache is slower or quicker without anybody's doing. {layout} in the build's "
            "steps tells the two apart."
        )


def _trust(investigation: Investigation) -> Iterator[str]:
    request = investigation.request
    if request.runner is RunnerName.LOCAL:
        yield "Everything ran on the machine itself, without isolation."
    measured = (*MEASURED, *MEASURED_OVER)
    if investigation.samples and investigation.metric.source not in measured and not is_counter(investigation.metric):
        name = "What is printed" if investigation.metric.if_printed else quote(investigation.metric.name)
        yield f"{name} is what the measured program says of itself."
