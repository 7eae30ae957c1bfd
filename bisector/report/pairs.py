"""A change by pairs of neighbouring runs, as documents tell it."""

from dataclasses import dataclass

from bisector.core.model.verdict import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedPart:
    """A change by so many pairs of neighbouring runs. `probability` is that of their signed ranks if nothing changed;
    `preferred` says that the runs of a pair go together, so that this is the better estimate."""

    pairs: int
    change: Change
    probability: float
    preferred: bool
