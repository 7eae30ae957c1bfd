"""The culprits a verdict names, each with what is known of it."""

import math
from collections.abc import Sequence
from statistics import median

from bisector.core.model.captures import ChangeKind
from bisector.core.model.history import Commit, Line, LineName, Place, inner
from bisector.core.model.investigation import Investigation
from bisector.core.model.units import Sha
from bisector.core.model.verdict import Change, Culprit, InnerAnswer, InnerKind, Verdict
from bisector.core.search.outlook import Outlook
from bisector.report.basis import commit_part
from bisector.report.document import CommitPart, CulpritPart, InnerPart
from bisector.report.packages import packages_of_change, seen_of
from bisector.report.phrase import Phrase
from bisector.report.restoration import part_of
from bisector.report.sentence import inner_names, inner_part
from bisector.report.text import one_line
from bisector.report.verification import latest

MOST_MEMBERS = 12
"""Commits of a set that a report lists with their subjects; a program finds all of them in the JSON."""


def culprits_of(
    investigation: Investigation, verdict: Verdict | None, found: Outlook | None
) -> tuple[CulpritPart, ...]:
    """The culprits of `verdict`, by the metric of the outlook `found`. A comparison blames nobody."""
    if verdict is None or not investigation.request.searches:
        return ()
    return tuple(_culprit(investigation, verdict, culprit, found) for culprit in verdict.culprits)


def opposite_of(
    investigation: Investigation, verdict: Verdict | None, found: Outlook | None
) -> tuple[CulpritPart, ...]:
    """The changes of `verdict` that go the other way than its culprits."""
    if verdict is None or not investigation.request.searches:
        return ()
    return tuple(_culprit(investigation, verdict, culprit, found) for culprit in verdict.opposite)


def _culprit(investigation: Investigation, verdict: Verdict, culprit: Culprit, found: Outlook | None) -> CulpritPart:
    line, index = investigation.line, culprit.place.index
    commit = line.commit(index)
    seen = seen_of(investigation, culprit.place)
    fresh = latest(investigation, culprit) if culprit.verified else None
    share, share_low, share_high = _share(culprit.change, verdict.change)
    return CulpritPart(
        index=index,
        commit=commit_part(commit),
        parent=_parent(line, commit),
        members=_first([line.commit(member) for member in culprit.members[:MOST_MEMBERS]]),
        set=tuple(line.commit(member).sha for member in culprit.members),
        probability=culprit.probability,
        change=culprit.change,
        share=share,
        share_low=share_low,
        share_high=share_high,
        verified=culprit.verified and (fresh is None or fresh.passed),
        same_build=_same_build(investigation, index),
        still_at_bad=_still_at_bad(found, index),
        inner=_inner(investigation, culprit.inner),
        pairs_of_builds=fresh.builds if fresh is not None else 0,
        paired=fresh.paired if fresh is not None else None,
        revert=part_of(investigation, culprit.revert),
        control=culprit.control,
        suspicious=culprit.suspicious,
        kind=seen.kind if seen is not None else ChangeKind.COMMIT,
        packages=packages_of_change(seen),
        submodules=seen.submodules if seen is not None else (),
    )


def _first(commits: Sequence[Commit]) -> tuple[CommitPart, ...]:
    return tuple(commit_part(commit) for commit in commits)


def _parent(line: Line, commit: Commit) -> CommitPart:
    """The first parent, with its subject where it is on the line."""
    if not commit.parents:
        return commit_part(line.base)
    sha = commit.parents[0]
    index = line.index_of(sha)
    return commit_part(line.commit(index)) if index is not None else _bare(sha)


def _bare(sha: Sha) -> CommitPart:
    return CommitPart(sha=one_line(sha), subject="", author="", date="", is_merge=False)


def _share(part: Change | None, whole: Change | None) -> tuple[float | None, float | None, float | None]:
    """The part of the whole change that one culprit makes, on the logarithmic scale on which changes add up, with its
    interval: by propagation of both changes' half widths, as if they were independent, which is on the wide side."""
    if part is None or whole is None or whole.low <= 0 <= whole.high:
        return None, None, None  # a share of what may be nothing at all says nothing
    if min(part.low, whole.low) <= -1:
        usable = min(part.relative, whole.relative) > -1
        return (math.log1p(part.relative) / math.log1p(whole.relative) if usable else None), None, None
    size, total = math.log1p(part.relative), math.log1p(whole.relative)
    share = size / total
    half = math.hypot(_half_width(part), share * _half_width(whole)) / abs(total)
    return share, share - half, share + half


def _half_width(change: Change) -> float:
    return (math.log1p(change.high) - math.log1p(change.low)) / 2


def _same_build(investigation: Investigation, index: int) -> bool | None:
    """Whether the culprit's build came out equal to its parent's; None where a build tells no content."""
    parent = investigation.line.parent_index(index)
    builds = [investigation.builds.get((Place(line=LineName.MAIN, index=each), 0)) for each in (parent, index)]
    contents = [build.content for build in builds if build is not None and build.content is not None]
    return contents[0] == contents[1] if len(contents) == 2 else None


def _still_at_bad(found: Outlook | None, index: int) -> bool | None:
    """Whether bad is still nearer to the level the culprit brought than to the one before it."""
    if found is None:
        return None
    view = found.view
    if index == view.high:
        return True
    if not view.line.linear:
        old, new = view.line.parent_index(index), index
    else:
        measured = sorted({i for sample in view.samples if (i := view.index_of(sample.place)) is not None})
        old = max((i for i in measured if i < index), default=view.low)
        new = min((i for i in measured if i >= index), default=view.high)
    levels = [view.values_at(view.place_at(each)).tolist() for each in (old, new, view.high)]
    if not all(levels):
        return None
    before, after, bad = (median(values) for values in levels)
    return bool(abs(bad - after) <= abs(bad - before))


def _inner(investigation: Investigation, answer: InnerAnswer | None) -> InnerPart | None:
    if answer is None:
        return None
    named = answer.members if answer.kind in {InnerKind.COMMIT, InnerKind.COMMIT_SET} else ()
    commits = [investigation.commit(inner(index)) for index in named]
    return InnerPart(
        kind=answer.kind,
        phrase=Phrase(inner_part(investigation, answer)),
        names=Phrase(inner_names(investigation, answer)),
        commit=commit_part(commits[0]) if answer.kind is InnerKind.COMMIT else None,
        members=_first(commits[:MOST_MEMBERS]),
        set=tuple(commit.sha for commit in commits),
        probability=None if answer.kind is InnerKind.UNDECIDED else answer.probability,
        change=answer.change,
        in_context=answer.in_context,
    )
