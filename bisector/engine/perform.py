"""Each step carried out: one short function a step, ports in, facts out."""

from collections.abc import Mapping

from bisector.core.model.facts import (
    Adopted,
    BranchListed,
    BuildRecorded,
    Concluded,
    CulpritNamed,
    Disturbed,
    HistoryListed,
)
from bisector.core.model.history import Commit, Line, LineName, Place, linear_line
from bisector.core.model.request import JobKind
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
from bisector.engine.builds import Manner, at_hand, make_build
from bisector.engine.look import look_at_change
from bisector.engine.measure import measure
from bisector.engine.parts import held, list_parts, request_at
from bisector.engine.prebuilt import of_commit
from bisector.engine.profile import profile
from bisector.engine.retry import retrying
from bisector.engine.trials import make_trial
from bisector.engine.work import Work
from bisector.errors import RefError

MOST_KNOWN_BUILDS = 500
"""Earlier builds that are taken notice of at the start of a job."""


def perform(step: Step, work: Work) -> None:
    """Carry `step` out and record what the world answers."""
    match step:
        case ListHistory():
            _list_history(work)
        case BuildPlace():
            _build(step, work)
        case Measure():
            measure(work)
        case ListBranch():
            _list_branch(step, work)
        case ListParts():
            list_parts(step, work)
        case NameCulprit():
            named = CulpritNamed(culprit=step.culprit, old=step.old, new=step.new, metric=step.metric)
            work.record(named)
        case ProfileSides():
            profile(step, work)
        case MakeTrial():
            make_trial(step, work)
        case LookAtChange():
            look_at_change(step, work)
        case Conclude():
            work.record(Concluded(verdict=step.verdict, others=step.others))


def _list_history(work: Work) -> None:
    """List the candidates, and take notice of what earlier jobs built and measured of them. The listing comes last:
    a job killed in between starts this step again."""
    history = list_candidates(work)
    work.stop.check()
    out = _left_out(history.line, work)
    _take_over(_keys(history.line, LineName.MAIN, work), out=out, work=work)
    work.record(history)


def list_candidates(work: Work) -> HistoryListed:
    """The candidates of the request: the commits between its ends, or for a comparison just its second one."""
    request, repository = work.request, work.ports.repository
    if request.kind is JobKind.BISECT:
        search = request.search
        return repository.list_history(
            request.good,
            request.bad,
            every_commit=search.every_commit,
            paths=search.paths,
            suspects=search.suspects,
        )
    second = repository.resolve(request.bad)
    if request.worktree is not None:
        second = Commit(
            sha=second.sha,
            tree=request.worktree,
            parents=(second.sha,),
            time=second.time,
            author="",
            subject="the work tree, uncommitted changes included",
        )
    return HistoryListed(line=linear_line(repository.resolve(request.good), [second]))


def _left_out(line: Line, work: Work) -> frozenset[int]:
    """The indexes of `line` whose earlier samples are not to be believed."""
    unwanted = {*work.request.retracted, *work.request.search.skip}
    return frozenset(index for index in range(line.size + 1) if line.commit(index).sha in unwanted)


def _keys(line: Line, name: LineName, work: Work, but: tuple[int, ...] = ()) -> dict[str, Place]:
    """The keys of the builds of a line that is about to be recorded, with the first place of each."""
    trees = [(index, tree) for index, tree in enumerate(line.trees) if tree and index not in but]
    requests = {index: of_commit(work.request, line.commit(index), tree) for index, tree in trees}
    return {work.key(tree, 0, requests[i]): Place(line=name, index=i) for i, tree in reversed(trees)}


def _take_over(keys: Mapping[str, Place], *, out: frozenset[int], work: Work) -> None:
    """Record the builds and samples that earlier jobs have of the builds with these keys; no samples of `out`."""
    known = work.ports.store.known_builds(keys)
    usable: dict[str, Place] = {}
    for key in list(known)[:MOST_KNOWN_BUILDS]:
        # Held, so that nobody removes the build between the look at it and the note that this job needs it.
        with work.ports.locks.building(key, work.stop):
            build = at_hand(key, work.ports)
            if build is not None:
                usable[key] = keys[key]
                work.record(BuildRecorded(place=keys[key], number=0, build=build))
    if work.request.reuse_samples:
        _adopt(usable, out=out, work=work)


def _adopt(usable: Mapping[str, Place], *, out: frozenset[int], work: Work) -> None:
    """Record the samples that earlier jobs took of these builds, those apart that a build beside them disturbed."""
    identity, host = work.request.sampling_identity(), work.environment.host
    taken = {(sample.adopted_from, sample.place) for sample in work.investigation.samples}
    for job, samples in work.ports.store.samples_of(usable, identity, host).items():
        found = tuple(sample.adopted(by=usable[sample.build], job=job) for sample in samples)
        believed = tuple(sample for sample in found if sample.place.index not in out)
        new = tuple(sample for sample in believed if (job, sample.place) not in taken)
        if any(sample.beside for sample in new) and _was_disturbed(job, work):
            new = tuple(sample for sample in new if not sample.beside)
        if new and job != work.job:
            work.record(Adopted(job=job, samples=new))


def _was_disturbed(job: str, work: Work) -> bool:
    return any(isinstance(fact, Disturbed) for fact in work.ports.store.facts(job))


def _build(step: BuildPlace, work: Work) -> None:
    """Build, or take the build of an equal tree that is at hand; a known failure is not tried again."""
    begun = work.beside.claim((step.place, step.number))
    if begun is not None:
        work.record(BuildRecorded(place=step.place, number=step.number, build=held(begun, step.place, work)))
        return
    tree, request = work.investigation.tree(step.place), request_at(step.place, work)
    key = work.key(tree, step.number, request)
    with work.ports.locks.building(key, work.stop):
        build = at_hand(key, work.ports)
        if build is None or (step.clean and not build.usable and not build.clean):
            ports, stop, manner = work.ports, work.stop, Manner(clean=step.clean, number=step.number)
            what = f"building {step.place}"
            build = retrying(lambda: make_build(request, tree, key, ports, stop, manner), work, what)
        work.record(BuildRecorded(place=step.place, number=step.number, build=held(build, step.place, work)))


def _list_branch(step: ListBranch, work: Work) -> None:
    merge = work.investigation.commit(step.merge)
    try:
        line, conflicts = work.ports.repository.list_branch(merge.sha, in_context=step.in_context)
    except RefError:
        # Nothing that could be searched: an empty line says so, and the answer stays with the merge.
        line, conflicts = Line(base=merge, candidates=(), trees=(merge.tree,)), 0
    ends = (0, line.size) if step.in_context else ()
    out = _left_out(line, work)
    _take_over(_keys(line, LineName.INNER, work, ends), out=out, work=work)
    work.record(BranchListed(merge=step.merge, line=line, in_context=step.in_context, conflicts=conflicts))
