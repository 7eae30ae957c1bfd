"""Which commit's build is meant where builds are taken from elsewhere: they are kept by commit, not by tree."""

from dataclasses import replace

from bisector.core.model.history import Commit, LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request
from bisector.core.model.trial import TrialKind

NOBODY = "nobody has built it: what is measured here is no commit of the repository as it is"


def of_commit(request: Request, commit: Commit, tree: str) -> Request:
    """`request` as it holds for `tree`, which stands for `commit`: it may be another than the commit's own."""
    prebuilt = request.scenario.build.prebuilt
    if prebuilt is None:
        return request
    taken = prebuilt.at(commit.sha if tree == commit.tree and tree != request.worktree else "")
    build = replace(request.scenario.build, prebuilt=taken)
    return replace(request, scenario=replace(request.scenario, build=build))


def at_place(request: Request, place: Place, known: Investigation) -> Request:
    """`request` as it holds for the build of `place`."""
    if request.scenario.build.prebuilt is None:
        return request
    made = place.line in {LineName.PART, LineName.ALONE, LineName.COMPANY} or (
        place.line is LineName.TRIED and known.trials[place].trial.kind is not TrialKind.HEAD
    )
    return of_commit(request, known.commit(place), "" if made else known.tree(place))
