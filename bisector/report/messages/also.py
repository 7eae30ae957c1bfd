"""Alerts that joined a job, as they are told beside its answer: on its page and to whoever is told of it."""

from dataclasses import dataclass

from bisector.report.phrase import Phrase, quote
from bisector.report.text import SHORT


@dataclass(frozen=True, kw_only=True, slots=True)
class Also:
    """An alert that joined a job."""

    asked_by: str
    metric: str
    good: str
    bad: str
    answered: bool
    said: Phrase
    """What the job says of it, where that is another metric than the job was asked about; else "" ."""
    own: str
    """The job of its own, where the joined one did not answer it."""

    @property
    def phrase(self) -> Phrase:
        """Who asked what, and what became of it."""
        asked = f"{quote(self.asked_by)} asked about {quote(self.metric)} from {quote(self.good[:SHORT])} to "
        return Phrase(f"{asked}{quote(self.bad[:SHORT])}: {self._fate()}")

    def _fate(self) -> str:
        if self.answered:
            return self.said or "this answers it."
        if self.own:
            return f"this does not answer it, job {self.own} is to."
        return "it waits for this answer."
