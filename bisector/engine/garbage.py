"""What may be removed: builds that no unfinished job needs, by age and size."""

from collections.abc import Iterable
from dataclasses import dataclass

from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded
from bisector.core.model.units import Bytes, Seconds
from bisector.engine.job import JobState
from bisector.engine.ports import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownBuild:
    """A build that earlier jobs made: when it was last used (seconds since the epoch) and what it takes."""

    build: Build
    used: Seconds
    size: Bytes


def needed_builds(store: Store) -> frozenset[str]:
    """Keys of the builds that jobs not yet done have recorded."""
    return frozenset(
        fact.build.key
        for row in store.jobs()
        if row.state is not JobState.DONE
        for fact in store.facts(row.job)
        if isinstance(fact, BuildRecorded)
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
