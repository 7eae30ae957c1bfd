"""A change taken apart: trees in which only some of the packages or submodules that it moves have moved."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bisector.core.model.builds import Build
from bisector.core.model.captures import SubmoduleMove
from bisector.core.model.history import Commit, Line, Place
from bisector.core.model.packages import PackageMove, Packages
from bisector.core.model.parts import HELD, PartKind, PartsListed
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome
from bisector.core.model.steps import ListParts
from bisector.core.model.units import Sha
from bisector.core.search.parts import PYTHON, moves_between
from bisector.engine.prebuilt import at_place
from bisector.engine.work import Work
from bisector.errors import RefError
from bisector.formats.dependencies import LARGEST, is_requirements_file
from bisector.formats.dependencies.python import partly, wanted

MOST_PARTS = 200
MOST_COMMITS = 2000
"""Commits of a submodule that a move may span."""
TOOLS = frozenset({"pip", "setuptools", "wheel"})
"""What packages are built with: held to a version, it would be so for every package that is built from its source."""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_HEADER = "# Written by bisector: this build is held to these versions.\n"


def list_parts(step: ListParts, work: Work) -> None:
    """List what `step` asks for and record it, or why it cannot be had."""
    listed = _listed(step, work)
    _keep(listed, work)
    work.record(listed)


def remake_parts(work: Work) -> None:
    """Bring back the trees that the cache may have lost since the job was last worked on."""
    for parts in _every(work):
        if not parts.problem:
            _keep(_listed(parts, work), work)


def request_at(place: Place, work: Work) -> Request:
    """The request as it holds for the build of `place`: a set of packages is told to its installer, and what was built
    elsewhere is that commit's."""
    request = at_place(work.request, place, work.investigation)
    if not any(parts.versions(place) for parts in _every(work)):
        return request
    return replace(request, scenario=replace(request.scenario, build=request.scenario.build.held_to(HELD)))


def held(build: Build, place: Place, work: Work) -> Build:
    """`build` as what it is known as at `place`: one that holds other packages than it was told to says nothing of the
    set that it should be, and counts as one that cannot be built."""
    found = (parts.versions(place) for parts in _every(work) if build.usable)
    versions = next(filter(None, found), {})
    there = build.packages or {}
    other = [name for name, version in versions.items() if there.get(name) != version]
    if not other:
        return build
    name = other[0]
    told = f"{name.partition(':')[2]} {there.get(name, 'none')} in place of {versions[name] or 'none'}"
    return replace(build, outcome=Outcome.BUILD_FAILED, reason=f"the installer was not held to the set: {told}")


def _every(work: Work) -> tuple[PartsListed, ...]:
    known = work.investigation
    return tuple(parts for parts in (known.parts, known.company) if parts is not None)


def _listed(asked: ListParts | PartsListed, work: Work) -> PartsListed:
    known = work.investigation
    empty = PartsListed(
        place=asked.place,
        parent=asked.parent,
        what=asked.what,
        with_part=asked.with_part,
        in_context=asked.in_context,
        line=Line(base=known.commit(asked.parent), candidates=(), trees=(known.tree(asked.parent),)),
    )
    try:
        return _packages(empty, work) if asked.what is PartKind.PACKAGES else _submodules(empty, work)
    except RefError as error:
        return replace(empty, problem=error.what)


def _keep(listed: PartsListed, work: Work) -> None:
    trees = {Sha(tree) for tree in (*listed.line.trees, *listed.alone) if tree}
    work.ports.repository.pin(work.job, sorted(trees))


@dataclass(frozen=True, kw_only=True)
class _Sets:
    """The packages of two builds, and the requirements files that differ, by path."""

    tree: str
    old: Packages
    new: Packages
    moves: tuple[PackageMove, ...]
    files: Mapping[str, tuple[str, str]]

    def tree_of(self, there: Sequence[PackageMove], work: Work) -> str:
        """The tree in which of `moves` these have moved."""
        apart = {move.package for move in self.moves} - {move.package for move in there}
        files: dict[str, bytes | None] = {}
        for path, (old, new) in self.files.items():
            moved = frozenset({*wanted(old), *wanted(new)} - apart)
            text = partly(old, new, moved)
            files[path] = text.encode("utf-8", "surrogateescape") if text or new else None
        held_to = "".join(f"{name}=={version}\n" for name, version in sorted(self._held(there)))
        return work.ports.repository.with_files(self.tree, {**files, HELD: (_HEADER + held_to).encode()})

    def _held(self, there: Sequence[PackageMove]) -> Iterator[tuple[str, str]]:
        for name, version in self.old.items():
            source, _, package = name.partition(":")
            if source == PYTHON and self.new.get(name) == version and package not in TOOLS and _can_be_held(version):
                yield package, version
        for move in self.moves:
            wanted_version = move.new if move in there else move.old
            if wanted_version is not None and _can_be_held(wanted_version):
                yield move.package, wanted_version


def _packages(empty: PartsListed, work: Work) -> PartsListed:
    known = work.investigation
    old, new = (known.builds[place, 0].packages or {} for place in (empty.parent, empty.place))
    files = dict(_requirements(empty, work))
    named = {name for before, after in files.values() for name in _differing(wanted(before), wanted(after))}
    every = moves_between(known, empty.parent, empty.place)
    # Those that the files name come first: the others move because of them, and seldom without them.
    able = (move for move in every if _can_be_moved(move, named))
    moves = tuple(sorted(able, key=lambda move: (move.package not in named, _comes_or_goes(move))))
    if not moves:
        return replace(empty, problem="no package that moved can be moved alone")
    if len(moves) > MOST_PARTS:
        return replace(empty, problem=f"more than {MOST_PARTS} packages moved")
    whole = known.tree(empty.place)
    sets = _Sets(tree=whole, old=old, new=new, moves=moves, files=files)
    if empty.with_part:
        return _company(empty, sets, work)
    first = empty.line.base if empty.in_context else known.commit(empty.place)
    trees = [sets.tree_of(moves[:count], work) for count in range(len(moves) + 1)]
    rest = empty.in_context and len(moves) < len(every)
    if empty.in_context:
        # The ends are the two commits as they are: where nothing else moved, all that moved is the commit itself.
        trees = [known.tree(empty.parent), *trees[1 : len(moves) + rest], whole]
    commit = known.commit(empty.place)
    stand_ins = (_stand_in(commit, move, tree) for move, tree in zip(moves, trees[1:], strict=False))
    itself = (known.commit(empty.place),) if rest else ()
    return replace(
        empty,
        line=Line(base=first, candidates=(*stand_ins, *itself), trees=tuple(trees)),
        moves=moves,
        alone=tuple(sets.tree_of([move], work) for move in moves),
        rest=rest,
    )


def _company(empty: PartsListed, sets: _Sets, work: Work) -> PartsListed:
    """The packages before one that always has moved: both ends of their line were measured already."""
    always, before = sets.moves[empty.with_part - 1], sets.moves[: empty.with_part - 1]
    trees = [sets.tree_of([*before[:count], always], work) for count in range(len(before) + 1)]
    commit = work.investigation.commit(empty.place)
    return replace(
        empty,
        line=Line(
            base=_stand_in(commit, always, trees[0]),
            candidates=tuple(_stand_in(commit, move, tree) for move, tree in zip(before, trees[1:], strict=True)),
            trees=tuple(trees),
        ),
        moves=sets.moves,
        alone=tuple(sets.tree_of([move, always], work) for move in before),
    )


def _stand_in(commit: Commit, move: PackageMove, tree: str) -> Commit:
    """What stands for a set where commits are told: the last package that moved."""
    return replace(commit, sha=Sha(tree), tree=Sha(tree), author="", subject=_told(move))


def _requirements(empty: PartsListed, work: Work) -> Iterator[tuple[str, tuple[str, str]]]:
    """The requirements files that differ between the two commits, each with both of its contents."""
    known, repository = work.investigation, work.ports.repository
    seen = known.change_seen(empty.place, empty.parent)
    for path in filter(is_requirements_file, seen.files if seen is not None else ()):
        sides = (repository.content(known.tree(place), path, LARGEST) for place in (empty.parent, empty.place))
        old, new = ((side or b"").decode("utf-8", "surrogateescape") for side in sides)
        yield path, (old, new)


def _differing(old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _can_be_moved(move: PackageMove, named: set[str]) -> bool:
    """Whether it can be had in either version whatever the others are: the files say which, or the installer is
    told."""
    if move.source != PYTHON:
        return False
    versions = (move.old, move.new)
    return move.package in named or all(version is not None and _can_be_held(version) for version in versions)


def _can_be_held(version: str) -> bool:
    """Whether it is a version of an index, not a commit."""
    return _VERSION.fullmatch(version) is not None


def _comes_or_goes(move: PackageMove) -> tuple[bool, str]:
    return move.old is None or move.new is None, move.name


def _told(move: PackageMove) -> str:
    return f"{move.package} {move.old or 'none'} → {move.new or 'none'}"


def _submodules(empty: PartsListed, work: Work) -> PartsListed:
    known, repository = work.investigation, work.ports.repository
    seen = known.change_seen(empty.place, empty.parent)
    moved = [move for move in (seen.submodules if seen is not None else ()) if move.old and move.new]
    if seen is None or not moved:
        return replace(empty, problem="the submodule came or went as a whole")
    whole = known.tree(empty.place)
    candidates: list[Commit] = []
    trees, paths, remotes = [known.tree(empty.parent)], [], []
    for number, move in enumerate(moved):
        remote, commits = repository.submodule_commits(whole, move.path, *_ends(move))
        later = {other.path: _ends(other)[0] for other in moved[number + 1 :]}
        for commit in commits:
            candidates.append(commit)
            paths.append(move.path)
            remotes.append(remote)
            trees.append(repository.with_submodules_at(whole, {move.path: commit.sha, **later}))
        if len(candidates) > MOST_COMMITS:
            return replace(empty, problem=f"it went on by more than {MOST_COMMITS} commits")
    rest = trees[-1] != whole
    if rest:
        candidates.append(known.commit(empty.place))
        trees.append(whole)
    line = Line(base=empty.line.base, candidates=tuple(candidates), trees=tuple(trees))
    return replace(empty, line=line, paths=tuple(paths), remotes=tuple(remotes), rest=rest)


def _ends(move: SubmoduleMove) -> tuple[Sha, Sha]:
    return Sha(move.old or ""), Sha(move.new or "")
