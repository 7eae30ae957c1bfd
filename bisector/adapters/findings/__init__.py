"""What `bisector doctor` finds: looked at, judged, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bisector.errors import BisectorError


class Judgement(StrEnum):
    """How a finding bears on measuring."""

    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at: what was seen, and what to do about it ("" when nothing is)."""

    subject: str
    judgement: Judgement
    seen: str
    advice: str = ""


def fine(subject: str, seen: str) -> Finding:
    """Nothing is to be done."""
    return Finding(subject=subject, judgement=Judgement.FINE, seen=seen)


def warning(subject: str, seen: str, advice: str) -> Finding:
    """It works, and could be better."""
    return Finding(subject=subject, judgement=Judgement.WARNING, seen=seen, advice=advice)


def problem(subject: str, seen: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(subject=subject, judgement=Judgement.PROBLEM, seen=seen, advice=advice)


def attempt(subject: str, what: Callable[[], str], *, optional: bool = False) -> Finding:
    """Whether `what` works, and what it says; without an `optional` thing one can do."""
    try:
        return fine(subject, what())
    except BisectorError as error:
        judgement = Judgement.WARNING if optional else Judgement.PROBLEM
        return Finding(subject=subject, judgement=judgement, seen=error.what, advice=error.then)
