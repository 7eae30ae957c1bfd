"""The commits that a merge brought in, in the merge's context or on the branch they were made on."""

from collections.abc import Sequence

from bisector.adapters.git.command import LONG, Git
from bisector.adapters.git.commits import count_range, list_range, read_commit
from bisector.adapters.git.history import first_parents, graph, links_between, short
from bisector.core.model.history import LARGEST_GRAPH, Commit, Line
from bisector.core.model.units import Sha
from bisector.errors import EnvironmentFault, RefError

LARGEST_BRANCH = 2000
"""Merging a commit into a context takes some milliseconds; of a larger branch only the first-parent line is taken."""
_MERGE = ("merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages", "--allow-unrelated-histories")
_USAGE = 129
"""How git ends when it does not know an option."""


def list_branch(git: Git, merge: Sha, *, in_context: bool) -> tuple[Line, int]:
    """What `Repository.list_branch` promises, for a merge that is in the repository of `git`."""
    commit = read_commit(git, merge)
    if not commit.is_merge:
        raise RefError(f"{short(merge)} is not a merge: it brought in no commits")
    return _in_context(git, commit) if in_context else (_on_its_own(git, commit), 0)


def _in_context(git: Git, merge: Commit) -> tuple[Line, int]:
    """Every commit merged into the first parent, then the merge itself, which may differ from merging its tips."""
    parent, *tips = merge.parents
    notes: tuple[str, ...] = ()
    inner = list_range(git, tips, parent, f"--max-count={LARGEST_BRANCH + 1}")
    if len(inner) > LARGEST_BRANCH:
        inner = list_range(git, [_largest(git, parent, tips)], parent, "--first-parent")
        notes = (f"the branch has more than {LARGEST_BRANCH} commits: only its first-parent line is listed",)
    base, candidates = read_commit(git, parent), (*inner, merge)
    trees = _merged(git, parent, inner)
    line = Line(
        base=base,
        candidates=candidates,
        trees=(base.tree, *trees, merge.tree),
        links=links_between(candidates),
        notes=notes,
    )
    return line, trees.count("")


def _on_its_own(git: Git, merge: Commit) -> Line:
    """The branch as it was made, from its merge base with the first parent; of several branches the largest."""
    parent, *tips = merge.parents
    tip = _largest(git, parent, tips)
    notes: tuple[str, ...] = ()
    if len(tips) > 1:
        notes = (f"{short(merge.sha)} joined {len(tips)} branches: only that of {short(tip)}, the largest, is listed",)
    fits = count_range(git, tip, parent) <= LARGEST_GRAPH
    stretch = graph(git, parent, tip) if fits else first_parents(git, parent, tip)
    base = read_commit(git, stretch.base)
    return Line(
        base=base,
        candidates=stretch.commits,
        trees=(base.tree, *(commit.tree for commit in stretch.commits)),
        links=links_between(stretch.commits),
        notes=notes,
    )


def _largest(git: Git, parent: Sha, tips: Sequence[Sha]) -> Sha:
    if len(tips) == 1:
        return tips[0]
    return max(tips, key=lambda tip: count_range(git, tip, parent))


def _merged(git: Git, parent: Sha, inner: Sequence[Commit]) -> tuple[str, ...]:
    """The tree of `parent` with each of `inner` merged into it, "" where the two conflict."""
    if not inner:
        return ()
    pairs = "".join(f"{parent} {commit.sha}\n" for commit in inner).encode()
    answer = git.ask(*_MERGE, given=pairs, limit=LONG)
    if answer.status == _USAGE:
        raise EnvironmentFault("this git cannot merge without a work tree", then="Install git 2.39 or newer")
    if answer.status != 0:
        raise git.failure("merge-tree", answer.complaint)
    said = iter(answer.output.decode(errors="replace").split("\0"))
    trees = []
    for _ in inner:
        clean, tree = next(said) == "1", next(said)
        for name in said:
            if not name:
                break
        trees.append(tree if clean else "")
    return tuple(trees)
