"""What an alert from outside amounts to: a question to ask, in names that are configured here and nothing else."""

import re
from dataclasses import dataclass

from bisector.core.model.units import Seconds, digest

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """One change that somebody noticed. Every field is a stranger's word until it is found in what is configured."""

    source: str
    repository: str
    """Name of a configured repository."""
    scenario: str
    metric: str | None = None
    good: str | None = None
    """A commit's hexadecimal name, perhaps shortened; None where the range is to come from the series' own history."""
    bad: str | None = None
    time: Seconds | None = None
    """When the change was noticed, since the epoch."""
    key: str = ""
    """The sender's own name of this alert; the same again is the same alert."""
    link: str = ""
    """Shown beside the answer, never followed."""

    def __post_init__(self) -> None:
        """ValueError, with the field's name, for what cannot be a name or a commit."""
        for field in ("repository", "scenario"):
            if not _NAME.fullmatch(getattr(self, field)) or ".." in getattr(self, field):
                raise ValueError(f"{field} is not a name: {getattr(self, field)[:80]!r}")
        if self.metric is not None and not 0 < len(self.metric) <= 200:
            raise ValueError(f"metric is not a name: {self.metric[:80]!r}")
        for field in ("good", "bad"):
            commit = getattr(self, field)
            if commit is not None and not _COMMIT.fullmatch(commit):
                raise ValueError(f"{field} is not a commit in hexadecimal, at least 7 digits: {commit[:80]!r}")

    def question(self) -> str:
        """Digest of what is asked: two triggers with the same one are answered by one job."""
        return digest(self.repository, self.scenario, self.metric or "", self.good or "", self.bad or "")
