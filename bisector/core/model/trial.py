"""What a job may try: a commit taken out of one end, put on top of the other, or a patch.

Apart from what comes of it, so that a command line can be read without what only a search needs.
"""

from dataclasses import dataclass
from enum import StrEnum

from bisector.core.model.units import Sha


class TrialKind(StrEnum):
    """How the tree of a trial is made."""

    REVERT = "revert"
    """Bad without a commit; of a merge without all that it brought onto its first parent."""
    APPLY = "apply"
    """Good with a commit."""
    PATCH = "patch"
    """Bad with a patch."""
    HEAD = "head"
    """A commit as it is, like the tip of the branch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What a job is to try. `commit` is None for a patch; `patch` is the SHA-256 it is kept by ("" without one).

    `text` is what the person typed for it, `job` the job whose question it answers ("" where it stands alone).
    """

    kind: TrialKind
    commit: Sha | None = None
    patch: str = ""
    text: str = ""
    job: str = ""
