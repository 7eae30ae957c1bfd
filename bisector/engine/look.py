"""What a culprit changes, and whether the profiles saw any of it."""

from bisector.core.model.captures import ChangeSeen
from bisector.core.model.steps import LookAtChange
from bisector.engine.work import Work
from bisector.errors import BisectorError, Cancelled
from bisector.report.explanation import Explanation, explanations_of, wanted_files

LONGEST_PATH = 400
PYTHON = ".py"


def look_at_change(step: LookAtChange, work: Work) -> None:
    """Record which files the commit changes. What cannot be had leaves the answer as it is."""
    known = work.investigation
    try:
        found = work.ports.repository.changes(known.tree(step.parent), known.tree(step.place))
    except Cancelled:
        raise
    except BisectorError:
        work.record(ChangeSeen(place=step.place, files=()))
        return
    files = tuple(change.path[:LONGEST_PATH] for change in found.files)
    seen = ChangeSeen(place=step.place, files=files, left_out=found.left_out, profiled=_profiled(step, files, work))
    work.record(seen)


def _profiled(step: LookAtChange, files: tuple[str, ...], work: Work) -> bool | None:
    """Whether a profile of either side shows a file of `files`; None where none could tell: only frames of Python
    name the file they come from wherever it was installed."""
    sources = [path for path in files if path.endswith(PYTHON)]
    kept = {name: content for name in wanted_files(work.investigation) if (content := _content(name, work)) is not None}
    for explanation in explanations_of(work.investigation, kept):
        if (explanation.old, explanation.new) == (step.parent, step.place) and len(sources) == len(files):
            modules = _modules(explanation)
            if any(module.endswith(PYTHON) for module in modules):
                return any(_same(module, path) for module in modules for path in sources)
    return None


def _modules(explanation: Explanation) -> frozenset[str]:
    sides = (explanation.before, explanation.after)
    captures = [capture for side in sides if side is not None for capture in side.captures]
    return frozenset(frame.module for capture in captures for frame in capture.frames)


def _same(module: str, path: str) -> bool:
    """Whether the file of a frame may be the one at `path`: installed, it has lost its first directories."""
    return module == path or path.endswith(f"/{module}") or module.endswith(f"/{path}")


def _content(name: str, work: Work) -> bytes | None:
    try:
        return work.ports.artifacts.kept(name).read_bytes()
    except (BisectorError, OSError):
        return None
