"""Trials made: the tree of one end with a commit taken out, put on top, or a patch applied, in our own mirror."""

from dataclasses import replace

from bisector.core.model.steps import MakeTrial
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.trials import Transplant, TrialMade
from bisector.core.model.units import Sha
from bisector.engine.work import Work

SHOWN = 12
"""Digits of a commit's name in a subject that we write."""


def make_trial(step: MakeTrial, work: Work) -> None:
    """Make the tree that `step` asks for and record it, or in which files it conflicts."""
    onto = work.investigation.commit(step.onto)
    if step.trial.kind is TrialKind.HEAD:
        head = work.ports.repository.resolve(_named(step.trial))
        work.record(TrialMade(place=step.place, trial=step.trial, commit=head))
        return
    made = _transplanted(step.trial, onto.sha, work)
    commit = replace(onto, tree=Sha(made.tree), parents=(onto.sha,), author="", subject=_subject(step.trial))
    _keep(work, made.tree)
    work.record(TrialMade(place=step.place, trial=step.trial, commit=commit, conflicts=made.conflicts))


def remake(work: Work) -> None:
    """Bring back the trees that the cache may have lost since the job was last worked on."""
    for made in work.investigation.trials.values():
        if made.trial.kind is TrialKind.HEAD:
            work.ports.repository.resolve(_named(made.trial))
        elif made.commit.tree:
            _keep(work, _transplanted(made.trial, made.commit.sha, work).tree)


def _transplanted(trial: Trial, onto: Sha, work: Work) -> Transplant:
    repository = work.ports.repository
    if trial.kind is TrialKind.PATCH:
        return repository.patched(work.ports.artifacts.kept(trial.patch).read_bytes(), onto)
    return repository.transplant(_named(trial), onto, undo=trial.kind is TrialKind.REVERT)


def _keep(work: Work, tree: str) -> None:
    if tree:
        request = work.request
        worktree = () if request.worktree is None else (request.worktree,)
        work.ports.repository.pin(work.job, sorted({request.good, request.bad, *worktree, Sha(tree)}))


def _named(trial: Trial) -> Sha:
    if trial.commit is None:
        raise ValueError("a patch names no commit")
    return trial.commit


def _subject(trial: Trial) -> str:
    """What stands for a trial where a commit has its subject."""
    match trial.kind:
        case TrialKind.PATCH:
            return "bad with the patch"
        case TrialKind.APPLY:
            return f"good with {_named(trial)[:SHOWN]}"
        case _:
            return f"bad without {_named(trial)[:SHOWN]}"
