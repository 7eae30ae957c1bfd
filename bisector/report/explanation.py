"""Why: from the captures of a job and what its culprits change to differences, suspects and findings.

What was captured is read afresh whenever a report is made, so that a better reading serves old jobs, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bisector.core.explain.changes import MODULE, Touched, touched_functions
from bisector.core.explain.counts import CountPair, Counts
from bisector.core.explain.difference import Difference, difference
from bisector.core.explain.findings import Finding, findings_of
from bisector.core.explain.joining import joined
from bisector.core.explain.names import Names
from bisector.core.explain.sources import SourceChange
from bisector.core.explain.stacks import Capture, Profile, Unit
from bisector.core.explain.suspects import Relation, Suspect, suspects_of
from bisector.core.model.captures import ChangesKept, Profiled, ProfilersSeen, in_use
from bisector.core.model.history import Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import CaptureKind, ProfilerName, choose
from bisector.core.search.profiling import is_memory
from bisector.core.search.untooled import usages
from bisector.errors import StoreError
from bisector.formats.changes import changes_from_text
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.calls import read_allocations
from bisector.formats.profiles.counting import counts_in
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem
from bisector.report import numbers
from bisector.report.phrase import Phrase, told
from bisector.report.text import displayed

MOST_NAMED = 3
"""Changed functions that are named where none of them grew."""
Files = Mapping[str, bytes]
"""What was kept, by SHA-256, as far as it is still there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What the captures of two places say. `problems` are whole sentences without their full stop, fit to be shown.

    Without a `difference` there are no suspects; without `counts` nobody counted; without `touched` the change of the
    sources is not known.
    """

    old: Place
    new: Place
    method: Phrase
    problems: tuple[str, ...] = ()
    before: Profile | None = None
    after: Profile | None = None
    difference: Difference | None = None
    suspects: tuple[Suspect, ...] = ()
    findings: tuple[Finding, ...] = ()
    counts: CountPair | None = None
    touched: Touched | None = None


def wanted_files(investigation: Investigation) -> frozenset[str]:
    """Which kept files the explanations of a job are made from."""
    captured = {name for capture in investigation.captures for name in capture.files}
    return frozenset(captured | {kept.changes for kept in investigation.changes if kept.changes})


def explanations_of(investigation: Investigation, files: Files) -> tuple[Explanation, ...]:
    """What is known of every pair of places that was profiled, in the order of the verdict."""
    return tuple(_explanation(investigation, seen, kept, files) for seen, kept in _profiled_pairs(investigation))


def _profiled_pairs(investigation: Investigation) -> Iterator[tuple[ProfilersSeen, ChangesKept]]:
    for seen in investigation.profilers:
        yield from ((seen, kept) for kept in investigation.changes if kept.step == seen.step)


def _explanation(investigation: Investigation, seen: ProfilersSeen, kept: ChangesKept, files: Files) -> Explanation:
    problems = list(_troubles(investigation, seen))
    changes = _changes(kept, files, problems)
    touched = touched_functions(changes.files, changes.sources) if changes is not None else None
    reader = _Reader(investigation, seen, frozenset(changes.packages) if changes is not None else frozenset(), files)
    explanation = Explanation(
        old=kept.old, new=kept.new, method=_method(investigation, seen), touched=touched, problems=tuple(problems)
    )
    try:
        before, after = reader.profile(kept.old, "before"), reader.profile(kept.new, "after")
        found = difference(before, after)
    except (_Missing, ProfileProblem, ValueError) as problem:
        return replace(explanation, problems=(*problems, displayed(f"there is no profile to compare: {problem}", 300)))
    counts = reader.counts(kept.old, kept.new)
    suspects = suspects_of(found, touched, counts)
    return replace(
        explanation,
        problems=(*problems, *_elsewhere(suspects, touched)),
        before=before,
        after=after,
        difference=found,
        counts=counts,
        suspects=suspects,
        findings=findings_of(found, counts),
    )


def _elsewhere(suspects: Sequence[Suspect], touched: Touched | None) -> Iterator[str]:
    """Said where nothing that grew was changed: what was may compile other code, fill a table or set a flag."""
    told = {each.name: each.path for each in touched.functions if each.name != MODULE} if touched is not None else {}
    if not suspects or not told or any(each.relation is not Relation.UNTOUCHED for each in suspects):
        return
    named = [displayed(f"{name} in {path}", 120) for name, path in list(told.items())[:MOST_NAMED]]
    more = f" and {numbers.count(len(told) - MOST_NAMED, 'other')}" if len(told) > MOST_NAMED else ""
    yield (
        f"nothing that was changed is on the stack of what grew ({', '.join(named)}{more}): "
        "it has other code do more, by what it prepares or returns"
    )


class _Missing(Exception):
    """What was captured is not there, or nothing was."""


class _Reader:
    """Reads the captures of one step."""

    def __init__(
        self, investigation: Investigation, seen: ProfilersSeen, packages: frozenset[str], files: Files
    ) -> None:
        self._captures = [each for each in investigation.captures if each.step == seen.step and not each.problem]
        self._tool = in_use(seen, investigation.captures)
        self._investigation = investigation
        self._packages = packages
        self._files = files

    def profile(self, place: Place, label: str) -> Profile:
        """The captures of a side by the profiler that was used in the end."""
        mine = [each for each in self._of(place, CaptureKind.SAMPLED) if each.tool == self._tool]
        if not mine:
            raise _Missing(f"nothing was captured {label} the change")
        return Profile(label=label, captures=tuple(self._capture(each) for each in mine))

    def counts(self, old: Place, new: Place) -> CountPair | None:
        """The counts of both sides; None where one of them is missing."""
        try:
            before, after = (self._counts(place) for place in (old, new))
        except (_Missing, ProfileProblem):
            return None
        return CountPair(before=before, after=after)

    def _of(self, place: Place, kind: CaptureKind) -> list[Profiled]:
        return [each for each in self._captures if each.place == place and each.kind is kind]

    def _capture(self, profiled: Profiled) -> Capture:
        reading = Reading(names=self._names(profiled), rate_hz=profiled.rate_hz or None)
        captures, problem = [], ProfileProblem("there are no samples in it")
        for content in self._contents(profiled):
            try:
                captures.append(read_profile(content, reading))
            except ProfileProblem as found:
                problem = found
        if not captures:
            raise problem
        whole = joined(captures)
        return replace(whole, work=self._work(profiled, whole))

    def _work(self, profiled: Profiled, capture: Capture) -> float:
        """Units of work a capture holds: so that one costs what the measured runs took, which no profiler slowed down
        and no other load stretched; where nothing was measured, a run that was made beside it, else its own runs."""
        taken = usages(self._investigation, profiled.place)
        if capture.unit is not Unit.SECONDS or not capture.total or not (taken or profiled.cpu):
            return float(profiled.runs)
        walled = profiled.tool == ProfilerName.PYINSTRUMENT
        one = median(usage.wall if walled else usage.cpu for usage in taken) if taken else profiled.cpu or 0.0
        return capture.total / one if one > 0 else float(profiled.runs)

    def _counts(self, place: Place) -> Counts:
        taken = self._of(place, CaptureKind.COUNTED)
        if not taken:
            raise _Missing("nothing was counted")
        first = taken[0]
        counts = counts_in(self._contents(first), first.format, self._names(first), float(first.runs))
        allocated = self._of(place, CaptureKind.ALLOCATED)
        if not allocated:
            return counts
        return replace(counts, allocated=read_allocations(self._contents(allocated[0]), self._names(allocated[0])))

    def _names(self, profiled: Profiled) -> Names:
        roots = tuple(filter(None, (profiled.source, profiled.scenario)))
        return Names(roots=roots, packages=self._packages)

    def _contents(self, profiled: Profiled) -> Sequence[bytes]:
        if any(name not in self._files for name in profiled.files):
            raise _Missing("files of the capture are gone")
        return [self._files[name] for name in profiled.files]


def _changes(kept: ChangesKept, files: Files, problems: list[str]) -> SourceChange | None:
    if kept.changes in files:
        try:
            return changes_from_text(files[kept.changes])
        except StoreError as error:
            problems.append(displayed(error.what, 300))
    else:
        why = kept.problem or "the file is gone"
        problems.append(displayed(f"what the sources differ in is not known: {why}", 300))
    return None


def _method(investigation: Investigation, seen: ProfilersSeen) -> Phrase:
    """How it was profiled, with what and why."""
    tool = in_use(seen, investigation.captures)
    if tool is None:
        return Phrase(f"no profiler worked ({told(seen.why)})")
    taken = [each for each in investigation.captures if each.step == seen.step and each.tool == tool]
    sides = {each.place for each in taken}
    captures, rate = len(taken) // max(len(sides), 1), taken[0].rate_hz if taken else 0
    if tool is ProfilerName.TRACEMALLOC:
        often = numbers.count(captures, "capture")
        return Phrase(f"{tool}, {often} a side, each of the moment when most was held ({told(seen.why)})")
    apart = "apart from the measured runs and scaled to them" if investigation.samples else "by the run"
    return Phrase(f"{tool}, {captures} captures a side at {rate} samples a second, {apart} ({told(seen.why)})")


_DOING = {CaptureKind.COUNTED: "counting calls", CaptureKind.ALLOCATED: "adding up allocations"}


def _order_of(investigation: Investigation) -> tuple[ProfilerName, ...]:
    return choose(investigation.request.scenario, {}, memory=is_memory(investigation.metric)).able


def _troubles(investigation: Investigation, seen: ProfilersSeen) -> Iterator[str]:
    """Which profilers could not be had or failed, and which counts."""
    used = in_use(seen, investigation.captures)
    order = tuple(map(ProfilerName, dict.fromkeys((*_order_of(investigation), *seen.refused))))
    better = order[: order.index(used)] if used in order else order
    for name in better:
        if name in seen.refused:
            yield displayed(f"{name} could not be used: {seen.refused[name]}", 300)
    told: set[str] = set()
    for capture in investigation.captures:
        if capture.step == seen.step and capture.problem and capture.tool not in told:
            told.add(capture.tool)
            what = _DOING.get(capture.kind, capture.tool)
            yield displayed(f"{what} failed: {capture.problem}", 300)
