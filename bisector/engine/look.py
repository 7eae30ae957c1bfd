"""What a culprit changes, which packages it moves, and whether the profiles saw any of it."""

from collections.abc import Sequence

from bisector.core.explain.sources import SourceChange
from bisector.core.model.captures import ChangeKind, ChangeSeen, SubmoduleMove
from bisector.core.model.idle import is_idle
from bisector.core.model.packages import PackageMove
from bisector.core.model.steps import LookAtChange
from bisector.engine.work import Work
from bisector.errors import BisectorError, Cancelled
from bisector.formats.dependencies import LARGEST, is_dependency_file, moves_in
from bisector.report.explanation import Explanation, explanations_of, wanted_files

LONGEST_PATH = 400
PYTHON = ".py"
MOST_FILES, MOST_PACKAGES = 100, 500
"""Files of wanted packages that are read, and packages that are kept."""


def look_at_change(step: LookAtChange, work: Work) -> None:
    """Record which files the commit changes. What cannot be had leaves the answer as it is."""
    known = work.investigation
    try:
        found = work.ports.repository.changes(known.tree(step.parent), known.tree(step.place))
    except Cancelled:
        raise
    except BisectorError:
        work.record(ChangeSeen(place=step.place, parent=step.parent, files=()))
        return
    files = tuple(change.path[:LONGEST_PATH] for change in found.files)
    packages = _packages(step, [change.path for change in found.files], work)
    submodules = tuple(
        SubmoduleMove(path=change.path[:LONGEST_PATH], old=change.submodule[0] or None, new=change.submodule[1] or None)
        for change in found.files
        if change.submodule is not None
    )
    work.record(
        ChangeSeen(
            place=step.place,
            parent=step.parent,
            files=files,
            left_out=found.left_out,
            profiled=_profiled(step, files, work),
            kind=_kind(found, packages),
            packages=packages,
            submodules=submodules,
        )
    )


def _packages(step: LookAtChange, paths: Sequence[str], work: Work) -> tuple[PackageMove, ...]:
    """The packages that move between the two trees, by the files that say which are wanted."""
    known, repository = work.investigation, work.ports.repository
    trees = (known.tree(step.parent), known.tree(step.place))
    wanted = [path for path in paths if is_dependency_file(path)][:MOST_FILES]
    contents = {path: tuple(repository.content(tree, path, LARGEST) for tree in trees) for path in wanted}
    return moves_in({path: (old, new) for path, (old, new) in contents.items()})[:MOST_PACKAGES]


def _kind(found: SourceChange, packages: Sequence[PackageMove]) -> ChangeKind:
    """What a change is that moves nothing but packages, or nothing but submodules: what hardly matters set aside."""
    rest = [change for change in found.files if not is_idle(change.path)]
    if found.left_out or not rest:
        return ChangeKind.COMMIT
    if all(change.submodule is not None or change.path == ".gitmodules" for change in rest):
        return ChangeKind.SUBMODULE
    return ChangeKind.DEPENDENCY if packages and all(is_dependency_file(c.path) for c in rest) else ChangeKind.COMMIT


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
