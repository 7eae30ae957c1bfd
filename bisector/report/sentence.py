"""The answer in one sentence that a person can paste."""

from dataclasses import replace
from typing import assert_never

from bisector.core.model.history import Commit, inner, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Across
from bisector.core.model.scenario import CRASHED, Better, Metric
from bisector.core.model.verdict import (
    Change,
    Culprit,
    InnerAnswer,
    InnerKind,
    PartsAnswer,
    Reason,
    Verdict,
    VerdictKind,
)
from bisector.core.search.outlook import Outlook
from bisector.core.search.proof import UNVERIFIED
from bisector.report import numbers
from bisector.report.packages import blamed, moved_by, seen_of
from bisector.report.parts import parts_told
from bisector.report.phrase import Phrase, plain, quote, told
from bisector.report.restoration import at_head, reverted, tried
from bisector.report.text import SHORT, redacted
from bisector.report.verification import latest
from bisector.report.words import DOUBTS

LONGEST_EXPLANATION = 4000
TRIED = frozenset(
    {VerdictKind.RESTORED, VerdictKind.NOT_RESTORED, VerdictKind.NOT_REPRODUCED, VerdictKind.INCONCLUSIVE}
)
"""What a job that tries something may come to, beside failing."""
UNSETTLED = {
    VerdictKind.ENVIRONMENT_CHANGED: "The environment changed",
    VerdictKind.INCONCLUSIVE: "Undecided",
    VerdictKind.CANCELLED: "Cancelled",
}
MOST_NAMED = 6
"""Commits that one sentence names."""


def sentence_of(investigation: Investigation) -> str:
    """The verdict as one sentence; a plain statement of the state while there is none."""
    if investigation.verdict is None:
        return "The job has no answer yet."
    return plain(answer(investigation, investigation.verdict))


def answer(investigation: Investigation, verdict: Verdict, metric: Metric | None = None) -> Phrase:
    """What `verdict` says of `metric` (the first asked for by default), as a phrase."""
    asked = compared(investigation, metric or investigation.metric)
    if investigation.request.trial is not None and verdict.kind in TRIED:
        return Phrase(tried(investigation, verdict))
    if not investigation.request.searches:
        return Phrase(_comparison(investigation, verdict, asked))
    return Phrase(_Teller(investigation, asked).tell(verdict))


def compared(investigation: Investigation, metric: Metric) -> Metric:
    """`metric` by the name of what is compared of it: "p95 of seconds" where that is not its level."""
    across = investigation.request.search.across
    plain_level = across is Across.MEDIAN or metric == CRASHED
    return replace(metric, name=spoken(metric) if plain_level else f"{across} of {spoken(metric)}")


def spoken(metric: Metric) -> str:
    """The metric's name as a sentence has it: of a bare command nobody has named what it prints."""
    return "the printed value" if metric.if_printed else metric.name


def standing(investigation: Investigation, found: Outlook | None, state: str) -> Phrase:
    """Where an unanswered job stands, as a phrase."""
    runs = investigation.runs()
    spent = f" after {numbers.count(runs, 'run')}" if runs else ""
    start = {"queued": "Queued", "cancelled": "Cancelled", "paused": "Paused"}.get(state, "No answer yet")
    if investigation.history is None:
        return Phrase(f"{start}{spent}: nothing is known of the range yet.")
    candidates = numbers.count(investigation.line.size, "candidate")
    if found is None or found.posterior is None:
        return Phrase(f"{start}{spent}: {candidates}, and the ends are still to be measured.")
    if found.no_change > 0.5:
        chance = numbers.probability(found.no_change)
        return Phrase(f"{start}{spent}: so far the ends do not differ (probability {chance}).")
    if not investigation.request.searches:
        chance = numbers.probability(1 - found.no_change)
        return Phrase(f"{start}{spent}: so far the two differ with a probability of {chance}.")
    best = max(range(len(found.chances)), key=lambda position: float(found.chances[position]))
    name = named(investigation.commit(main(best + 1)))
    chance = numbers.probability(float(found.chances[best]))
    sure = numbers.setting(investigation.request.search.confidence)
    among = f"so far the culprit is among {numbers.whole(len(found.likely))} of {candidates} ({sure})"
    return Phrase(f"{start}{spent}: {among}, likeliest {name} with {chance}.")


def name_of(commit: Commit) -> str:
    """A commit as plain text names it: short name and subject."""
    return plain(named(commit))


def named(commit: Commit) -> str:
    """The same as part of a phrase."""
    subject = quote(commit.subject, 72)
    return f"{quote(commit.sha[:SHORT])} ({subject})" if subject else quote(commit.sha[:SHORT])


def direction_of(investigation: Investigation, change: Change) -> str:
    """Whether a change of the metric the answer is about is for the worse: "worse" or "better"."""
    return _direction(investigation.metric, change)


def _direction(metric: Metric, change: Change) -> str:
    return "worse" if (change.relative > 0) == (metric.better is Better.LOWER) else "better"


def effect(metric: Metric, change: Change | None) -> str:
    """A change as part of a phrase: "seconds worse by 8.3 % (+7.1 % to +9.4 %)"."""
    if metric == CRASHED:
        return "the run fail"
    name = quote(metric.name)
    if change is None:
        return f"a change of {name}"
    size = numbers.percent(abs(change.relative))
    return f"{name} {_direction(metric, change)} by {size} ({numbers.interval(change)})"


def explained(text: str) -> str:
    """An explanation as part of a phrase: plain words as they are, what a build or a run printed as a quotation."""
    return told(redacted(text[:LONGEST_EXPLANATION]).strip().rstrip("."))


class _Teller:
    """Tells the verdicts of one investigation about one metric."""

    def __init__(self, investigation: Investigation, metric: Metric) -> None:
        self._investigation = investigation
        self._metric = metric

    def tell(self, verdict: Verdict) -> str:
        match verdict.kind:
            case VerdictKind.CULPRIT:
                return (
                    self._culprit(verdict.culprits[0], verdict.parts) + "." + self._apart(verdict) + self._head(verdict)
                )
            case VerdictKind.CULPRIT_SET:
                return self._set(verdict) + self._head(verdict)
            case VerdictKind.SEVERAL:
                every = verdict.culprits[:MOST_NAMED]
                told = numbers.listing(_lower(self._culprit(each, verdict.parts)) for each in every)
                apart = self._apart(verdict) + self._head(verdict)
                return f"{numbers.count(len(verdict.culprits), 'change')}: {told}.{apart}"
            case VerdictKind.NOT_REPRODUCED:
                return self._not_reproduced(verdict)
            case VerdictKind.FAILED:
                return f"Nothing could be measured: {explained(verdict.explanation)}."
            case VerdictKind.ENVIRONMENT_CHANGED | VerdictKind.INCONCLUSIVE | VerdictKind.CANCELLED:
                return self._unsettled(UNSETTLED[verdict.kind], verdict)
            case VerdictKind.RESTORED | VerdictKind.NOT_RESTORED:
                return tried(self._investigation, verdict)
        assert_never(verdict.kind)

    def _moves(self, culprit: Culprit, parts: PartsAnswer | None) -> str:
        """The end of a sentence about a culprit that only moves packages or submodules, and which of them it was."""
        moves = moved_by(seen_of(self._investigation, culprit.place))
        if parts is None or parts.place != culprit.place:
            return moves
        return f"{moves}; {parts_told(self._investigation, parts)}"

    def _culprit(self, culprit: Culprit, parts: PartsAnswer | None = None) -> str:
        who = self._who(culprit)
        made = f"{who[0].upper()}{who[1:]} made {effect(self._metric, culprit.change)}"
        inside = f"; {inner_part(self._investigation, culprit.inner)}" if culprit.inner else ""
        sure = f"probability {numbers.probability(culprit.probability)}, {self._verified(culprit)}"
        odd = f"; suspicious: {DOUBTS[culprit.suspicious]}" if culprit.suspicious is not None else ""
        moves = self._moves(culprit, parts)
        return f"{made}, {sure}{inside}{moves}{reverted(culprit)}{odd}"

    def _head(self, verdict: Verdict) -> str:
        return at_head(self._investigation, verdict)

    def _apart(self, verdict: Verdict) -> str:
        """The changes the other way, which are no culprits."""
        if not verdict.opposite:
            return ""
        found = numbers.listing(
            f"{self._who(culprit)} made {effect(self._metric, culprit.change)}"
            for culprit in verdict.opposite[:MOST_NAMED]
        )
        whole = verdict.change
        ends = f"; between the ends {quote(self._metric.name)} changes by {numbers.change(whole)}" if whole else ""
        return f" Apart from that, {found}{ends}."

    def _who(self, culprit: Culprit) -> str:
        """A culprit, or a set of commits one of which is it, as the subject of a sentence."""
        commit = self._investigation.commit(culprit.place)
        if len(culprit.members) > 1:
            return f"one of {numbers.count(len(culprit.members), 'commit')} up to {named(commit)}"
        return f"{'merge' if commit.is_merge else 'commit'} {named(commit)}"

    def _verified(self, culprit: Culprit) -> str:
        found = latest(self._investigation, culprit)
        if found is not None and not found.passed:
            return "though fresh runs against its parent did not show it"
        return "verified by fresh runs against its parent" if culprit.verified else "not verified"

    def _set(self, verdict: Verdict) -> str:
        culprit = verdict.culprits[0]
        made, chance = self._part_of(culprit, verdict.change), numbers.probability(culprit.probability)
        first, last = (self._investigation.commit(main(i)) for i in (min(culprit.members), max(culprit.members)))
        if len(culprit.members) == 1:
            return f"Probably {named(first)} made {made}, probability {chance}; {_not_sure(verdict)}."
        ends = f"{quote(first.sha[:SHORT])} to {quote(last.sha[:SHORT])}"
        size = numbers.count(len(culprit.members), "commit")
        return f"One of {size}, {ends}, made {made}, probability {chance}; {_not_sure(verdict)}."

    def _part_of(self, culprit: Culprit, whole: Change | None) -> str:
        """The change of a set: that between the ends, unless fresh runs on both sides of it show less than half."""
        part = culprit.change
        if not culprit.verified or part is None or whole is None or abs(part.relative) > abs(whole.relative) / 2:
            return effect(self._metric, whole)
        size = numbers.percent(abs(whole.relative))
        return f"{effect(self._metric, part)}, a part of the {size} between the ends"

    def _not_reproduced(self, verdict: Verdict) -> str:
        metric, name = self._metric, quote(self._metric.name)
        match verdict.reason:
            case Reason.OPPOSITE_DIRECTION:
                return f"Not reproduced: bad has {effect(metric, verdict.change)}, the other way than asked."
            case Reason.ON_GOOD_BRANCH:
                return f"Not reproduced on this line: {explained(verdict.explanation)}."
            case Reason.BELOW_MIN_EFFECT:
                found = numbers.change(verdict.change) if verdict.change else "a small change"
                wanted = numbers.setting(self._investigation.request.min_effect_of(metric))
                return f"Not reproduced: {name} changes by {found}, less than the {wanted} worth naming."
            case _:
                bound = numbers.percent(verdict.excluded) if verdict.excluded is not None else "the asked size"
                return f"Not reproduced: a change of {name} of {bound} or more is excluded (95 %)."

    def _creep(self, verdict: Verdict) -> str:
        change = effect(self._metric, verdict.change)
        return f"No single commit made it: {change} between the ends, in many steps too small to name"

    def _unsettled(self, start: str, verdict: Verdict) -> str:
        if verdict.reason is Reason.CREEP:
            return f"{self._creep(verdict)}."
        if verdict.rebuilt is not None and verdict.kind is VerdictKind.ENVIRONMENT_CHANGED:
            of = f" {_upper(parts_told(self._investigation, verdict.parts))}." if verdict.parts is not None else ""
            return f"{blamed(self._investigation, verdict.rebuilt)}{of}"
        why = explained(verdict.explanation) or "the evidence is not enough"
        found = f"; between the ends {effect(self._metric, verdict.change)}" if verdict.change else ""
        return f"{start}: {why}{found}."


def inner_part(investigation: Investigation, answer: InnerAnswer) -> str:
    """Which of the commits a merge brought in made its change, as part of a phrase."""
    named = inner_names(investigation, answer)
    if answer.kind in {InnerKind.COMMIT, InnerKind.COMMIT_SET}:
        return f"inside it, {named} ({numbers.probability(answer.probability)})"
    return named


def inner_names(investigation: Investigation, answer: InnerAnswer) -> str:
    """The same without its probability."""
    members = [investigation.commit(inner(index)) for index in answer.members]
    match answer.kind:
        case InnerKind.COMMIT:
            return f"commit {named(members[0])}"
        case InnerKind.COMMIT_SET:
            names = [quote(commit.sha[:SHORT]) for commit in members[:MOST_NAMED]]
            more = [f"{numbers.whole(len(members) - MOST_NAMED)} more"] if len(members) > MOST_NAMED else []
            return f"one of {numbers.listing((*names, *more))}"
        case InnerKind.INTERACTION:
            return "no single commit inside it gives half of the change: it is the interaction"
        case InnerKind.UNDECIDED:
            return "which commit inside it is undecided"
    assert_never(answer.kind)


def _upper(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"


def _lower(sentence: str) -> str:
    """The same in the middle of another."""
    return f"{sentence[0].lower()}{sentence[1:]}"


def _not_sure(verdict: Verdict) -> str:
    match verdict.reason:
        case Reason.UNTESTABLE:
            return "the commits in between cannot be tested"
        case Reason.CONFIDENCE if verdict.explanation == UNVERIFIED:
            return UNVERIFIED
        case Reason.LAYOUT:
            return "two builds of its parent differ as much"
        case Reason.BUDGET:
            return "the budget was spent before it could be made sure"
        case _:
            return "no further run or build would have made it surer"


def _comparison(investigation: Investigation, verdict: Verdict, metric: Metric) -> str:
    name, change = quote(metric.name), verdict.change
    if change is None:
        return _Teller(investigation, metric).tell(verdict)
    if verdict.kind is VerdictKind.CULPRIT:
        size = numbers.percent(abs(change.relative))
        return f"{name} is {_direction(metric, change)} by {size} ({numbers.interval(change)})."
    if verdict.kind is VerdictKind.NOT_REPRODUCED:
        bound = numbers.percent(verdict.excluded or 0.0)
        return f"No change of {name} worth naming: {numbers.change(change)}; {bound} or more is excluded (95 %)."
    if verdict.kind in {VerdictKind.INCONCLUSIVE, VerdictKind.CULPRIT_SET}:
        return f"Cannot tell whether {name} changed: {numbers.change(change)}."
    return _Teller(investigation, metric).tell(verdict)
