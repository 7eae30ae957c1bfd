"""Whether the world has answered a step: a job that was killed goes on with the one it has not."""

from typing import TYPE_CHECKING, assert_never

from bisector.core.model.steps import (
    BuildPlace,
    Conclude,
    ListBranch,
    ListHistory,
    ListParts,
    LookAtChange,
    MakeTrial,
    Measure,
    NameCulprit,
    ProfileSides,
    Step,
)

if TYPE_CHECKING:
    from bisector.core.model.investigation import Investigation


def is_answered(step: Step, known: "Investigation") -> bool:
    """Whether the facts hold all that `step`, the last one that was planned, asked for."""
    match step:
        case ListHistory():
            return known.history is not None
        case BuildPlace(place=place, number=number, clean=clean):
            build = known.builds.get((place, number))
            return build is not None and (build.usable or build.clean or not clean)
        case Measure():
            return not known.pending()
        case ListBranch() | ListParts():
            return _is_listed(step, known)
        case MakeTrial() | LookAtChange():
            looked = isinstance(step, LookAtChange) and known.change_seen(step.place, step.parent) is not None
            return looked or step.place in known.trials
        case NameCulprit(old=old, new=new, metric=metric):
            names = (*known.named, *known.named_beside)
            return any((named.old, named.new, named.metric) == (old, new, metric) for named in names)
        case ProfileSides(pairs=pairs):
            number = known.plans[-1].number
            looked = any(seen.step == number for seen in known.profilers)
            kept = sum(changes.step == number for changes in known.changes)
            return looked and kept == len(pairs) and not known.pending_captures()
        case Conclude():
            return known.verdict is not None
    assert_never(step)


def _is_listed(step: ListBranch | ListParts, known: "Investigation") -> bool:
    """Whether the line of a merge, or of a change's parts, is here."""
    if isinstance(step, ListParts):
        parts = known.company if step.with_part else known.parts
        return parts is not None and (parts.place, parts.what, parts.with_part) == (
            step.place,
            step.what,
            step.with_part,
        )
    listed = known.branch
    return listed is not None and (listed.merge, listed.in_context) == (step.merge, step.in_context)
