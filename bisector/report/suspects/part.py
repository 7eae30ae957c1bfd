"""A suspect and a finding as a report tells them: names harmless, costs in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bisector.core.explain.counts import Amounts, CallChange, Manner
from bisector.core.explain.difference import Basis, Difference, Fate
from bisector.core.explain.findings import Finding, FindingKind
from bisector.core.explain.stacks import Frame, Profile, Unit
from bisector.core.explain.suspects import Relation, Suspect
from bisector.report import numbers
from bisector.report.phrase import Phrase, quote
from bisector.report.text import one_line

LONGEST_NAME = 160
NOTHING = Phrase("")
MUCH_MORE, LEAST_BYTES, LEAST_INSTRUCTIONS = 1.1, 100, 10_000
"""An exact amount is told where it grew by a tenth and by so much."""
_BUILTIN = re.compile(r"<built-in method ([\w.]+)>|<method '(\w+)' of '([\w.]+)' objects>")
"""How cProfile tells a function that is written in C."""
MOST_LINES = 30
"""Changed lines that are shown beside a suspect."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Why:
    """What two profiles tell. `shares` is the same difference by shares of each side's total.

    `method` says how they were taken and `problems` what went wrong, whole sentences without their full stop.
    """

    before: Profile
    after: Profile
    found: Difference
    shares: Difference
    suspects: tuple[Suspect, ...]
    findings: tuple[Finding, ...]
    method: Phrase = NOTHING
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspectPart:
    """A suspect with texts of strangers made harmless. Costs are in the unit of the profile, per unit of work.

    `what` says what the culprit has to do with it and how it is called, `cost` what it answers for on both sides;
    `file` is None where no tool told it, `line` where it is unknown, `touched` where no diff was at hand.
    """

    function: str
    file: str | None
    line: int | None
    self_delta: float
    total_delta: float
    share: float
    touched: bool | None
    cost: str
    interval: str
    what: Phrase
    lines: tuple[tuple[int, str], ...]

    @property
    def place(self) -> str:
        """Where it is: "parser.py:12"."""
        line = f":{self.line}" if self.line and self.file else ""
        return f"{self.file or ''}{line}"


def suspect_parts(why: Why) -> tuple[SuspectPart, ...]:
    """The suspects, the one that explains most first."""
    return tuple(_part(why.found, suspect) for suspect in why.suspects)


def _part(found: Difference, suspect: Suspect) -> SuspectPart:
    frame, touched = suspect.function.frame, suspect.touched
    path = touched.path if touched is not None else frame.module
    cost = suspect.cost
    interval = ""
    if cost.low is not None and cost.high is not None:
        interval = f"{_signed(found, cost.low)} to {_signed(found, cost.high)}"
    return SuspectPart(
        function=one_line(frame.name, LONGEST_NAME),
        file=one_line(path, LONGEST_NAME) or None,
        line=suspect.line or None,
        self_delta=suspect.function.own.delta,
        total_delta=suspect.function.total.delta,
        share=suspect.share,
        touched=None if suspect.relation is None else suspect.relation is Relation.TOUCHED,
        cost=f"{told(found, cost.before)} → {told(found, cost.after)}",
        interval=interval,
        what=Phrase(", ".join(_what(suspect, "holding more" if found.unit is Unit.BYTES else "slower"))),
        lines=tuple((number, one_line(line, 200)) for number, line in touched.lines[:MOST_LINES]) if touched else (),
    )


def _what(suspect: Suspect, worse: str) -> Iterator[str]:
    """What is known of a suspect, in a few words each; `worse` is what each of its calls may have become."""
    match suspect.relation:
        case Relation.TOUCHED:
            yield "changed here"
        case Relation.CALLS_TOUCHED:
            yield "calls something changed here"
        case Relation.UNTOUCHED:
            yield "not changed here"
        case None:
            pass
    if suspect.function.fate is Fate.NEW and not (suspect.calls is not None and suspect.calls.before):
        yield "new"
    if suspect.calls is not None and suspect.manner is not None:
        often = f"called {times(suspect.calls.after)} instead of {times(suspect.calls.before)}"
        if suspect.manner is Manner.SLOWER_CALLS:
            yield f"{worse} per call ({times(suspect.calls.after)})"
        else:
            yield often + (f" and {worse} per call" if suspect.manner is Manner.BOTH else "")
    if suspect.called_by is not None:
        yield f"by {named(suspect.called_by)}"
    if suspect.through is not None:
        yield f"mostly in {named(suspect.through)}"
    yield from _exactly(suspect)


def _exactly(suspect: Suspect) -> Iterator[str]:
    """What was counted of it beside its calls, where that differs enough to be worth a word."""
    more = suspect.allocated
    if more is not None and _is_larger(more, LEAST_BYTES):
        yield f"allocates {numbers.size(more.after)} a call instead of {numbers.size(more.before)}"
    more = suspect.instructions
    if more is not None and _is_larger(more, LEAST_INSTRUCTIONS):
        yield f"runs {_rounded(more.after)} instructions instead of {_rounded(more.before)}"


def _is_larger(amounts: Amounts, least: int) -> bool:
    return amounts.after >= MUCH_MORE * amounts.before and amounts.after - amounts.before >= least


def _rounded(number: float) -> str:
    return numbers.whole(float(f"{number:.3g}"))


def finding_phrases(why: Why) -> tuple[Phrase, ...]:
    """The findings, a sentence each."""
    return tuple(Phrase(_finding(why.found, finding)) for finding in why.findings)


def _finding(found: Difference, finding: Finding) -> str:
    subject, callee, calls = named(finding.subject), named(finding.callee), finding.calls
    one, other, more = _costs(found, finding)
    match finding.kind:
        case FindingKind.CACHE if calls is not None:
            rates = f"in {numbers.percent(calls.before)} of its calls, now in {numbers.percent(calls.after)}"
            return (
                f"{subject} called {callee} {rates}: what spared the others, such as a cache, no longer does ({more})."
            )
        case FindingKind.REPEATED if calls is not None:
            often = f"{times(calls.after)} a call instead of {times(calls.before)}"
            return f"{subject} calls {callee} {often} ({more})."
        case FindingKind.REGEX:
            return f"{subject} compiles regular expressions for {other} instead of {one}{_often(calls)}."
        case FindingKind.IMPORT:
            return f"{subject} imports {quote(finding.callee.module, LONGEST_NAME)}, which it did not before ({more})."
        case FindingKind.INPUT_OUTPUT if finding.cost is None and calls is not None:
            often = f"{times(calls.after)} instead of {times(calls.before)}"
            return f"{subject} calls {callee}, which is input or output, {often}."
        case FindingKind.INPUT_OUTPUT:
            verb, use = ("holds", "for") if found.unit is Unit.BYTES else ("spends", "on")
            return f"{subject} {verb} {other} instead of {one} {use} input or output in {callee}{_often(calls)}."
        case _:
            return f"{subject} calls {callee} ({more})."


def _costs(found: Difference, finding: Finding) -> tuple[str, str, str]:
    if finding.cost is None:
        return "", "", "counted"
    cost = finding.cost
    return told(found, cost.before), told(found, cost.after), _signed(found, cost.delta)


def _often(calls: CallChange | None) -> str:
    return f", called {times(calls.after)} instead of {times(calls.before)}" if calls is not None else ""


def named(frame: Frame) -> str:
    """A function as running text names it, quoted: "parser.normalise"; for what is not Python its bare name."""
    path, name = frame.module, frame.name
    if builtin := _BUILTIN.fullmatch(name):
        return quote(builtin[1] or f"{builtin[3].rpartition('.')[2]}.{builtin[2]}", LONGEST_NAME)
    if path.endswith(".py"):
        stem = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
        return quote(stem if name == "<module>" else f"{stem}.{name}", LONGEST_NAME)
    return quote(name, LONGEST_NAME)


def told(found: Difference, cost: float) -> str:
    """A cost of a difference as people read it."""
    return numbers.percent(cost) if found.basis is Basis.SHARE else numbers.quantity(cost, found.unit.value)


def _signed(found: Difference, cost: float) -> str:
    return f"+{told(found, cost)}" if cost > 0 else told(found, cost)


def times(calls: float) -> str:
    """A number of calls: "40,000 ×"."""
    return f"{numbers.quantity(calls, '')} ×"
