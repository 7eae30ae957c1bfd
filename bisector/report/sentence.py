"""The answer in one sentence that a person can paste."""

from bisector.core.model.history import Commit, LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Better
from bisector.core.model.verdict import Change, Culprit, InnerKind, Reason, Verdict, VerdictKind
from bisector.report import numbers
from bisector.report.text import one_line

SHORT = 10
"""Digits of a commit's name in running text."""


def sentence_of(investigation: Investigation) -> str:
    """The verdict as one sentence; a plain statement of the state while there is none."""
    verdict = investigation.verdict
    if verdict is None:
        return "The job has no answer yet."
    if investigation.request.kind is JobKind.COMPARE:
        return _comparison(investigation, verdict)
    match verdict.kind:
        case VerdictKind.CULPRIT:
            return _culprit(investigation, verdict)
        case VerdictKind.CULPRIT_SET:
            return _set(investigation, verdict)
        case VerdictKind.NOT_REPRODUCED:
            return _not_reproduced(investigation, verdict)
        case VerdictKind.FAILED:
            return f"Nothing could be measured: {one_line(verdict.explanation, 400)}."
        case _:
            return _undecided(investigation, verdict)


def name_of(commit: Commit) -> str:
    """A commit as running text names it: short name and subject."""
    return f"{commit.sha[:SHORT]} ({one_line(commit.subject, 72)})" if commit.subject else commit.sha[:SHORT]


def direction_of(investigation: Investigation, change: Change) -> str:
    """Whether a change is for the worse: "worse" or "better"."""
    rises = change.relative > 0
    return "worse" if rises == (investigation.request.metric.better is Better.LOWER) else "better"


def _culprit(investigation: Investigation, verdict: Verdict) -> str:
    culprit = verdict.culprits[0]
    commit = investigation.commit(culprit.place)
    kind = "Merge" if commit.is_merge else "Commit"
    effect = _effect(investigation, culprit.change)
    how = "verified by fresh runs against its parent" if culprit.verified else "not verified"
    text = f"{kind} {name_of(commit)} made {effect}, probability {numbers.probability(culprit.probability)}, {how}"
    return f"{text}{_inner(investigation, culprit)}."


def _inner(investigation: Investigation, culprit: Culprit) -> str:
    inner = culprit.inner
    if inner is None:
        return ""
    members = [investigation.commit(Place(line=LineName.INNER, index=index)) for index in inner.members]
    match inner.kind:
        case InnerKind.COMMIT:
            return f"; inside it, commit {name_of(members[0])} ({numbers.probability(inner.probability)})"
        case InnerKind.COMMIT_SET:
            names = numbers.listing(commit.sha[:SHORT] for commit in members[:6])
            more = f" and {len(members) - 6} more" if len(members) > 6 else ""
            return f"; inside it, one of {names}{more} ({numbers.probability(inner.probability)})"
        case InnerKind.INTERACTION:
            return "; no single commit inside it gives half of the change: it is the interaction"
        case InnerKind.UNDECIDED:
            return "; which commit inside it is undecided"


def _set(investigation: Investigation, verdict: Verdict) -> str:
    culprit = verdict.culprits[0]
    effect = _effect(investigation, verdict.change)
    first, last = (investigation.commit(Place(line=LineName.MAIN, index=i)) for i in _span(culprit))
    chance = numbers.probability(culprit.probability)
    if len(culprit.members) == 1:
        return f"Probably {name_of(first)} made {effect}, probability {chance}; {_not_sure(verdict)}."
    size, ends = numbers.count(len(culprit.members), "commit"), f"{first.sha[:SHORT]} to {last.sha[:SHORT]}"
    return f"One of {size}, {ends}, made {effect}, probability {chance}; {_not_sure(verdict)}."


def _not_sure(verdict: Verdict) -> str:
    match verdict.reason:
        case Reason.UNTESTABLE:
            return "the commits in between cannot be tested"
        case Reason.BUDGET:
            return "the budget was spent before it could be made sure"
        case _:
            return "no further run or build would have made it surer"


def _span(culprit: Culprit) -> tuple[int, int]:
    return min(culprit.members), max(culprit.members)


def _not_reproduced(investigation: Investigation, verdict: Verdict) -> str:
    metric = investigation.request.metric
    smallest = numbers.percent(verdict.excluded) if verdict.excluded is not None else "the asked size"
    match verdict.reason:
        case Reason.OPPOSITE_DIRECTION:
            found = _effect(investigation, verdict.change)
            return f"Not reproduced: bad has {found}, the other way than asked."
        case Reason.ON_GOOD_BRANCH:
            return f"Not reproduced on this line: {one_line(verdict.explanation, 300)}."
        case Reason.BELOW_MIN_EFFECT:
            found = numbers.change(verdict.change) if verdict.change else "a small change"
            wanted = numbers.percent(investigation.request.min_effect_of(metric))
            return f"Not reproduced: {metric.name} changes by {found}, less than the {wanted} worth naming."
        case _:
            return f"Not reproduced: a change of {metric.name} of {smallest} or more is excluded (95 %)."


def _undecided(investigation: Investigation, verdict: Verdict) -> str:
    change = f"; between the ends {_effect(investigation, verdict.change)}" if verdict.change else ""
    kinds = {VerdictKind.ENVIRONMENT_CHANGED: "The environment changed", VerdictKind.CANCELLED: "Cancelled"}
    start = kinds.get(verdict.kind, "Undecided")
    return f"{start}: {one_line(verdict.explanation, 400) or 'the evidence is not enough'}{change}."


def _comparison(investigation: Investigation, verdict: Verdict) -> str:
    metric = investigation.request.metric
    if verdict.change is None:
        return _undecided(investigation, verdict)
    found = numbers.change(verdict.change)
    if verdict.kind is VerdictKind.CULPRIT:
        return f"{metric.name} is {direction_of(investigation, verdict.change)} by {found}."
    if verdict.kind is VerdictKind.NOT_REPRODUCED:
        bound = numbers.percent(verdict.excluded or 0.0)
        return f"No change of {metric.name} worth naming: {found}; {bound} or more is excluded (95 %)."
    return f"Cannot tell whether {metric.name} changed: {found}."


def _effect(investigation: Investigation, change: Change | None) -> str:
    metric = investigation.request.metric
    if change is None:
        return f"a change of {metric.name}"
    between = f" ({numbers.percent(change.low, signed=True)} to {numbers.percent(change.high, signed=True)})"
    word = direction_of(investigation, change)
    return f"{metric.name} {word} by {numbers.percent(abs(change.relative))}{between}"
