"""Investigations to report on: simulated jobs, every kind of verdict, every stage, odd values and hostile texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded, Concluded, EnvironmentSeen, Fact, HistoryListed
from bisector.core.model.history import ASIDE, Commit, Line, linear_line, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.packages import PackageMove
from bisector.core.model.parts import PartsListed
from bisector.core.model.request import Budget, JobKind, Request, Search
from bisector.core.model.samples import Outcome, Purpose, Sample, Usage
from bisector.core.model.scenario import Direction
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.trials import Restoration
from bisector.core.model.units import Sha
from bisector.core.model.verdict import Change, Culprit, Reason, Verdict, VerdictKind
from bisector.formats.scenario import parse_scenario
from bisector.report.attached import Artifact
from bisector.report.compose import JobFacts, report_of
from bisector.report.document import Report
from tests.helpers.moving import both, module_job, moving, one, taken_apart
from tests.helpers.simulated import Simulation, simulate_after

DONE = JobFacts(state="done", elapsed_seconds=321.5)
TWO_METRICS = b"""
name = "simulated"
[run]
command = ["true"]
[[metrics]]
name = "seconds"
unit = "s"
[[metrics]]
name = "wall"
source = "wall"
unit = "s"
"""
MERGE = World(candidates=64, culprit=40, unbuildable=0.1)
"""A culprit that is a merge, with a commit inside it."""
BROKEN = World(candidates=64, culprit=39, unbuildable=0.6)
"""The culprit lies among commits that do not build."""
TWICE = World(candidates=64, culprit=20, effect=0.15, noise=0.01, also="35:0.2/50:-0.08")
"""Two culprits, and a commit that takes a part of their change back."""
CREEP = World(candidates=64, noise=0.01, creep=0.3)
"""A little slower with every commit."""
STEADY = World(candidates=32)
"""Nothing changes."""
HUGE = World(candidates=100_000, culprit=77_777)


def facts_of(
    world: World, request: Callable[[Request], Request] = lambda request: request
) -> tuple[Request, list[Fact]]:
    """The request and all facts of a finished job on `world`."""
    simulation = Simulation(world)
    try:
        asked = request(simulation.request())
        job = simulation.ports.store.create(asked)
        simulation.work(job)
        return asked, simulation.ports.store.facts(job)
    finally:
        simulation.close()


@cache
def finished(world: World, budget: Budget | None = None, search: Search | None = None) -> Investigation:
    """A finished bisect on `world`."""
    request, facts = facts_of(
        world, lambda asked: replace(asked, budget=budget or asked.budget, search=search or asked.search)
    )
    return Investigation.replay("1", request, facts)


@cache
def compared(world: World) -> Investigation:
    """A finished comparison of the ends of `world`."""
    either = Search(direction=Direction.EITHER)
    request, facts = facts_of(world, lambda asked: replace(asked, kind=JobKind.COMPARE, search=either))
    return Investigation.replay("1", request, facts)


@cache
def with_two_metrics() -> Investigation:
    """A bisect that was asked about a second metric too."""
    scenario = parse_scenario(TWO_METRICS, where="two.toml")
    request, facts = facts_of(MERGE, lambda asked: replace(asked, scenario=scenario, metrics=("seconds", "wall")))
    return Investigation.replay("1", request, facts)


@cache
def every_commit() -> Investigation:
    """A search over all commits instead of the first-parent line."""
    return finished(World(candidates=24, culprit=9), search=Search(every_commit=True))


def concluded(investigation: Investigation, verdict: Verdict) -> Investigation:
    """The same with another verdict."""
    return investigation.with_fact(Concluded(verdict=verdict))


@cache
def by_verdict() -> Mapping[str, Investigation]:
    """An investigation for every kind of verdict and every reason."""
    return {**_searched(), **_decreed()}


def _searched() -> Mapping[str, Investigation]:
    """What jobs came to."""
    return {
        "culprit": finished(MERGE),
        "culprit_set untestable": finished(BROKEN),
        "culprit_set budget": finished(World(candidates=64, culprit=40), budget=Budget(runs=14)),
        "several found": finished(TWICE),
        "creep": finished(CREEP),
        "no_change": finished(STEADY),
        "packages moved": simulate_after(
            World(candidates=32, package="1.0:0"), World(candidates=32, package="2.0:0.2"), until=16
        ),
        "packages moved in vain": simulate_after(
            World(candidates=32, culprit=22, package="1.0:0"),
            World(candidates=32, culprit=22, package="2.0:0"),
            until=16,
        ),
        "failed": nothing_builds(),
        "two metrics": with_two_metrics(),
        "every commit": every_commit(),
        "worse": compared(World(candidates=1, culprit=1)),
        "no difference": compared(World(candidates=1)),
        "good aside": good_aside(),
        "one candidate": finished(World(candidates=1, culprit=1)),
        "reverted": proved(MERGE),
        "reverted in vain": proved(replace(MERGE, conflicts="40")),
        "restored": tried(40),
        "not_restored": tried(39),
        "conflict": tried(40, conflicts="40"),
        "nothing to give back": tried(40, culprit=0),
        "packages apart": taken_apart(moving(one("gamma"))),
        "packages untold": taken_apart(moving(one("beta"), impossible=frozenset({frozenset({"alpha", "beta"})}))),
        "packages together": taken_apart(moving(both("beta", "gamma"))),
        "submodule apart": module_job("fetch"),
        "submodule that left": module_job("fetch", left=True),
        "luck of a build": finished(
            World(candidates=32, culprit=20, noise=0.005, seed=7, rebuilt="19:0.075"), search=Search(descend=False)
        ),
    }


def _decreed() -> Mapping[str, Investigation]:
    """Verdicts that few jobs come to, put to jobs that came to others."""
    change = Change(relative=0.1, low=0.08, high=0.12)
    several = tuple(
        Culprit(place=main(index), members=(index,), probability=0.5, change=change, verified=True)
        for index in (10, 40)
    )
    one_of_three = replace(several[1], members=(39, 40, 41), probability=0.96, verified=False)
    merge, steady = finished(MERGE), finished(STEADY)
    moved = EnvironmentSeen(host="another", toolchain="t", details={"kernel": "7"})

    def steady_as(kind: VerdictKind, reason: Reason | None = None, why: str = "why, in our words") -> Investigation:
        verdict = Verdict(kind=kind, reason=reason, change=change, excluded=0.02, no_change=0.9, explanation=why)
        return concluded(steady, verdict)

    return {
        "culprit_set confidence": concluded(
            merge,
            Verdict(kind=VerdictKind.CULPRIT_SET, reason=Reason.CONFIDENCE, culprits=(one_of_three,), change=change),
        ),
        "several": concluded(merge, Verdict(kind=VerdictKind.SEVERAL, culprits=several, change=change)),
        "below_min_effect": steady_as(VerdictKind.NOT_REPRODUCED, Reason.BELOW_MIN_EFFECT),
        "opposite_direction": steady_as(VerdictKind.NOT_REPRODUCED, Reason.OPPOSITE_DIRECTION),
        "on_good_branch": steady_as(VerdictKind.NOT_REPRODUCED, Reason.ON_GOOD_BRANCH),
        "environment_changed": concluded(
            merge.with_fact(moved), Verdict(kind=VerdictKind.ENVIRONMENT_CHANGED, explanation="kernel: 6 → 7")
        ),
        "inconclusive": steady_as(VerdictKind.INCONCLUSIVE, Reason.BUDGET),
    }


@cache
def proved(world: World) -> Investigation:
    """A bisect that tried to prove its answer wrong, by a revert and at the tip of the branch."""
    head = world.line[-1].sha
    request, facts = facts_of(
        world, lambda asked: replace(asked, bad=world.line[-8].sha, verify_revert=True, head=head)
    )
    return Investigation.replay("1", request, facts)


@cache
def tried(index: int, *, conflicts: str = "", culprit: int = 40) -> Investigation:
    """A job that took a commit out of bad."""
    world = replace(MERGE, conflicts=conflicts, culprit=culprit)
    trial = Trial(kind=TrialKind.REVERT, commit=world.line[index].sha)
    either = Search(direction=Direction.EITHER)
    request, facts = facts_of(world, lambda asked: replace(asked, kind=JobKind.VERIFY, trial=trial, search=either))
    return Investigation.replay("1", request, facts)


@cache
def nothing_builds() -> Investigation:
    """A job none of whose commits could be built."""
    request, facts = facts_of(STEADY)
    history = next(fact for fact in facts if isinstance(fact, HistoryListed))
    state = Investigation.replay("1", request, [history])
    for index in range(state.line.size + 1):
        build = Build(key=f"key {index}", outcome=Outcome.BUILD_FAILED, reason="error: no such file", seconds=3.0)
        state = state.with_fact(BuildRecorded(place=main(index), number=0, build=build))
    why = "no two commits of the range can be tested (33 tried; the last: build_failed, error: no such file)"
    return concluded(state, Verdict(kind=VerdictKind.FAILED, explanation=why))


@cache
def good_aside() -> Investigation:
    """Good lies beside the line, and was measured as well."""
    done = finished(MERGE)
    history = done.history
    assert history is not None
    aside = replace(history.line.base, sha=Sha("a" * 40), subject="Good, on a branch of its own")
    beside = replace(done, history=replace(history, aside=aside, bad_contains_good=False))
    for number, sample in enumerate([sample for sample in done.samples if sample.counts][:5]):
        beside = beside.with_fact(replace(sample, place=ASIDE, order=100 + number))
    return beside


@cache
def stages() -> tuple[tuple[str, Investigation], ...]:
    """A job at every stage: before anything is known, after each of its facts, and at its end."""
    request, facts = facts_of(MERGE)
    states = [Investigation(job="1", request=request)]
    for fact in facts:
        states.append(states[-1].with_fact(fact))
    return (("queued", states[0]), *(("running", state) for state in states[1:]))


def with_values(values: Sequence[float], candidates: int = 4, runs: int = 4) -> Investigation:
    """A job whose runs gave `values` in turn, at both ends and in the middle."""
    request, facts = facts_of(World(candidates=candidates))
    history = next(fact for fact in facts if isinstance(fact, HistoryListed))
    host = next(fact for fact in facts if isinstance(fact, EnvironmentSeen))
    state = Investigation.replay("1", request, [host, history])
    places = (0, candidates, candidates // 2)
    for index in places:
        build = Build(key=f"key {index}", outcome=Outcome.OK, handle="h", content=f"c{index}")
        state = state.with_fact(BuildRecorded(place=main(index), number=0, build=build))
    for order in range(runs * len(places)):
        value = values[order % len(values)]
        state = state.with_fact(sample_of(places[order % len(places)], value, order, host.host))
    return state


def sample_of(index: int, value: float, order: int, host: str) -> Sample:
    """One measured run at `index`."""
    return Sample(
        place=main(index),
        build=f"key {index}",
        purpose=Purpose.ENDS,
        outcome=Outcome.OK,
        values={"seconds": value},
        usage=Usage(wall=1.0, cpu=1.0, peak_memory=1),
        step=1,
        order=order,
        clock=float(order),
        host=host,
    )


def report(investigation: Investigation, state: str = "done") -> Report:
    """Its report."""
    return report_of(investigation, replace(DONE, state=state))


def hostile(investigation: Investigation, text: str) -> Investigation:
    """The same with `text` in every place that a stranger can write to."""
    scenario = investigation.request.scenario
    metric = replace(scenario.metrics[0], name=text, unit=text[:40])
    scenario = replace(
        scenario,
        name=text,
        description=text,
        build=replace(scenario.build, steps=(text,), env={text: text}),
        run=replace(scenario.run, command=(text, text), env={text: text}),
        metrics=(metric,),
    )
    request = replace(
        investigation.request,
        repository=f"/repository/{text}",
        scenario=scenario,
        metrics=(text,),
        image_id=text,
        search=replace(investigation.request.search, paths=(text,)),
    )
    history, branch, verdict = investigation.history, investigation.branch, investigation.verdict
    return replace(
        investigation,
        job=text,
        request=request,
        history=replace(history, line=_hostile_line(history.line, text)) if history else None,
        branch=replace(branch, line=_hostile_line(branch.line, text)) if branch else None,
        builds={
            place: replace(build, reason=text if build.reason else "", log=text)
            for place, build in investigation.builds.items()
        },
        samples=tuple(_hostile_sample(sample, text) for sample in investigation.samples),
        plans=tuple(replace(plan, planner=text, step=replace(plan.step, reason=text)) for plan in investigation.plans),
        environments=tuple(
            EnvironmentSeen(host=text, toolchain=text, details={text: text, "kernel": text})
            for _ in investigation.environments
        ),
        trials={
            place: replace(made, commit=_hostile_commit(made.commit, text))
            for place, made in investigation.trials.items()
        },
        parts=_hostile_parts(investigation.parts, text),
        seen=tuple(
            replace(
                seen,
                packages=tuple(_hostile_move(move, text) for move in seen.packages),
                submodules=tuple(replace(move, path=text) for move in seen.submodules),
            )
            for seen in investigation.seen
        ),
        verdict=_hostile_verdict(verdict, text) if verdict else None,
    )


def _hostile_parts(parts: PartsListed | None, text: str) -> PartsListed | None:
    if parts is None:
        return None
    return replace(
        parts,
        line=_hostile_line(parts.line, text),
        moves=tuple(_hostile_move(move, text) for move in parts.moves),
        paths=tuple(text for _ in parts.paths),
        remotes=tuple(text for _ in parts.remotes),
        problem=text if parts.problem else "",
    )


def _hostile_move(move: PackageMove, text: str) -> PackageMove:
    return replace(move, name=f"python:{text}", old=move.old and text, new=move.new and text)


def _hostile_verdict(verdict: Verdict, text: str) -> Verdict:
    culprits = tuple(replace(culprit, revert=_hostile_trial(culprit.revert, text)) for culprit in verdict.culprits)
    trial, head = (_hostile_trial(found, text) for found in (verdict.trial, verdict.head))
    parts = verdict.parts
    if parts is not None:
        parts = replace(parts, alone=_hostile_trial(parts.alone, text), problem=text if parts.problem else "")
    return replace(verdict, explanation=text, culprits=culprits, trial=trial, head=head, parts=parts)


def _hostile_trial(found: Restoration | None, text: str) -> Restoration | None:
    if found is None:
        return None
    return replace(found, problem=text if found.problem else "", conflicts=tuple(text for _ in found.conflicts))


def hostile_report(investigation: Investigation, text: str) -> Report:
    """The report of a job with `text` everywhere."""
    artifacts = (Artifact(kind="build_log", path=text, side=text),)
    return report_of(hostile(investigation, text), replace(DONE, artifacts=artifacts))


def _hostile_line(line: Line, text: str) -> Line:
    commits = [_hostile_commit(commit, text) for commit in line.candidates]
    return replace(linear_line(_hostile_commit(line.base, text), commits), trees=line.trees, notes=(text,))


def _hostile_commit(commit: Commit, text: str) -> Commit:
    return replace(commit, subject=text, author=text)


def _hostile_sample(sample: Sample, text: str) -> Sample:
    values = dict(zip([text], sample.values.values(), strict=False))
    return replace(sample, values=values, host=text, container=text, reason=text if sample.reason else "")
