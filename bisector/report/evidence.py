"""How sure the answer is, and why: the few lines that carry it."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from bisector.core.model.request import JobKind
from bisector.core.model.trial import TrialKind
from bisector.core.model.trials import Restoration
from bisector.core.model.verdict import Culprit, Reason, VerdictKind
from bisector.report import numbers
from bisector.report.basis import Basis
from bisector.report.counted import counted_part, noise_told, wall_row
from bisector.report.document import CostPart, CulpritPart, EndPart, EndsPart, Evidence, MetricPart
from bisector.report.kinds import kinds_told
from bisector.report.packages import moves_told, submodules_told
from bisector.report.pairs import PairedPart
from bisector.report.parts import parts_part, parts_told
from bisector.report.phrase import Phrase, quote, told
from bisector.report.restoration import FAR, RestorationPart, clause, part_of, subject_of
from bisector.report.text import SHORT
from bisector.report.verification import Fresh, latest
from bisector.report.words import DOUBTS

Named = tuple[tuple[CulpritPart, ...], tuple[CulpritPart, ...]]
LABELS = {
    TrialKind.REVERT: "Without it",
    TrialKind.APPLY: "With it",
    TrialKind.PATCH: "With the patch",
    TrialKind.HEAD: "At the tip",
}
MOST_OF_IT = 0.8
"""A culprit that makes less of the whole change than this is told to be a part of it."""


def evidence_of(
    basis: Basis, metric: MetricPart, ends: EndsPart | None, named: Named, cost: CostPart
) -> tuple[Evidence, ...]:
    """Is there a change, where is it, was that checked, how noisy is it, and how much was looked at.

    `named` are the culprits and the changes that go the other way.
    """
    culprits, opposite = named
    teller = _Evidence(basis, metric)
    rows: list[Evidence] = [] if ends is None else list(teller.ends(ends))
    rows += teller.no_change()
    every = frozenset(sha for culprit in (*culprits, *opposite) for sha in culprit.set)
    verdict = basis.verdict
    searched = verdict is not None and basis.investigation.request.searches
    found = () if verdict is None or not searched else (*verdict.culprits, *verdict.opposite)
    names = [("The culprit", _which(number, len(culprits))) for number in range(1, len(culprits) + 1)]
    names += [("The other way", "")] * len(opposite)
    for (name, which), part, culprit in zip(names, (*culprits, *opposite), found, strict=True):
        told = (*teller.culprit(part, every, name), *teller.fresh(culprit))
        rows += (replace(row, label=f"{row.label}{which}") for row in told)
    rows += () if culprits else teller.so_far()
    rows += teller.doubts()
    rows += teller.controls()
    rows += teller.rebuilt()
    rows += teller.parts()
    rows += teller.trials()
    counted = counted_part(basis)
    rows += (_row(*wall_row(counted)),) if counted is not None else ()
    rows += teller.noise()
    return (*rows, _runs(cost))


SIGNED_RANKS_FROM = 6
"""Pairs from which signed ranks can be less likely than one in twenty."""


def _which(number: int, culprits: int) -> str:
    """Which culprit a row is about, where there are several."""
    return f" ({number})" if culprits > 1 and number <= culprits else ""


class _Evidence:
    def __init__(self, basis: Basis, metric: MetricPart) -> None:
        self._basis = basis
        self._gauge = metric.gauge
        self._min_effect = metric.min_effect
        self._sure = numbers.setting(basis.investigation.request.search.confidence)

    def ends(self, ends: EndsPart) -> Iterator[Evidence]:
        compare = self._basis.investigation.request.kind is JobKind.COMPARE
        if ends.aside is not None:
            yield self._end("Good", ends.aside, "beside the line")
            yield self._end("Start of the line", ends.good, "where the line begins")
        else:
            yield self._end("A" if compare else "Good", ends.good, "" if ends.good.asked else "stands for good")
        worktree = self._basis.investigation.request.worktree is not None
        remark = "with uncommitted changes" if worktree else ("" if ends.bad.asked else "stands for bad")
        yield self._end("B" if compare else "Bad", ends.bad, remark)
        if ends.change is not None:
            interval = f"{self._sure} interval {numbers.interval(ends.change)}"
            worth = f"a change of {numbers.setting(self._min_effect)} or more is worth naming"
            value = numbers.percent(ends.change.relative, signed=True)
            yield _row("Change", value, f"{interval}; {worth}")
        if compare and ends.paired is not None:
            yield _row("In pairs", numbers.percent(ends.paired.change.relative, signed=True), self._pairs(ends.paired))

    def _pairs(self, paired: PairedPart) -> str:
        """What the pairs rest on, and whether to believe them rather than all runs together."""
        interval = f"{self._sure} interval {numbers.interval(paired.change)}"
        chance = f"signed ranks: {numbers.probability(paired.probability)} if nothing changed"
        chance = chance if paired.pairs >= SIGNED_RANKS_FROM else "too few for signed ranks"
        why = "; neighbouring runs go together, so the change is told by them" if paired.preferred else ""
        return f"{numbers.count(paired.pairs, 'pair')} of neighbouring runs; {interval}; {chance}{why}"

    def _end(self, label: str, end: EndPart, remark: str) -> Evidence:
        name = quote(end.commit.sha[:SHORT])
        if end.median is None:
            return _row(label, "not measured", f"{name}{', ' + remark if remark else ''}")
        spread = f", {self._gauge.bare(min(end.values))} to {self._quantity(max(end.values))}"
        grounds = f"median of {numbers.count(end.runs, 'run')}{spread if end.runs > 1 else ''}, at {name}"
        return _row(label, self._quantity(end.median), f"{grounds}{', ' + remark if remark else ''}")

    def no_change(self) -> Iterator[Evidence]:
        found, verdict = self._basis.main, self._basis.verdict
        if found is None or found.posterior is None:
            return
        excluded = "" if verdict is None or verdict.excluded is None else numbers.percent(verdict.excluded)
        bound = f"a change of {excluded} or more is excluded (95 %)" if excluded else ""
        looked_for = verdict is not None and verdict.kind is VerdictKind.NOT_REPRODUCED
        yield _row("No change at all", numbers.probability(found.no_change), bound if looked_for else "")

    def culprit(self, culprit: CulpritPart, named: frozenset[str], name: str = "The culprit") -> Iterator[Evidence]:
        alone = len(culprit.set) == 1
        label = name if alone else f"One of {numbers.count(len(culprit.set), 'commit')}"
        yield _row(label, numbers.probability(culprit.probability), self._rivals(culprit, named))
        if culprit.change is not None:
            part = culprit.share is not None and culprit.share < MOST_OF_IT
            share = _share(culprit) if part else ""
            interval = f"{self._sure} interval {numbers.interval(culprit.change)}"
            size = numbers.percent(culprit.change.relative, signed=True)
            step = "Parent to culprit" if alone else "Across these commits"
            yield _row(step, size, "; ".join(filter(None, (interval, share))))
        if culprit.packages:
            size = numbers.count(len(culprit.packages), "package")
            yield _row("Moves", size, moves_told(culprit.packages))
        if culprit.submodules:
            size = numbers.count(len(culprit.submodules), "submodule")
            yield _row("Moves", size, submodules_told(culprit.submodules))
        inner = culprit.inner
        if inner is not None:
            chance = numbers.probability(inner.probability) if inner.probability is not None else "–"
            where = "on top of the merge's first parent" if inner.in_context else "on their own branch"
            yield _row("Inside the merge", chance, f"{inner.names}; judged {where}")

    def _rivals(self, culprit: CulpritPart, named: frozenset[str]) -> str:
        """The likeliest commit that is not named."""
        found, line = self._basis.main, self._basis.investigation.line
        if found is None or found.posterior is None or line.size < 2:
            return f"at {quote(culprit.commit.sha[:SHORT])}"
        chances = found.chances.tolist()
        order = sorted(range(len(chances)), key=lambda position: -chances[position])[: len(named) + 1]
        rival = next((position for position in order if line.commit(position + 1).sha not in named), None)
        if rival is None:
            return f"at {quote(culprit.commit.sha[:SHORT])}"
        name, chance = quote(line.commit(rival + 1).sha[:SHORT]), numbers.probability(chances[rival])
        return f"at {quote(culprit.commit.sha[:SHORT])}; the next likeliest is {name} with {chance}"

    def so_far(self) -> Iterator[Evidence]:
        """Where the culprit may be while no answer names one."""
        found, verdict = self._basis.main, self._basis.verdict
        if found is None or found.posterior is None or not self._basis.investigation.request.searches:
            return
        if found.no_change > 0.5 or (verdict is not None and verdict.kind is VerdictKind.NOT_REPRODUCED):
            return
        if verdict is not None and verdict.reason is Reason.PACKAGES:
            return
        if verdict is not None and verdict.reason is Reason.CREEP and verdict.excluded is not None:
            yield _row("Largest step", numbers.percent(verdict.excluded), "at most, beside what all commits add")
            return
        left = f"{numbers.whole(len(found.likely))} of {numbers.count(len(found.chances), 'candidate')}"
        yield _row("Left to search", left, f"hold the culprit with {self._sure}, if any")

    def fresh(self, culprit: Culprit) -> Iterator[Evidence]:
        """What the fresh runs of a culprit against its parent gave."""
        if not self._basis.investigation.request.searches:
            return
        found = latest(self._basis.investigation, culprit)
        if found is None:
            yield _row("Verified", "no", "no fresh runs were made of it against its parent")
            return
        old, new = median(found.old), median(found.new)
        runs = f"{numbers.count(len(found.old) + len(found.new), 'fresh run')} in turns"
        levels = f"{self._quantity(old)} before it, {self._quantity(new)} with it"
        told = f"{runs}: {levels}{_in_pairs(found.paired)}{_on_other_builds(found)}"
        yield _row("Verified", "yes" if found.passed else "no", told)

    def doubts(self) -> Iterator[Evidence]:
        """What is odd about each culprit, though it was measured once more."""
        verdict = self._basis.verdict
        for culprit in verdict.culprits if verdict is not None else ():
            if culprit.suspicious is not None:
                again = "showed the change again" if culprit.verified else "did not show the change again"
                yield _row(
                    "Suspicious", "yes", f"{DOUBTS[culprit.suspicious]}; further runs against its parent {again}"
                )

    def controls(self) -> Iterator[Evidence]:
        """How far two builds of each culprit's parent differ, beside the culprit itself."""
        verdict = self._basis.verdict
        culprits = verdict.culprits if verdict is not None else ()
        for number, culprit in enumerate(culprits, start=1):
            control, label = culprit.control, f"Two builds of its parent{_which(number, len(culprits))}"
            if control is None:
                continue
            if control.difference is None or control.culprit is None:
                yield _row(label, "equal", "file by file: a rebuild changes nothing")
                continue
            size, other = (
                numbers.percent(each.relative, signed=True) for each in (control.difference, control.culprit)
            )
            told = f"{self._sure} interval {numbers.interval(control.difference)}; the culprit stands {other} from both"
            runs = f"{numbers.count(control.runs, 'run')} in turns"
            luck = "; that may be all of it" if control.luck else ""
            yield _row(label, size, f"{told}{luck}; {runs}")

    def rebuilt(self) -> Iterator[Evidence]:
        """What is left of the change between builds made alike."""
        verdict = self._basis.verdict
        found = verdict.rebuilt if verdict is not None else None
        if found is not None:
            size = numbers.percent(found.left.relative, signed=True)
            interval = f"{self._sure} interval {numbers.interval(found.left)}"
            runs = f"{numbers.count(found.runs, 'run')} in turns with the earlier builds"
            yield _row("Built alike today", size, f"{interval}; what moved: {moves_told(found.moves)}; {runs}")

    def parts(self) -> Iterator[Evidence]:
        """Which of the parts of a change it was, and on what that rests."""
        investigation, verdict = self._basis.investigation, self._basis.verdict
        part = parts_part(investigation, verdict)
        if part is None or verdict is None or verdict.parts is None:
            return
        chance = numbers.probability(part.probability) if part.probability is not None else "not known"
        tried = f"{numbers.count(len(part.sets), 'set')} built beside the two commits" if part.sets else ""
        yield _row("Of what moved", chance, "; ".join(filter(None, (parts_told(investigation, verdict.parts), tried))))

    def trials(self) -> Iterator[Evidence]:
        """What was tried: how much of the change it gives back."""
        investigation, verdict = self._basis.investigation, self._basis.verdict
        if verdict is None:
            return
        found = [verdict.trial, *(culprit.revert for culprit in verdict.culprits), verdict.head]
        for each in found:
            part = part_of(investigation, each)
            if each is not None and part is not None:
                yield Evidence(label=LABELS[each.kind], value=Phrase(_given_back(each)), grounds=_grounds(each, part))

    def noise(self) -> Iterator[Evidence]:
        found = self._basis.main
        if found is None or found.posterior is None:
            return
        if found.posterior.exact:
            yield _row("Noise", "none", noise_told(found.view))
            return
        run, build = (
            numbers.percent(abs(found.view.scale.relative(deviation)))
            for deviation in (found.posterior.sigma, found.posterior.tau)
        )
        compare = not self._basis.investigation.request.searches
        built = "what a build adds cannot be told from two commits" if compare else f"a build adds {build}"
        built = kinds_told(found) or built
        yield _row("Noise", f"{run} a run", f"typical deviation; {built}")

    def _quantity(self, value: float) -> str:
        return f"{self._gauge.bare(value)} {told(self._gauge.unit)}".rstrip()


def _in_pairs(paired: PairedPart | None) -> str:
    if paired is None:
        return ""
    pairs = numbers.count(paired.pairs, "pair")
    return f"; in {pairs} {numbers.percent(paired.change.relative, signed=True)} ({numbers.interval(paired.change)})"


def _on_other_builds(found: Fresh) -> str:
    others = found.builds - 1
    if not found.passed or others < 1:
        return ""
    return f"; {'another pair' if others == 1 else f'{numbers.whole(others)} other pairs'} of builds showed it too"


def _share(culprit: CulpritPart) -> str:
    share = culprit.share or 0.0
    held = "of the whole change" if share > 0 else "of the whole change, which it takes back"
    if culprit.share_low is None or culprit.share_high is None:
        return f"{numbers.percent(abs(share))} {held}"
    low, high = sorted((abs(culprit.share_low), abs(culprit.share_high)))
    return f"{numbers.percent(abs(share))} ({numbers.percent(low)} to {numbers.percent(high)}) {held}"


def _given_back(found: Restoration) -> str:
    if found.conflicts:
        return "conflict"
    return numbers.percent(found.share) if found.share is not None and abs(found.share) <= FAR else "not known"


def _grounds(found: Restoration, part: RestorationPart) -> Phrase:
    """Of what it is a part, how sure that is, and on how many runs it rests."""
    if found.share is None or found.conflicts:
        return Phrase(f"{subject_of(part.kind, part.commit)} {clause(found)}")
    what = f"{subject_of(part.kind, part.commit)} {clause(found)}"
    if not found.runs:
        return Phrase(f"{what}; nothing had to be run")
    needed = f"{numbers.percent(found.needed)} or more would be all of it"
    return Phrase(f"{what}; {needed}; {numbers.count(found.runs, 'run')} in turns with both ends")


def _runs(cost: CostPart) -> Evidence:
    warmups = f", and {numbers.count(cost.warmups, 'warm-up')} that nothing is read from" if cost.warmups else ""
    return _row("Runs", numbers.whole(cost.runs), f"on {numbers.count(cost.commits, 'commit')}{warmups}")


def _row(label: str, value: str, grounds: str = "") -> Evidence:
    return Evidence(label=label, value=Phrase(value), grounds=Phrase(grounds))
