"""What was built: with which patches, without what, and which failed builds were made once more."""

from collections.abc import Iterator
from dataclasses import dataclass

from bisector.core.model.history import LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.report import numbers
from bisector.report.parts import is_part
from bisector.report.phrase import quote
from bisector.report.text import one_line

MOST_NAMED = 4
LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchPart:
    """A patch of the scenario, and the commits that were built with it."""

    file: str
    commits: tuple[str, ...]


def patches_of(investigation: Investigation) -> tuple[PatchPart, ...]:
    """The patches that commits were built with, in the order of the scenario."""
    found: dict[str, dict[str, None]] = {
        patch.file: {} for patch in investigation.request.scenario.build.patches if investigation.builds
    }
    for (place, _), build in investigation.builds.items():
        for file in build.patches:
            found.setdefault(file, {})[_sha(investigation, place)] = None
    return tuple(
        PatchPart(file=one_line(file, LONGEST_NAME), commits=tuple(filter(None, shas))) for file, shas in found.items()
    )


def checkout_notes(investigation: Investigation) -> Iterator[str]:
    """What a reader has to know of what was built."""
    for patch in patches_of(investigation):
        built = len({_sha(investigation, place) for place, _ in investigation.builds} - {""})
        name, commits = quote(patch.file, LONGEST_NAME), len(patch.commits)
        if commits:
            were = "was" if commits == 1 else "were"
            yield f"{numbers.count(commits, 'commit')} of {numbers.whole(built)} {were} built with the patch {name}."
        else:
            yield f"The patch {name} applies to none of the commits that were built."
    names = dict.fromkeys(name for build in investigation.builds.values() for name in build.left_out)
    if names:
        told = numbers.listing(quote(name, LONGEST_NAME) for name in list(names)[:MOST_NAMED])
        more = f" and {numbers.whole(len(names) - MOST_NAMED)} more" if len(names) > MOST_NAMED else ""
        yield f"Not in what was built: {told}{more}. Submodules are empty directories, Git LFS files their pointers."
    again = [build for build in investigation.builds.values() if build.clean]
    if again:
        cured = sum(build.usable for build in again)
        builds = f"{numbers.count(len(again), 'failed build')} that the answer hangs on"
        were = "was" if len(again) == 1 else "were"
        came = f"{numbers.whole(cured)} came out well then" if cured else "with the same end"
        yield f"{builds} {were} made once more, from scratch: {came}."


def _sha(investigation: Investigation, place: Place) -> str:
    """The commit at `place`; "" for what is no commit's own tree."""
    return "" if place.line is LineName.TRIED or is_part(place) else investigation.commit(place).sha
