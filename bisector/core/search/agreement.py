"""Whether two hosts agree on a change."""

from enum import StrEnum

from bisector.core.model.verdict import Change, Verdict, VerdictKind


class Agreement(StrEnum):
    """How a second measurement compares with the first."""

    AGREE = "agree"
    DISAGREE = "disagree"
    """The same host measures otherwise, or another one the opposite."""
    HOST = "host"
    """Another host does not show it."""
    UNKNOWN = "unknown"


def agreement(there: Change, here: Verdict, *, same_host: bool) -> Agreement:
    """How the comparison `here` stands to the change measured `there`: by its direction, not by its size, which another
    processor or library may well change."""
    if here.kind is VerdictKind.CULPRIT and here.change is not None:
        return Agreement.AGREE if (here.change.relative > 0) == (there.relative > 0) else Agreement.DISAGREE
    if here.kind is VerdictKind.NOT_REPRODUCED:
        return Agreement.DISAGREE if same_host else Agreement.HOST
    return Agreement.UNKNOWN
