"""A culprit that does not look like one: it changes nothing that the measured program could notice."""

import re
from dataclasses import dataclass

from bisector.core.model.captures import ChangeSeen
from bisector.core.model.history import LineName, Place
from bisector.core.model.idle import is_idle
from bisector.core.model.samples import Purpose
from bisector.core.model.steps import LookAtChange, Measure, Slot, Step
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Culprit, Doubt
from bisector.core.search.rounds import at_once
from bisector.core.search.spending import overspent, runs_left
from bisector.core.search.view import View

TURNS_AGAIN = 6
AGAIN = "the culprit changes nothing that the program should notice: it is measured against its parent once more"
_TEST = re.compile(
    r"(?:^|/)(?:tests?|testing|spec|specs|__tests__)/|(?:^|/)(?:test_[^/]*|[^/]*_test\.\w+|conftest\.py)$"
)
_ELSEWHERE = re.compile(
    r"(?:^|[/_.-])(?:win32|win64|windows|msvc|nt|darwin|macos|osx|ios|android|freebsd|openbsd|netbsd|solaris|aix|vms)"
    r"(?:[/_.-]|$)|\.(?:bat|cmd|ps1|vcxproj|sln|rc|plist|swift)$"
)
"""Parts of a path that say it is for a system other than Linux, on which everything here is measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    parent: Place
    culprit: Place
    numbers: tuple[int, int]


def doubt_about(seen: ChangeSeen) -> Doubt | None:
    """Why a culprit that changes these files looks odd; None where it does not, or too little is known."""
    if not seen.files or seen.left_out:
        return None
    paths = [path.lower() for path in seen.files]
    rest = [path for path in paths if not is_idle(path)]
    if not rest:
        return Doubt.DOCUMENTATION
    rest = [path for path in rest if not _TEST.search(path)]
    if not rest:
        return Doubt.TESTS
    if all(_ELSEWHERE.search(path) for path in rest):
        return Doubt.PLATFORM
    return Doubt.UNSEEN if seen.profiled is False else None


def next_look(view: View, culprit: Culprit, elapsed: Seconds) -> Step | Doubt | None:
    """The next step to know whether the culprit looks odd, or the answer: a doubt, after it was measured once more."""
    pair = _pair(view, culprit)
    if pair is None:
        return None
    seen = view.investigation.change_seen(culprit.place, pair.parent)
    if seen is None:
        return LookAtChange(place=culprit.place, parent=pair.parent, reason="what does the culprit change?")
    doubt = doubt_about(seen)
    if doubt is None or _measured_again(view, pair) or set(overspent(view.investigation, elapsed)) - {"builds"}:
        return doubt
    turns = 1 if view.exact else TURNS_AGAIN
    places = tuple(zip((pair.parent, pair.culprit), pair.numbers, strict=True))
    order = (places if turn % 2 == 0 else places[::-1] for turn in range(turns))
    slots = [Slot(place=place, number=number, purpose=Purpose.VERIFY) for turn in order for place, number in turn]
    return Measure(slots=at_once(slots, view.runs_together)[: runs_left(view.investigation, elapsed)], reason=AGAIN)


def held_again(view: View, culprit: Culprit) -> bool:
    """Whether the last fresh runs of the culprit against its parent showed the change."""
    index, parent = culprit.place.index, view.line.parent_index(culprit.place.index)
    found = [v for v in view.observations().verifications if (v.parent, v.culprit) == (parent, index)]
    return bool(found) and found[-1].passed


def _measured_again(view: View, pair: _Pair) -> bool:
    return any(
        isinstance(plan.step, Measure)
        and plan.step.reason == AGAIN
        and {slot.place for slot in plan.step.slots} == {pair.parent, pair.culprit}
        for plan in view.investigation.plans
    )


def _pair(view: View, culprit: Culprit) -> _Pair | None:
    """The culprit and its parent with the builds that verified it; None where no single commit is named."""
    if len(culprit.members) != 1 or culprit.place.line is not LineName.MAIN:
        return None
    parent = view.place_at(view.line.parent_index(culprit.place.index))
    for plan in reversed(view.investigation.plans):
        if not isinstance(plan.step, Measure) or any(s.purpose is not Purpose.VERIFY for s in plan.step.slots):
            continue
        numbers = {slot.place: slot.number for slot in plan.step.slots}
        if numbers.keys() == {parent, culprit.place}:
            return _Pair(parent=parent, culprit=culprit.place, numbers=(numbers[parent], numbers[culprit.place]))
    return None
