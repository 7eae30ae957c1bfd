"""Failed builds that decide the answer: each is made once more from scratch before the answer rests on it.

A build may fail because of the network, a full disk or a broken cache. Most failures cost the search a step and
nothing else; a few leave a set where a commit could be named, or move an end.
"""

from collections.abc import Iterator

from bisector.core.model.history import LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import SPEAKS_OF_THE_COMMIT
from bisector.core.model.steps import BuildPlace
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import Culprit, Reason, Verdict
from bisector.core.search.spending import overspent

FEW = 3
"""So many failed builds in a set are all made once more; of a longer stretch only the two at its borders."""


def end_once_more(investigation: Investigation, elapsed: Seconds) -> BuildPlace | None:
    """The build of an end that failed: before another commit stands for it, it is made from scratch."""
    for index in (0, investigation.line.size):
        if _wanted(investigation, main(index), elapsed):
            why = "an end did not build: once more from scratch, before another commit stands for it"
            return BuildPlace(place=main(index), reason=why, clean=True)
    return None


def once_more(investigation: Investigation, verdict: Verdict, elapsed: Seconds) -> BuildPlace | None:
    """The failed build that keeps `verdict` from naming one commit and was not yet made from scratch; None without."""
    if verdict.reason is Reason.BUDGET or not investigation.request.searches:
        return None
    for culprit in verdict.culprits:
        for places in _sets(culprit):
            failed = [place for place in places if _failed(investigation, place)]
            for place in failed if len(failed) <= FEW else (failed[0], failed[-1]):
                if _wanted(investigation, place, elapsed):
                    why = "it did not build and the answer hangs on it: once more from scratch"
                    return BuildPlace(place=place, reason=why, clean=True)
    return None


def _sets(culprit: Culprit) -> Iterator[tuple[Place, ...]]:
    """The commits among which a culprit could not be told, and those inside its merge."""
    if len(culprit.members) > 1:
        yield tuple(Place(line=culprit.place.line, index=index) for index in culprit.members)
    if culprit.inner is not None and len(culprit.inner.members) > 1:
        yield tuple(Place(line=LineName.INNER, index=index) for index in culprit.inner.members)


def _failed(investigation: Investigation, place: Place) -> bool:
    build = investigation.builds.get((place, 0))
    return build is not None and build.outcome in SPEAKS_OF_THE_COMMIT


def _wanted(investigation: Investigation, place: Place, elapsed: Seconds) -> bool:
    build = investigation.builds.get((place, 0))
    return (
        _failed(investigation, place)
        and build is not None
        and not build.clean
        and not overspent(investigation, elapsed)
    )
