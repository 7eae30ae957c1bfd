"""The files for other viewers that come with a report: speedscope and folded stacks of each side, the difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bisector.core.explain.joining import joined
from bisector.core.explain.stacks import Profile
from bisector.formats.profiles import folded, speedscope
from bisector.report import flamegraph
from bisector.report.explanation import Explanation
from bisector.report.phrase import plain
from bisector.report.suspects.section import headline_of, why_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileFile:
    """One file: its name, and its kind and side as the result's JSON has them."""

    name: str
    kind: str
    side: str | None
    text: str


def profile_files(explanations: Sequence[Explanation]) -> Iterator[ProfileFile]:
    """The files of every explanation that has profiles; the first one's names are plain, further ones are numbered."""
    for number, explanation in enumerate(explanations, start=1):
        prefix = f"{number}-" if number > 1 else ""
        before, after, found = explanation.before, explanation.after, explanation.difference
        for profile in (before, after):
            if profile is not None:
                yield from _side(profile, prefix)
        if before is None and found is not None:
            # One profile beside itself: the page shows it alone.
            page = flamegraph.page(replace(found, before=found.after), title="Where it goes")
            yield ProfileFile(name=f"{prefix}flamegraph.html", kind="flamegraph", side=None, text=page)
        elif after is not None and found is not None:
            page = _compared(explanation)
            yield ProfileFile(name=f"{prefix}difference.html", kind="flamegraph", side=None, text=page)
            yield ProfileFile(name=f"{prefix}difference.svg", kind="diff", side=None, text=str(flamegraph.still(found)))


def _compared(explanation: Explanation) -> str:
    why = why_of(explanation)
    if why is None:
        raise ValueError("there are no two profiles to compare")
    return flamegraph.page(why.found, why.shares, title="Before and after the change", summary=plain(headline_of(why)))


def _side(profile: Profile, prefix: str) -> Iterator[ProfileFile]:
    name, side = f"{prefix}{profile.label}", profile.label
    yield ProfileFile(name=f"{name}.speedscope.json", kind="speedscope", side=side, text=speedscope.write(profile))
    whole = folded.write(joined(profile.captures))
    yield ProfileFile(name=f"{name}.folded.txt", kind="folded", side=side, text=whole)
