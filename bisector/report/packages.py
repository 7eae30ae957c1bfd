"""Packages that builds were resolved to, as a report tells them: what moved, and whether that made the difference."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bisector.core.model.captures import ChangeKind, ChangeSeen, SubmoduleMove
from bisector.core.model.history import LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.packages import PackageMove, moved
from bisector.core.model.verdict import Change, Rebuilt
from bisector.core.search.outlook import Outlook
from bisector.core.search.rebuilding import between
from bisector.report import numbers
from bisector.report.numbers import json_number
from bisector.report.phrase import quote
from bisector.report.text import one_line

MOST_TOLD = 4
"""Packages that a sentence names."""
LONGEST = 120
PLAIN_SOURCE = "python"
"""Packages that are called by their name alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuiltPart:
    """Two commits built again today, since builds made earlier held other packages. `caused` is whether those made
    the change between the two; None where the runs cannot tell."""

    old: str
    new: str
    moves: tuple[PackageMove, ...]
    again: tuple[str, ...]
    change: Change
    left: Change
    share: float
    low: float | None
    high: float | None
    caused: bool | None
    runs: int


def moves_told(moves: Sequence[PackageMove]) -> str:
    """What moved, as part of a phrase: "foo 1.0 → 2.0 and bar 3 → none"."""
    return _listed([f"{_name(move)} {move.old or 'none'} → {move.new or 'none'}" for move in moves])


def blamed(investigation: Investigation, rebuilt: Rebuilt) -> str:
    """That it was the packages, as a sentence."""
    earlier, later = (
        _listed([f"{_name(move)} {version}" if version else f"no {_name(move)}" for move, version in sides])
        for sides in (
            [(move, move.old) for move in rebuilt.moves],
            [(move, move.new) for move in rebuilt.moves],
        )
    )
    old, new = (_called(investigation, place) for place in (rebuilt.old, rebuilt.new))
    again = numbers.listing(
        f"{one} built again comes out like {other}"
        for place, one, other in ((rebuilt.old, old, new), (rebuilt.new, new, old))
        if place in rebuilt.again
    )
    whole = numbers.percent(rebuilt.change.relative, signed=True)
    left = f"made alike the two differ by {numbers.change(rebuilt.left)} in place of {whole}"
    return (
        f"The environment changed, not the code: builds made earlier have {earlier}, those made today {later}; "
        f"{again}; {left}."
    )


def moved_by(seen: ChangeSeen | None) -> str:
    """The end of a sentence about a culprit that only moves packages or submodules; "" for any other."""
    if seen is None or seen.kind is ChangeKind.COMMIT:
        return ""
    if seen.kind is ChangeKind.SUBMODULE:
        return f"; it only moves {submodules_told(seen.submodules)}"
    return f"; it only moves packages: {moves_told(seen.packages)}"


def submodules_told(moves: Sequence[SubmoduleMove]) -> str:
    """What moved, as part of a phrase: "submodule vendor/lib 0123456789 → abcdef0123"."""
    texts = [f"{move.path} {_short(move.old)} → {_short(move.new)}" for move in moves]
    more = [f"{numbers.whole(len(texts) - MOST_TOLD)} more"] if len(texts) > MOST_TOLD else []
    named = numbers.listing((*(quote(text, 2 * LONGEST) for text in texts[:MOST_TOLD]), *more))
    return f"{'submodule' if len(texts) == 1 else 'submodules'} {named}"


def seen_of(investigation: Investigation, place: Place) -> ChangeSeen | None:
    """What a culprit changes, as far as it was looked at."""
    if place.line is not LineName.MAIN or not place.index:
        return None
    return investigation.change_seen(place, main(investigation.line.parent_index(place.index)))


def packages_of_change(seen: ChangeSeen | None) -> tuple[PackageMove, ...]:
    """The packages that a culprit moves, harmless to show."""
    return tuple(map(harmless_move, seen.packages)) if seen is not None else ()


def submodule_objects(moves: Iterable[SubmoduleMove]) -> list[dict[str, Any]]:
    """Submodules that moved, in the result's JSON."""
    return [{"path": one_line(move.path, 400), "old": move.old, "new": move.new} for move in moves]


def notes_of_packages(found: Outlook) -> Iterator[str]:
    """That the ends were resolved to different packages, and what is known of its effect."""
    view = found.view
    old, new = view.place_at(view.low), view.place_at(view.high)
    moves = moves_between(view.investigation, old, new)
    if not moves:
        return
    yield f"The builds of the two ends hold different packages: {moves_told(moves)}."
    again = between(view, old, new, 0.0) if view.investigation.request.searches else None
    if isinstance(again, Rebuilt) and not again.caused:
        certain = "" if again.caused is False else ", as far as the runs can tell"
        yield (
            f"Outside the repository {moves_told(again.moves)} has moved since builds were made earlier. That is not "
            f"it{certain}: the ends built alike today differ by {numbers.change(again.left)}."
        )


def moves_between(investigation: Investigation, old: Place, new: Place) -> tuple[PackageMove, ...] | None:
    """What differs between the packages of two commits' builds; None where that is not known."""
    builds = [investigation.builds.get((place, 0)) for place in (old, new)]
    known = [build.packages for build in builds if build is not None and build.packages is not None]
    return tuple(map(harmless_move, moved(*known))) if len(known) == len(builds) else None


def rebuilt_part(investigation: Investigation, rebuilt: Rebuilt | None) -> RebuiltPart | None:
    """The same as a report holds it."""
    if rebuilt is None:
        return None
    return RebuiltPart(
        old=one_line(investigation.commit(rebuilt.old).sha),
        new=one_line(investigation.commit(rebuilt.new).sha),
        moves=tuple(map(harmless_move, rebuilt.moves)),
        again=tuple(one_line(investigation.commit(place).sha) for place in rebuilt.again),
        change=rebuilt.change,
        left=rebuilt.left,
        share=rebuilt.share,
        low=rebuilt.low,
        high=rebuilt.high,
        caused=rebuilt.caused,
        runs=rebuilt.runs,
    )


def rebuilt_object(part: RebuiltPart | None) -> dict[str, Any] | None:
    """The same in the result's JSON."""
    if part is None:
        return None
    return {
        "old": part.old,
        "new": part.new,
        "packages": move_objects(part.moves),
        "again": list(part.again),
        "change": _change(part.change),
        "left": _change(part.left),
        "share": json_number(part.share),
        "share_interval": None
        if part.low is None or part.high is None
        else {"low": json_number(part.low), "high": json_number(part.high)},
        "caused": part.caused,
        "n": part.runs,
    }


def move_objects(moves: Iterable[PackageMove]) -> list[dict[str, Any]]:
    """Packages that moved, in the result's JSON."""
    return [{"source": move.source, "name": move.package, "old": move.old, "new": move.new} for move in moves]


def _change(change: Change) -> dict[str, Any]:
    return {name: json_number(getattr(change, name)) for name in ("relative", "low", "high")}


def _called(investigation: Investigation, place: Place) -> str:
    """What a commit is called in a sentence: "good", "bad", or by its name."""
    ends = {0: "good", investigation.line.size: "bad"} if place.line is LineName.MAIN else {}
    return ends.get(place.index) or quote(investigation.commit(place).sha[:10])


def _listed(texts: list[str]) -> str:
    more = len(texts) - MOST_TOLD
    told = [quote(text, LONGEST) for text in texts[: MOST_TOLD if more > 0 else None]]
    return numbers.listing((*told, f"{numbers.count(more, 'more package')}") if more > 0 else told)


def _name(move: PackageMove) -> str:
    return move.package if move.source == PLAIN_SOURCE else f"{move.source} {move.package}"


def _short(sha: str | None) -> str:
    return "none" if sha is None else sha[:10]


def harmless_move(move: PackageMove) -> PackageMove:
    """A move whose texts can be shown."""
    old, new = (None if version is None else one_line(version, LONGEST) for version in (move.old, move.new))
    return PackageMove(name=one_line(move.name, 2 * LONGEST), old=old, new=new)
