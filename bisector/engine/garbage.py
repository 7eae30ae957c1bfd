"""What may be removed: builds that no unfinished job needs, by age and size."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded
from bisector.core.model.request import RunnerName
from bisector.core.model.units import Bytes, Seconds
from bisector.engine.job import JobState
from bisector.engine.ports import Locks, Repository, Runner, Store
from bisector.engine.stop import StopSignal
from bisector.errors import BisectorError


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownBuild:
    """A build that earlier jobs made: when it was last used (seconds since the epoch) and what it takes."""

    build: Build
    used: Seconds
    size: Bytes


def needed_builds(store: Store) -> frozenset[str]:
    """Keys of the builds that jobs not yet done have recorded, and of the dependencies those were made from."""
    return frozenset(
        key
        for row in store.jobs()
        if row.state is not JobState.DONE
        for fact in store.facts(row.job)
        if isinstance(fact, BuildRecorded)
        for key in (fact.build.key, fact.build.layer)
    )


def removable(
    builds: Iterable[KnownBuild], needed: frozenset[str], *, now: Seconds, keep_seconds: Seconds, keep_bytes: Bytes
) -> list[KnownBuild]:
    """The builds to remove: those unused for longer than `keep_seconds`, and the longest unused beyond `keep_bytes`.

    A needed build is never among them, though its size counts.
    """
    newest_first = sorted(builds, key=lambda known: -known.used)
    chosen, total = [], 0
    for known in newest_first:
        total += known.size
        if known.build.key in needed:
            continue
        if now - known.used > keep_seconds or total > keep_bytes:
            chosen.append(known)
            total -= known.size
    return chosen


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """How much is kept: builds used within `seconds`, and of those the latest used up to `size`."""

    now: Seconds
    seconds: Seconds
    size: Bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """What was removed, or would be; `problems` are what could not be looked at."""

    builds: int = 0
    freed: Bytes = 0
    kept: int = 0
    left_over: int = 0
    unpinned: int = 0
    problems: tuple[str, ...] = ()


def collect(
    store: Store,
    runners: Mapping[RunnerName, Runner],
    repository_at: Callable[[str], Repository],
    keeping: Keeping,
    *,
    locks: Locks,
    dry_run: bool,
) -> Collected:
    """Remove what `removable` says, what killed processes left behind, and the pins of finished jobs."""
    found = Collected()
    sized: list[tuple[KnownBuild, Runner]] = []
    for runner in runners.values():
        try:
            sized += [(known, runner) for known in _builds_of(runner, store)]
            found = replace(found, left_over=found.left_over + (0 if dry_run else runner.sweep()))
        except BisectorError as error:
            found = replace(found, problems=(*found.problems, f"{runner.name}: {error.what}"))
    owner = {known.build.key: runner for known, runner in sized}
    chosen = removable(
        (known for known, _ in sized),
        needed_builds(store),
        now=keeping.now,
        keep_seconds=keeping.seconds,
        keep_bytes=keeping.size,
    )
    removed = []
    for known in chosen:
        try:
            if dry_run or _remove(known.build, store, owner[known.build.key], locks):
                removed.append(known)
        except BisectorError as error:
            found = replace(found, problems=(*found.problems, error.what))
    freed = sum(known.size for known in removed)
    found = replace(found, builds=len(removed), freed=freed, kept=len(sized) - len(removed))
    return found if dry_run else replace(found, unpinned=_let_go(store, repository_at))


def _remove(build: Build, store: Store, runner: Runner, locks: Locks) -> bool:
    """Remove a build unless a job has come to need it since it was chosen; whether it is gone."""
    with locks.building(build.key, StopSignal()):
        if build.key in needed_builds(store):
            return False
        runner.discard(build)
        store.forget_build(build.key)
        return True


def _builds_of(runner: Runner, store: Store) -> list[KnownBuild]:
    """The builds this runner still holds; what is known of one that is gone is forgotten."""
    held = []
    for build, used in store.builds():
        if build.usable and build.runner == runner.name:
            if runner.holds(build):
                held.append(KnownBuild(build=build, used=used, size=runner.size(build)))
            else:
                store.forget_build(build.key)
    return held


def _let_go(store: Store, repository_at: Callable[[str], Repository]) -> int:
    """Unpin the commits of finished jobs, so that the mirrors' own housekeeping may drop them."""
    done = [
        row for row in store.jobs() if row.state is JobState.DONE and row.request.runner is not RunnerName.SIMULATED
    ]
    for row in done:
        repository_at(row.request.repository).unpin(row.job)
    return len(done)
