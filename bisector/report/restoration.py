"""Trials, told: how much of the change is given back by bad without a commit, with a patch, or at the branch's tip."""

import math
from dataclasses import dataclass

from bisector.core.model.investigation import Investigation
from bisector.core.model.trial import TrialKind
from bisector.core.model.trials import HEAD_PLACE, Restoration
from bisector.core.model.verdict import Culprit, Verdict, VerdictKind
from bisector.report import numbers
from bisector.report.phrase import Phrase, quote, told
from bisector.report.text import SHORT, displayed, one_line, redacted

MOST_CONFLICTS = 6
"""Files in conflict that a sentence names."""
FAR = 10.0
"""A share beyond this says no more than that the change it is a share of is near nothing."""
LONGEST_PROBLEM = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class RestorationPart:
    """What came of a trial. The commit is what was taken out, put on top or measured as the tip; "" for a patch.

    Shares are of the change between the ends; None stands for what is not known.
    """

    kind: TrialKind
    commit: str
    tree: str
    share: float | None
    low: float | None
    high: float | None
    needed: float
    restored: bool | None
    left: tuple[float, float, float] | None
    runs: int
    conflicts: tuple[str, ...]
    problem: str
    phrase: Phrase


def part_of(investigation: Investigation, found: Restoration | None) -> RestorationPart | None:
    """A trial as a report has it; None without one."""
    if found is None:
        return None
    made = investigation.trials.get(found.place)
    trial = made.trial if made is not None else investigation.request.trial
    known = found.share is not None and math.isfinite(found.share)
    return RestorationPart(
        kind=found.kind,
        commit=one_line(trial.commit or "") if trial is not None else "",
        tree=one_line(made.commit.tree) if made is not None else "",
        share=found.share if known else None,
        low=found.low,
        high=found.high,
        needed=found.needed,
        restored=found.restored,
        left=found.left,
        runs=found.runs,
        conflicts=tuple(one_line(path, 200) for path in found.conflicts),
        problem=displayed(found.problem, LONGEST_PROBLEM),
        phrase=Phrase(clause(found)),
    )


def still_there(found: Restoration | RestorationPart | None) -> bool | None:
    """Whether the change is still there at the tip of the branch, as far as is known."""
    return None if found is None or found.restored is None else not found.restored


def clause(found: Restoration) -> str:
    """What came of a trial, as the end of a sentence: "gives back 97 % of the change (91 % to 104 %)"."""
    if found.conflicts:
        files = numbers.listing(quote(path, 120) for path in found.conflicts[:MOST_CONFLICTS])
        more = len(found.conflicts) - MOST_CONFLICTS
        return f"cannot be made: it conflicts in {files}{f' and {numbers.whole(more)} more' if more > 0 else ''}"
    if found.share is None:
        return f"was not measured: {told(redacted(found.problem)) or 'nothing was run'}"
    if found.low == found.high == 0 and not found.runs:
        return f"{_verb(found)} nothing: {told(found.problem)}"
    return f"{_verb(found)} {amount(found)}"


def _verb(found: Restoration) -> str:
    return "brings" if found.kind is TrialKind.APPLY else "gives back"


def amount(found: Restoration) -> str:
    """ "97 % of the change (91 % to 104 %)" as part of a phrase."""
    if found.share is None or abs(found.share) > FAR:
        return "an unknown part of the change"
    part = f"{numbers.percent(found.share)} of the change"
    if found.low is None or found.high is None or max(abs(found.low), abs(found.high)) > FAR:
        return part
    return f"{part} ({numbers.percent(found.low)} to {numbers.percent(found.high)})"


def reverted(culprit: Culprit) -> str:
    """The part of the sentence about a culprit that tells of bad without it; "" where that was not tried."""
    found = culprit.revert
    if found is None:
        return ""
    if found.conflicts:
        return f"; bad without it {clause(found)}"
    unsure = ", which is not clear" if found.restored is None and found.share is not None else ""
    return f"; bad without it {clause(found)}{unsure}"


def at_head(investigation: Investigation, verdict: Verdict) -> str:
    """The sentence that tells whether the change is still there at the tip of the branch; "" where nobody asked."""
    found = verdict.head
    if found is None:
        return ""
    name = quote(investigation.commit(HEAD_PLACE).sha[:SHORT]) if HEAD_PLACE in investigation.trials else "the tip"
    match still_there(found):
        case True:
            return f" It is still there at {name}."
        case False:
            return f" At {name} it is gone: that {clause(found)}."
        case None:
            why = told(redacted(found.problem)) or "nothing was run"
            known = f"it gives back {amount(found)}" if found.share is not None else why
            return f" Whether it is still there at {name} is not known: {known}."


def tried(investigation: Investigation, verdict: Verdict) -> str:
    """What the job that tries something says, as a phrase of whole sentences."""
    found, trial = verdict.trial, investigation.request.trial
    if found is None or trial is None:
        return f"Nothing could be tried: {told(redacted(verdict.explanation)) or 'it was stopped'}."
    subject = subject_of(found.kind, trial.commit or "")
    name = quote(investigation.metric.name)
    match verdict.kind:
        case VerdictKind.RESTORED:
            return f"Restored: {subject} {clause(found)} of {name}."
        case VerdictKind.NOT_RESTORED:
            return f"Not restored: {subject} {clause(found)} of {name}."
        case VerdictKind.NOT_REPRODUCED:
            return f"Nothing to give back: {name} does not differ between good and bad."
        case _:
            return f"Cannot tell: {subject} {clause(found)}{_why(found)}."


def subject_of(kind: TrialKind, commit: str) -> str:
    """What was tried, as the subject of a sentence."""
    name = quote(commit[:SHORT])
    match kind:
        case TrialKind.REVERT:
            return f"bad without {name}"
        case TrialKind.APPLY:
            return f"good with {name}"
        case TrialKind.PATCH:
            return "bad with the patch"
        case TrialKind.HEAD:
            return f"{name}"


def _why(found: Restoration) -> str:
    return f"; {told(found.problem)}" if found.share is not None and found.problem else ""
