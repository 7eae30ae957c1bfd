"""Suspects as a report tells them: in the sentence, as JSON."""

from collections.abc import Sequence
from typing import Any

from bisector.core.explain.counts import Manner
from bisector.core.explain.stacks import Unit
from bisector.core.explain.suspects import Relation, Suspect
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Better, Metric
from bisector.core.model.verdict import Change
from bisector.report import numbers
from bisector.report.explanation import Explanation
from bisector.report.numbers import json_number
from bisector.report.phrase import Phrase, quote
from bisector.report.text import one_line

MOST_TOLD = 10


def prime_suspect(explanation: Explanation, culprit: str) -> Phrase | None:
    """The end of the sentence about `culprit` ("this merge"): which function most of the extra time is in."""
    if not explanation.suspects:
        return None
    suspect = explanation.suspects[0]
    share, frame = numbers.percent(min(suspect.share, 1.0)), suspect.function.frame
    where = f"{quote(frame.name, 120)} in {quote(frame.module, 160)}" if frame.module else quote(frame.name, 120)
    found = explanation.difference
    what = "memory" if found is not None and found.unit is Unit.BYTES else "time"
    more = f"{_relation(suspect, culprit)}{_manner(suspect)}{_below(suspect, what)}"
    return Phrase(f"{share} of the extra {what} is in {where}{more}")


def with_suspect(sentence: Phrase, investigation: Investigation, explanations: Sequence[Explanation]) -> Phrase:
    """The sentence with the prime suspect of the first culprit, where there is one: it only tells what grew."""
    verdict = investigation.verdict
    if verdict is None or verdict.change is None or not explanations:
        return sentence
    commit = investigation.commit(explanations[0].new)
    culprit = "B" if investigation.request.kind is JobKind.COMPARE else "this merge" if commit.is_merge else "it"
    ending = prime_suspect(explanations[0], culprit)
    if ending is None or not _is_slower(investigation.metric, verdict.change):
        return sentence
    if verdict.opposite or len(verdict.culprits) > 1 or not sentence.endswith("."):
        return Phrase(f"{sentence} Of the first, {ending}.")
    return Phrase(f"{sentence[:-1]}; {ending}.")


def _is_slower(metric: Metric, change: Change) -> bool:
    """Whether the change is for the worse, which is what more time, or more memory, explains."""
    return (change.relative > 0) == (metric.better is Better.LOWER)


def _relation(suspect: Suspect, culprit: str) -> str:
    match suspect.relation:
        case Relation.TOUCHED:
            return f", which {culprit} changed"
        case Relation.CALLS_TOUCHED:
            return f", which calls what {culprit} changed"
        case Relation.UNTOUCHED:
            return f", which {culprit} does not touch"
        case None:
            return ""


def _manner(suspect: Suspect) -> str:
    """That it is called more often, and from where, as far as it was counted."""
    if suspect.manner is not Manner.MORE_CALLS or suspect.calls is None:
        return ""
    ratio = suspect.calls.ratio
    often = f"{ratio:.3g} times as often" if ratio is not None else "now and was not before"
    caller = f" (by {quote(suspect.called_by.name, 120)})" if suspect.called_by is not None else ""
    return f" and is called {often}{caller}"


def _below(suspect: Suspect, what: str) -> str:
    """What that it calls, or has called, the time is spent in, or the memory taken by."""
    if suspect.through is None:
        return ""
    verb = "taken by" if what == "memory" else "spent in"
    return f", mostly {verb} {quote(suspect.through.name, 120)} below it"


def suspect_objects(explanation: Explanation) -> list[dict[str, Any]]:
    """The suspects as the result's JSON has them, costs in the profile's unit per run."""
    return [
        {
            "function": one_line(suspect.function.frame.name, 400),
            "file": one_line(suspect.function.frame.module, 400) or None,
            "line": suspect.line or None,
            "self_delta": json_number(suspect.function.own.delta),
            "total_delta": json_number(suspect.function.total.delta),
            "share": json_number(suspect.share),
            "touched": None if suspect.relation is None else suspect.relation is Relation.TOUCHED,
        }
        for suspect in explanation.suspects[:MOST_TOLD]
    ]
