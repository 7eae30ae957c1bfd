"""The live state of a job as lines of text: what a terminal shows while it works. Pure; the caller puts them up."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import CaptureKind
from bisector.core.model.samples import Purpose, Sample
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
)
from bisector.core.model.units import Seconds
from bisector.core.search.outlook import Outlook
from bisector.report import numbers
from bisector.report.basis import metric_part
from bisector.report.document import EndPart, Side
from bisector.report.ends import ends_of
from bisector.report.estimate import remaining
from bisector.report.line_source import LineSource
from bisector.report.sentence import sentence_of
from bisector.report.steplog import place_name, step_name
from bisector.report.terminal import PLAIN, Style, styled
from bisector.report.text import fit, one_line
from bisector.report.words import OUTCOMES
from bisector.report.wrapping import wrapped

BLOCKS = " ▁▂▃▄▅▆▇█"
MARKS = {Side.OLD: "●", Side.NEW: "▲", Side.UNSURE: "◇"}
LAST_RUNS = 5
NARROWEST, UNBOUNDED = 30, 10_000
TRYING = "trying what would undo it"
CAPTURING = {
    CaptureKind.SAMPLED: "samples",
    CaptureKind.COUNTED: "every call is counted, which takes longer",
    CaptureKind.ALLOCATED: "allocations are added up, which takes longer",
}
APART = "taking the change apart"
BUILDING = {
    LineName.INNER: "looking into the merge",
    LineName.TRIED: TRYING,
    LineName.PART: APART,
    LineName.ALONE: APART,
    LineName.COMPANY: APART,
}


def phase_of(investigation: Investigation) -> str:
    """What the job is about, in a word or two."""
    step = investigation.plans[-1].step if investigation.plans else None
    match step:
        case None | ListHistory():
            return "listing the commits"
        case NameCulprit() | ProfileSides():
            return "searching on" if isinstance(step, NameCulprit) else "profiling both sides"
        case ListBranch() | LookAtChange():
            return BUILDING[LineName.INNER] if isinstance(step, ListBranch) else "looking at the culprit"
        case MakeTrial() | ListParts():
            return TRYING if isinstance(step, MakeTrial) else APART
        case BuildPlace(place=place):
            return BUILDING.get(place.line, "building")
        case Measure():
            return _measuring(step)
        case Conclude():
            return "done"
    assert_never(step)


def _measuring(step: Measure) -> str:
    purposes = {slot.purpose for slot in step.slots}
    lines = {slot.place.line for slot in step.slots}
    if LineName.INNER in lines:
        return "looking into the merge"
    if lines & {LineName.PART, LineName.ALONE, LineName.COMPANY}:
        return APART
    if purposes == {Purpose.VERIFY}:
        return "verifying the culprit"
    if purposes == {Purpose.TRIAL}:
        return TRYING
    if purposes == {Purpose.UNTOOLED}:
        return "timing both sides"
    if purposes == {Purpose.ENVIRONMENT}:
        return "comparing earlier builds with today's"
    if purposes == {Purpose.ENDS}:
        return "comparing the ends"
    return "searching"


def live_lines(
    investigation: Investigation, found: Outlook | None, elapsed: Seconds, *, width: int = 80, style: Style = PLAIN
) -> list[str]:
    """The screen of a job, `elapsed` seconds of work into it; no line is wider than `width` columns.

    `found` is the outlook on the line that is searched now, as `bisector.core.search.outlook` gives it.
    """
    return list(_Screen(investigation, found, max(width, NARROWEST), style).lines(elapsed))


class _Screen:
    def __init__(self, investigation: Investigation, found: Outlook | None, width: int, style: Style) -> None:
        self._investigation, self._found = investigation, found
        self._width, self._style = width, style
        self._metric = metric_part(investigation, investigation.metric)

    def lines(self, elapsed: Seconds) -> Iterator[str]:
        yield self._heading(elapsed)
        yield ""
        if self._found is not None:
            yield from self._search(self._found)
            yield ""
        yield from self._step()
        yield from self._runs()
        yield from self._spent(elapsed)

    def _cut(self, text: str) -> str:
        return fit(text, self._width).rstrip()

    def _heading(self, elapsed: Seconds) -> str:
        time = numbers.whole_seconds(elapsed)
        left = fit(f"{phase_of(self._investigation)}, {self._metric.name}", self._width - len(time) - 2)
        return f"{styled(left, self._style.strong)}  {time}"

    def _search(self, found: Outlook) -> Iterator[str]:
        yield self._cut(self.standing(found))
        source = LineSource(investigation=self._investigation, name=found.view.name, found=found)
        bar = posterior_bar(source.chances, self._width)
        yield styled(bar, self._style.new)
        yield self._marks(source, len(bar))
        yield styled(self._cut("● before it   ▲ after it   ◇ not sure   × cannot be tested"), self._style.soft)
        ends = ends_of(self._investigation, found, None) if found.view.name is LineName.MAIN else None
        if ends is not None:
            told = [self._end("good", ends.good), self._end("bad", ends.bad)]
            told += [f"change {numbers.change(ends.change)}"] if ends.change is not None else []
            yield self._cut("  ".join(filter(None, told)))

    def _end(self, name: str, end: EndPart) -> str:
        return f"{name} {self._metric.gauge.text(end.median)} ({end.runs})" if end.median is not None else ""

    def standing(self, found: Outlook) -> str:
        """How much is left to search, and whether there is anything to find."""
        inside = ", inside the merge" if found.view.name is LineName.INNER else ""
        candidates = f"{numbers.count(len(found.chances), 'candidate')}{inside}"
        if found.posterior is None:
            return candidates
        none = f"no change: {numbers.probability(found.no_change)}"
        if found.no_change > 0.5:
            return f"{candidates}; {none}"
        sure = numbers.setting(self._investigation.request.search.confidence)
        first, last = min(found.likely), max(found.likely)
        where = numbers.span(first, last)
        return f"{numbers.whole(len(found.likely))} of {candidates} left at {sure}: {where}; {none}"

    def _marks(self, source: LineSource, width: int) -> str:
        """Below the bar: which commits were measured, on which side, and which cannot be."""
        marks = [" "] * width
        size = source.line.size
        for place in self._investigation.failures:
            index = source.index_of(place)
            if index:
                marks[_column(index, size, width)] = "×"
        for index, side in source.sides.items():
            if index and (source.changed or index in (source.low, source.high)):
                marks[_column(index, size, width)] = MARKS[side]
        return "".join(marks).rstrip()

    def _step(self) -> Iterator[str]:
        if self._investigation.verdict is not None:
            yield from wrapped(sentence_of(self._investigation), self._width)
        elif self._investigation.plans:
            step = self._investigation.plans[-1].step
            yield self._cut(f"now: {step_name(step)}")
            yield styled(self._cut(f"     {one_line(step.reason)}"), self._style.soft)
            if isinstance(step, ProfileSides) and (told := self._capturing(step)):
                yield self._cut(f"     {told}")

    def _capturing(self, step: ProfileSides) -> str:
        """Which capture is being taken, of how many: they may take minutes."""
        pending = self._investigation.pending_captures()
        if not pending:
            return ""
        _, slot, profiler = pending[0]
        number = len(step.slots) - len(pending) + 1
        return f"capture {number} of {len(step.slots)}: {profiler or CAPTURING[slot.kind]}, {place_name(slot.place)}"

    def _runs(self) -> Iterator[str]:
        own = [s for s in self._investigation.samples if s.purpose is not Purpose.WARMUP and not s.adopted_from]
        for sample in own[-LAST_RUNS:]:
            yield self._cut(f"  {place_name(sample.place):>10}  {self._told(sample)}")

    def _told(self, sample: Sample) -> str:
        value = sample.values.get(self._investigation.metric.name)
        if value is not None:
            return f"{self._metric.gauge.text(value):>12}  {sample.purpose}"
        return f"{OUTCOMES[sample.outcome]} {one_line(sample.reason)}".rstrip()

    def _spent(self, elapsed: Seconds) -> Iterator[str]:
        investigation, budget = self._investigation, self._investigation.request.budget
        runs = numbers.count(investigation.runs(), "run") + _of(budget.runs)
        builds = numbers.count(investigation.builds_made(), "build") + _of(budget.builds)
        spent = numbers.whole_seconds(elapsed) + (
            f" of {numbers.whole_seconds(budget.seconds)}" if budget.seconds else ""
        )
        yield self._cut(f"spent: {runs}, {builds}, {spent}")
        left = remaining(investigation, self._found)
        # Once both sides are profiled there is nothing left to run.
        profiling = bool(investigation.plans) and isinstance(investigation.plans[-1].step, ProfileSides)
        if left is not None and not profiling:
            yield styled(self._cut(left.text()), self._style.soft)


def standing_lines(investigation: Investigation, found: Outlook | None) -> Iterator[str]:
    """What a job is about, how far it has come, and what is probably left: for whoever has more room than a line."""
    step = investigation.plans[-1].step
    why = one_line(step.reason)
    phase = "" if isinstance(step, BuildPlace) else f"{phase_of(investigation).capitalize()}: "
    yield f"{phase}{step_name(step)}" + (f" ({why})" if why else "")
    if found is None:
        return
    yield _Screen(investigation, found, UNBOUNDED, PLAIN).standing(found)
    left = remaining(investigation, found)
    if left is not None and not isinstance(step, ProfileSides):
        yield left.text()


def posterior_bar(chances: Sequence[float], width: int) -> str:
    """The posterior over a line as a row of blocks, at most `width` of them; the tallest is the likeliest stretch."""
    size = len(chances)
    columns = min(width, size * max(width // size, 1)) if size else 0
    heights = []
    for column in range(columns):
        # Columns hold one commit more or less: their mean keeps an even posterior even.
        members = chances[column * size // columns : max((column + 1) * size // columns, column * size // columns + 1)]
        heights.append(sum(members) / len(members))
    top = max(heights, default=0.0)
    return "".join(BLOCKS[_block(height / top)] if top > 0 else BLOCKS[1] for height in heights)


def _block(share: float) -> int:
    """The block for a share of the tallest: the lowest one for anything that is not nil."""
    return max(round(share * (len(BLOCKS) - 1)), 1) if share > 1e-6 else 0


def _column(index: int, size: int, width: int) -> int:
    """The column of candidate `index` in a bar of `width`: the middle one where it has several."""
    return min((2 * index - 1) * width // (2 * size), width - 1)


def _of(limit: int | None) -> str:
    return f" of {numbers.whole(limit)}" if limit is not None else ""
