"""The candidates between two commits, read from the mirror."""

from collections.abc import Sequence
from dataclasses import dataclass

from bisector.adapters.git.command import LONG, Git, GitFailed
from bisector.adapters.git.commits import list_range, read_commit
from bisector.core.model.facts import HistoryListed
from bisector.core.model.history import LARGEST_GRAPH, Commit, Line
from bisector.core.model.idle import is_idle
from bisector.core.model.units import Sha
from bisector.errors import RefError, UsageError

Links = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Commits after `base`, ancestors before descendants, and what is worth saying about where they start."""

    base: Sha
    commits: tuple[Commit, ...]
    contains_good: bool
    notes: tuple[str, ...] = ()


def list_history(
    git: Git, good: Sha, bad: Sha, *, every_commit: bool, paths: Sequence[str], suspects: Sequence[str] = ()
) -> HistoryListed:
    """What `Repository.list_history` promises, for two commits that are in the repository of `git`."""
    if good == bad:
        raise RefError(f"good and bad are the same commit, {short(good)}", then="Name two different commits")
    if paths or suspects:
        _check_paths(git, bad, (*paths, *suspects))
    stretch = graph(git, good, bad) if every_commit else first_parents(git, good, bad)
    touched = _touched(git, stretch.commits, paths) if paths else None
    suspected = _touched(git, stretch.commits, suspects) if suspects else frozenset[int]()
    untouched = ("no candidate touches any of the paths",) if paths and not touched else ()
    unsuspected = ("no candidate touches what is suspected",) if suspects and not suspected else ()
    files = _files(git, stretch.commits)
    base = read_commit(git, stretch.base)
    line = Line(
        base=base,
        candidates=stretch.commits,
        trees=(base.tree, *(commit.tree for commit in stretch.commits)),
        links=links_between(stretch.commits) if every_commit else (),
        touched=touched,
        suspected=suspected,
        sizes=tuple(len(changed) for changed in files),
        idle=frozenset(index for index, changed in enumerate(files, start=1) if changed and all(map(is_idle, changed))),
        notes=(*stretch.notes, *untouched, *unsuspected),
    )
    aside = None if base.sha == good else read_commit(git, good)
    return HistoryListed(line=line, aside=aside, bad_contains_good=stretch.contains_good)


def first_parents(git: Git, good: Sha, bad: Sha) -> Stretch:
    """The first-parent line of `bad`, back to the youngest commit on it that `good` contains.

    That is good itself or, good not being an ancestor, the merge base, unless only a side branch joins the two: then
    it is older, for the first candidate's first parent has to be where the line starts.
    """
    commits = list_range(git, [bad], good, "--first-parent")
    if not commits:
        raise _nothing_between(good, bad)
    if commits[0].parents[:1] == (good,):
        return Stretch(base=good, commits=tuple(commits), contains_good=True)
    bases = merge_bases(git, good, bad)
    before = commits[0].parents
    base = before[0] if before else commits.pop(0).sha
    notes = () if good in bases else _other_bases(base, bases)
    if not before:
        notes = (*notes, f"the line starts at its root {short(base)}: good's history has no commit of it")
    return Stretch(base=base, commits=tuple(commits), contains_good=good in bases, notes=notes)


def graph(git: Git, good: Sha, bad: Sha) -> Stretch:
    """Every commit that `bad` contains and `good` does not, after good itself or else the best of their merge bases.

    Of several the best is the one on bad's first-parent line, else the youngest: most of good's history is in it.
    """
    commits = list_range(git, [bad], good, f"--max-count={LARGEST_GRAPH + 1}")
    if not commits:
        raise _nothing_between(good, bad)
    if len(commits) > LARGEST_GRAPH:
        what = f"there are more than {LARGEST_GRAPH:,} commits between {short(good)} and {short(bad)}"
        raise RefError(what, then="Search the first-parent line only, without --every-commit, or a shorter range")
    bases = merge_bases(git, good, bad)
    if bases == [good]:
        return Stretch(base=good, commits=tuple(commits), contains_good=True)
    start = _leaves_at(commits)
    base = start if start in bases else bases[0]
    return Stretch(base=base, commits=tuple(commits), contains_good=False, notes=_other_bases(base, bases))


def merge_bases(git: Git, one: Sha, other: Sha) -> list[Sha]:
    """Their best common ancestors, the youngest first; RefError when the histories have nothing in common."""
    answer = git.ask("merge-base", "--all", one, other)
    if answer.status > 1:
        raise git.failure("merge-base", answer.complaint)
    if answer.status == 1:
        what = f"{short(one)} and {short(other)} have no history in common"
        raise RefError(what, then="Name two commits of one history")
    return [Sha(line) for line in answer.output.decode().split()]


def links_between(commits: Sequence[Commit]) -> Links:
    """For each commit the indexes of its parents among them; nothing at all when they are one straight line."""
    indexes = {commit.sha: index for index, commit in enumerate(commits, start=1)}
    links = tuple(
        tuple(dict.fromkeys(indexes[parent] for parent in commit.parents if parent in indexes)) for commit in commits
    )
    straight = all(link == ((before,) if before else ()) for before, link in enumerate(links))
    return () if straight else links


def short(sha: Sha) -> str:
    """The name as messages have it."""
    return sha[:12]


def _leaves_at(commits: Sequence[Commit]) -> Sha:
    """Where the first-parent line of the last of `commits` leaves them."""
    parents = {commit.sha: commit.parents for commit in commits}
    place = commits[-1].sha
    while parents.get(place):
        place = parents[place][0]
    return place


def _other_bases(base: Sha, bases: Sequence[Sha]) -> tuple[str, ...]:
    """What a report cannot tell from the two ends alone: that they meet in more places than where the line starts."""
    others = [short(other) for other in bases if other != base]
    if not others:
        return ()
    return (f"good and bad meet in more places than {short(base)}, where the line starts: {', '.join(others)}",)


def _nothing_between(good: Sha, bad: Sha) -> RefError:
    what = f"bad {short(bad)} is an ancestor of good {short(good)}: no commit is in bad that is not in good"
    return RefError(what, then="Name the older commit first, whichever of the two is faster")


def _check_paths(git: Git, bad: Sha, paths: Sequence[str]) -> None:
    try:
        git.run("rev-list", "--max-count=0", bad, "--", *paths)
    except GitFailed as refused:
        told = " / ".join(refused.lines)
        raise UsageError(f"git does not understand the paths: {told}", then="Paths are relative to the top") from None


def _touched(git: Git, commits: Sequence[Commit], paths: Sequence[str]) -> frozenset[int]:
    """The indexes of the commits that differ from their first parent in one of `paths`."""
    return frozenset(index for index, changed in enumerate(_files(git, commits, paths), start=1) if changed)


def _files(git: Git, commits: Sequence[Commit], paths: Sequence[str] = ()) -> list[list[str]]:
    """The files in which each commit differs from its first parent, of those in `paths` where some are given.

    Only trees are compared: no file has to be at hand.
    """
    pairs = "".join(f"{' '.join((commit.sha, *commit.parents[:1]))}\n" for commit in commits)
    options = ("--stdin", "--root", "-r", "-z", "--raw", "--no-renames")
    said = iter(git.run("diff-tree", *options, "--", *paths, given=pairs.encode(), limit=LONG).split(b"\0"))
    found: dict[str, list[str]] = {}
    changed: list[str] = []
    for item in said:
        if item.startswith(b":"):
            changed.append(next(said).decode(errors="replace"))
        elif item:
            changed = found.setdefault(item.decode(), [])
    return [found.get(commit.sha, []) for commit in commits]


def is_ancestor(git: Git, commit: Sha, tip: Sha) -> bool:
    """Whether `tip` is `commit` or comes after it."""
    answer = git.ask("merge-base", "--is-ancestor", commit, tip)
    if answer.status > 1:
        raise git.failure("merge-base", answer.complaint)
    return answer.status == 0
