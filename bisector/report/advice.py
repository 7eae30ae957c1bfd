"""What to do next, with the command for it."""

from collections.abc import Iterator
from dataclasses import replace

from bisector.core.model.history import Line, inner
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind, Request
from bisector.core.model.scenario import Direction
from bisector.core.model.verdict import Culprit, InnerKind, Reason, Verdict, VerdictKind
from bisector.report.basis import Basis
from bisector.report.document import Advice
from bisector.report.phrase import Phrase, quote
from bisector.report.reproduce import SIMULATED, reproduce_command
from bisector.report.shell import command_line
from bisector.report.text import SHORT

OTHER_WAY = {
    Direction.WORSE: Direction.BETTER,
    Direction.BETTER: Direction.WORSE,
    Direction.EITHER: Direction.EITHER,
}


def advice_of(basis: Basis, scenario: str | None) -> Iterator[Advice]:
    """What a reader would do next; nothing where there is nothing to do. `scenario` is what the person called it."""
    investigation, verdict = basis.investigation, basis.verdict
    if not basis.answered:
        yield from _unanswered(investigation, basis.state)
    elif verdict is not None and investigation.request.kind is JobKind.BISECT:
        for culprit in verdict.culprits:
            name = quote(investigation.commit(culprit.place).sha[:SHORT]) if len(verdict.culprits) > 1 else "it"
            yield from _look_at(investigation, culprit, name)
        yield from _elsewhere(investigation, verdict, scenario)


def _unanswered(investigation: Investigation, state: str) -> Iterator[Advice]:
    if state in {"cancelled", "paused"}:
        command = command_line(["bisector", "jobs", "resume", investigation.job])
        yield Advice(text=Phrase("Go on with it; nothing that was measured is lost"), command=command)
    else:
        yield Advice(text=Phrase("Follow it"), command=command_line(["bisector", "jobs", "watch", investigation.job]))


def _look_at(investigation: Investigation, culprit: Culprit, name: str) -> Iterator[Advice]:
    """The commands that show what the culprit, called `name`, changed."""
    git, line = _git(investigation.request), investigation.line
    if len(culprit.members) > 1 and line.linear:
        first, last = min(culprit.members), max(culprit.members)
        span = f"{line.commit(first - 1).sha}..{line.commit(last).sha}"
        command = command_line([*git, "log", "--first-parent", "--stat", span])
        yield Advice(text=Phrase("See what these commits changed"), command=command)
        return
    command = command_line([*git, "diff", *_step(line, culprit)])
    yield Advice(text=Phrase(f"See what {name} changed"), command=command)
    answer = culprit.inner
    if answer is not None and answer.kind is InnerKind.COMMIT:
        sha = investigation.commit(inner(answer.members[0])).sha
        yield Advice(text=Phrase(f"See the commit inside {name}"), command=command_line([*git, "show", sha]))


def _step(line: Line, culprit: Culprit) -> tuple[str, str]:
    commit = line.commit(culprit.place.index)
    return (commit.parents[0] if commit.parents else line.base.sha), commit.sha


def _git(request: Request) -> list[str]:
    local = "://" not in request.repository and not request.repository.startswith(SIMULATED)
    return ["git", "-C", request.repository] if local else ["git"]


def _once_more(investigation: Investigation, verdict: Verdict) -> Advice:
    if verdict.reason is Reason.PACKAGES:
        how = "To know whether the commits differ as well, ask again with packages of one day for all of them"
        dated = command_line(["bisector", "jobs", "rerun", investigation.job, "--as-of", "DATE"])
        return Advice(text=Phrase(how), command=dated)
    again = command_line(["bisector", "jobs", "rerun", investigation.job])
    return Advice(text=Phrase("Ask again, from beginning to end on one host"), command=again)


def _elsewhere(investigation: Investigation, verdict: Verdict, scenario: str | None) -> Iterator[Advice]:
    """Another question to ask, where this one had no culprit for an answer."""
    request = investigation.request
    if verdict.kind is VerdictKind.FAILED:
        yield Advice(text=Phrase("Make the scenario work at both ends first; what it said stands below"))
    elif verdict.kind is VerdictKind.ENVIRONMENT_CHANGED:
        yield _once_more(investigation, verdict)
    elif verdict.reason is Reason.BUDGET:
        again = command_line(["bisector", "jobs", "rerun", investigation.job, "--reuse"])
        yield Advice(
            text=Phrase("Go on with as large a budget once more; builds and runs are taken over"), command=again
        )
    elif verdict.reason is Reason.OPPOSITE_DIRECTION:
        search = replace(request.search, direction=OTHER_WAY[request.search.direction])
        command = reproduce_command(replace(request, search=search), scenario)
        yield Advice(text=Phrase("Search for the change in the other direction"), command=command)
    elif verdict.reason is Reason.ON_GOOD_BRANCH:
        search = replace(request.search, direction=OTHER_WAY[request.search.direction])
        own = replace(request, good=investigation.line.base.sha, bad=request.good, search=search)
        yield Advice(text=Phrase("Search the branch of good"), command=reproduce_command(own, scenario))
    elif verdict.reason is Reason.BELOW_MIN_EFFECT:
        yield Advice(text=Phrase("A smaller --min-effect would look for it"))
    elif verdict.reason is Reason.NO_CHANGE:
        yield Advice(
            text=Phrase("If it was seen elsewhere, the machine, the input or the way of measuring makes the difference")
        )
