"""What a change is made of, as a report tells it: which package that it moves made it, or which submodule's commit."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from bisector.core.model.history import LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.packages import PackageMove
from bisector.core.model.parts import PartKind, PartsListed
from bisector.core.model.samples import Outcome
from bisector.core.model.trials import Restoration
from bisector.core.model.verdict import Change, InnerKind, PartsAnswer, Verdict
from bisector.report import numbers
from bisector.report.numbers import json_number
from bisector.report.packages import harmless_move, move_objects, moves_told
from bisector.report.phrase import Phrase, quote, told
from bisector.report.restoration import RestorationPart, part_of
from bisector.report.text import SHORT, displayed, one_line, redacted

MOST_NAMED = 4
PARTS = frozenset({LineName.PART, LineName.ALONE, LineName.COMPANY})
LONGEST_REASON, LONGEST_NAME = 400, 120


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmoduleCommit:
    """A commit of a submodule, and where that comes from."""

    path: str
    remote: str
    sha: str
    subject: str
    author: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetPart:
    """One set of parts that was tried: the packages that have moved in it, or the commit of the submodule."""

    moved: tuple[str, ...]
    runs: int
    median: float | None
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartsPart:
    """What taking a change apart came to. `moves` or `commits` are the parts that the answer names, of `size`;
    `every` package that was looked at stands in the order in which they were moved."""

    kind: PartKind
    answer: InnerKind
    commit: str
    size: int
    moves: tuple[PackageMove, ...]
    commits: tuple[SubmoduleCommit, ...]
    every: tuple[PackageMove, ...]
    probability: float | None
    change: Change | None
    alone: RestorationPart | None
    sets: tuple[SetPart, ...]
    problem: str
    phrase: Phrase


def parts_part(investigation: Investigation, verdict: Verdict | None) -> PartsPart | None:
    """The part of a report about it; None where nothing was taken apart."""
    answer, parts = verdict.parts if verdict is not None else None, investigation.parts
    if answer is None or parts is None:
        return None
    members = [index for index in answer.members if index <= parts.size]
    packages = parts.what is PartKind.PACKAGES
    return PartsPart(
        kind=parts.what,
        answer=answer.kind,
        commit=one_line(investigation.commit(parts.place).sha),
        size=parts.size,
        moves=tuple(harmless_move(parts.moves[index - 1]) for index in members) if packages else (),
        commits=tuple(_commit(parts, index) for index in members) if not packages else (),
        every=tuple(map(harmless_move, parts.moves)),
        probability=None if answer.kind is InnerKind.UNDECIDED else answer.probability,
        change=answer.change,
        alone=part_of(investigation, answer.alone),
        sets=tuple(_sets(investigation)),
        problem=displayed(answer.problem, LONGEST_REASON),
        phrase=Phrase(parts_told(investigation, answer)),
    )


def parts_told(investigation: Investigation, answer: PartsAnswer) -> str:
    """Which part it was, as part of a phrase: "of the 4 packages that moved, foo 1.0 → 2.0 makes +18 % (…)"."""
    parts = investigation.parts
    if parts is None:
        return ""
    if parts.what is PartKind.SUBMODULES:
        return _in_submodule(parts, answer)
    of = f"of the {numbers.count(parts.size, 'package')} that moved"
    moves = [parts.moves[index - 1] for index in answer.members if index <= parts.size]
    match answer.kind:
        case InnerKind.COMMIT:
            return f"{of}, {moves_told(moves)} makes {_size(answer.change)}{_alone(answer.alone)}"
        case InnerKind.COMMIT_SET:
            return f"{of}, it is one of {moves_told(moves)}"
        case InnerKind.INTERACTION if answer.alone is not None:
            company = f"{'one or more of ' if len(moves) > 2 else ''}{moves_told(moves[:-1])}"
            return f"{of}, {moves_told(moves[-1:])} makes it, but only together with {company}"
        case InnerKind.INTERACTION:
            return f"{of}, none makes half of the change"
        case InnerKind.UNDECIDED:
            return f"which of the packages makes it is not known: {_problem(answer)}"


def _alone(alone: Restoration | None) -> str:
    if alone is None or alone.share is None:
        return "" if alone is None else ", in the company of those before it"
    if alone.restored:
        return f", and alone {numbers.percent(alone.share)} of the change"
    return ""


def _size(change: Change | None) -> str:
    return numbers.change(change) if change is not None else "the change"


def _in_submodule(parts: PartsListed, answer: PartsAnswer) -> str:
    members = [index for index in answer.members if index <= parts.size]
    commits = [_named(parts, index) for index in members[:MOST_NAMED]]
    if len(members) > MOST_NAMED:
        commits.append(f"{numbers.whole(len(members) - MOST_NAMED)} more")
    where = _where(parts, members[0]) if members else ""
    match answer.kind:
        case InnerKind.COMMIT:
            chance = numbers.probability(answer.probability)
            return f"commit {commits[0]} {where} makes {_size(answer.change)}, probability {chance}"
        case InnerKind.COMMIT_SET:
            return f"one of {numbers.listing(commits)} {where} makes it"
        case InnerKind.INTERACTION:
            return "no single commit of the submodule makes half of the change"
        case InnerKind.UNDECIDED:
            return f"which commit of the submodule makes it is not known: {_problem(answer)}"


def _where(parts: PartsListed, index: int) -> str:
    path, remote = (quote(texts[index - 1], LONGEST_NAME) for texts in (parts.paths, parts.remotes))
    return f"in submodule {path} ({remote})"


def _problem(answer: PartsAnswer) -> str:
    return told(redacted(answer.problem[:LONGEST_REASON]).strip().rstrip(".")) or "the runs cannot tell"


def _named(parts: PartsListed, index: int) -> str:
    commit = parts.line.commit(index)
    subject = quote(commit.subject, 72)
    return f"{quote(commit.sha[:SHORT])} ({subject})" if subject else quote(commit.sha[:SHORT])


def _commit(parts: PartsListed, index: int) -> SubmoduleCommit:
    commit = parts.line.commit(index)
    return SubmoduleCommit(
        path=one_line(parts.paths[index - 1], 400),
        remote=displayed(parts.remotes[index - 1], 400),
        sha=one_line(commit.sha),
        subject=one_line(commit.subject, 400),
        author=one_line(commit.author, 200),
    )


def _sets(investigation: Investigation) -> Iterator[SetPart]:
    """The sets that were built, in the order of their size."""
    metric = investigation.metric.name
    places = {place for place, _ in investigation.builds if is_part(place)}
    for place in sorted(places, key=lambda each: (len(_moved(investigation, each)), each.index)):
        values = [
            sample.values[metric]
            for sample in investigation.by_place.get(place, ())
            if sample.counts and metric in sample.values
        ]
        outcome, reason = investigation.failures.get(place, (None, ""))
        yield SetPart(
            moved=_moved(investigation, place),
            runs=len(values),
            median=median(values) if values else None,
            outcome=outcome,
            reason=displayed(reason, LONGEST_REASON),
        )


def _moved(investigation: Investigation, place: Place) -> tuple[str, ...]:
    for parts in (investigation.parts, investigation.company):
        there = parts.moved(place) if parts is not None else None
        if parts is None or there is None:
            continue
        if parts.what is PartKind.SUBMODULES:
            return (one_line(parts.line.commit(place.index).sha),)
        return tuple(one_line(parts.moves[index - 1].package, LONGEST_NAME) for index in sorted(there))
    return ()


def is_part(place: Place) -> bool:
    """Whether what lies at `place` is no commit of the history, but parts of one's change."""
    return place.line in PARTS


def parts_object(part: PartsPart | None) -> dict[str, Any] | None:
    """The same in the result's JSON, what was tried of it apart."""
    if part is None:
        return None
    return {
        "kind": part.kind.value,
        "commit": part.commit,
        "answer": {InnerKind.COMMIT: "one"}.get(part.answer, part.answer.value),
        "packages": move_objects(part.moves),
        "commits": [
            {
                "submodule": each.path,
                "remote": each.remote,
                "commit": each.sha,
                "subject": each.subject,
                "author": each.author or None,
            }
            for each in part.commits
        ],
        "of": part.size,
        "order": move_objects(part.every),
        "probability": json_number(part.probability),
        "change": None
        if part.change is None
        else {name: json_number(getattr(part.change, name)) for name in ("relative", "low", "high")},
        "alone": _alone_object(part.alone),
        "sets": [
            {
                "moved": list(each.moved),
                "n": each.runs,
                "median": json_number(each.median),
                "outcome": each.outcome.value if each.outcome is not None else None,
                "reason": each.reason or None,
            }
            for each in part.sets
        ],
        "problem": part.problem or None,
    }


def _alone_object(alone: RestorationPart | None) -> dict[str, Any] | None:
    """How much of the change the package makes without those before it."""
    if alone is None:
        return None
    return {
        "share": json_number(alone.share),
        "low": json_number(alone.low),
        "high": json_number(alone.high),
        "enough": alone.restored,
        "n": alone.runs,
        "problem": alone.problem or None,
    }
