"""What a culprit changes in the sources, as far as it is needed to tell which functions it touches."""

from collections.abc import Mapping
from dataclasses import dataclass

from bisector.core.explain.changes import FileChange


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceChange:
    """The difference of two trees. `sources` are changed Python files after it, `packages` the top-level packages that
    the tree holds. `left_out` counts changed files that were too many or too large to be kept."""

    files: tuple[FileChange, ...]
    sources: Mapping[str, str]
    packages: tuple[str, ...]
    left_out: int = 0
