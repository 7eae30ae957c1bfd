"""From an investigation, at whatever stage, to its report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import bisector
from bisector.core.model.history import LineName
from bisector.core.model.investigation import Investigation
from bisector.core.model.packages import PackageMove
from bisector.core.model.request import RunnerName
from bisector.core.model.samples import Purpose
from bisector.core.model.scenario import Scenario
from bisector.core.model.units import Seconds
from bisector.core.search.outlook import outlook, verdict_for
from bisector.report import numbers
from bisector.report.advice import advice_of
from bisector.report.attached import Artifact, Section
from bisector.report.basis import LONGEST_REASON, Basis, commit_part, metric_part
from bisector.report.checkouts import patches_of
from bisector.report.counted import counted_part
from bisector.report.culprits import culprits_of, opposite_of
from bisector.report.document import CostPart, EnvironmentPart, OtherPart, Report, UntestablePart
from bisector.report.ends import ends_of
from bisector.report.evidence import evidence_of
from bisector.report.explanation import Explanation, Files, explanations_of
from bisector.report.lines import inner_line, main_line
from bisector.report.notes import notes_of
from bisector.report.packages import moves_between, rebuilt_part
from bisector.report.parts import is_part, parts_part
from bisector.report.phrase import Phrase, quote
from bisector.report.reproduce import reproduce_command
from bisector.report.restoration import part_of
from bisector.report.sentence import answer, standing
from bisector.report.shell import command_line
from bisector.report.steplog import log_of
from bisector.report.suspects.section import sections_of
from bisector.report.suspicion import with_suspect
from bisector.report.text import SHORT, displayed, harmless, one_line

LONGEST_PATH = 4096


@dataclass(frozen=True, kw_only=True)
class JobFacts:
    """What is known of a job beside its investigation. `scenario` is the name or path the person gave, if they did."""

    state: str
    elapsed_seconds: Seconds | None = None
    scenario: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    sections: tuple[Section, ...] = field(default=())
    files: Files = field(default_factory=dict)
    """What was captured, as far as it is still there."""


def report_of(investigation: Investigation, job: JobFacts) -> Report:
    """The report of a job, finished or not."""
    request, basis = investigation.request, Basis.of(investigation, job.state)
    metric = metric_part(investigation, investigation.metric)
    ends = ends_of(investigation, basis.main, basis.verdict)
    culprits = culprits_of(investigation, basis.verdict, basis.main)
    opposite = opposite_of(investigation, basis.verdict, basis.main)
    cost = cost_of(investigation, job.elapsed_seconds)
    explanations = explanations_of(investigation, job.files)
    return Report(
        job=one_line(investigation.job, 80),
        state=one_line(job.state, 40),
        kind=request.kind,
        verdict=basis.verdict.kind if basis.verdict is not None else None,
        reason=basis.verdict.reason if basis.verdict is not None else None,
        sentence=_sentence(basis, explanations),
        repository=displayed(request.repository, 400),
        good=one_line(request.good),
        bad=one_line(request.bad),
        candidates=investigation.line.size if investigation.history is not None else None,
        scenario=one_line(request.scenario.name, 100),
        description=one_line(request.scenario.description, 400),
        runner=request.runner,
        metric=metric,
        confidence=request.search.confidence,
        ends=ends,
        culprits=culprits,
        opposite=opposite,
        others=tuple(_others(basis)),
        lines=tuple(line for line in (main_line(basis), inner_line(basis)) if line is not None),
        untestable=tuple(_untestable(investigation)),
        patches=patches_of(investigation),
        evidence=evidence_of(basis, metric, ends, (culprits, opposite), cost),
        notes=notes_of(basis, ends),
        cost=cost,
        environment=_environment(investigation),
        log=log_of(investigation, metric.gauge),
        advice=tuple(advice_of(basis, job.scenario)),
        reproduce=reproduce_command(request, job.scenario),
        artifacts=tuple(_shown(artifact) for artifact in job.artifacts),
        sections=(*sections_of(explanations, _names(investigation, explanations)), *job.sections),
        explanations=explanations,
        trial=part_of(investigation, basis.verdict.trial if basis.verdict is not None else None),
        head=part_of(investigation, basis.verdict.head if basis.verdict is not None else None),
        packages=_packages(basis),
        rebuilt=rebuilt_part(investigation, basis.verdict.rebuilt if basis.verdict is not None else None),
        parts=parts_part(investigation, basis.verdict),
        counted=counted_part(basis),
    )


def _packages(basis: Basis) -> tuple[PackageMove, ...] | None:
    if basis.main is None:
        return None
    view = basis.main.view
    return moves_between(basis.investigation, view.place_at(view.low), view.place_at(view.high))


def _shown(artifact: Artifact) -> Artifact:
    """An artifact with a path that does no harm where it is shown."""
    side = one_line(artifact.side, 80) if artifact.side else None
    return replace(artifact, path=harmless(artifact.path[:LONGEST_PATH]).replace("\t", "\\x09"), side=side)


def _names(investigation: Investigation, explanations: Sequence[Explanation]) -> list[str]:
    return [investigation.commit(each.new).sha[:SHORT] for each in explanations]


def _sentence(basis: Basis, explanations: Sequence[Explanation]) -> Phrase:
    if basis.answered and basis.verdict is not None:
        return with_suspect(answer(basis.investigation, basis.verdict), basis.investigation, explanations)
    return standing(basis.investigation, basis.main, basis.state)


def _others(basis: Basis) -> Iterator[OtherPart]:
    """What the same runs say of the further metrics that were asked for."""
    investigation = basis.investigation
    answers = {each.metric: each for each in investigation.other_verdicts}
    for metric in investigation.request.asked:
        if metric.name == investigation.metric.name:
            continue
        said = answers.get(metric.name)
        confidence = said.confidence if said is not None else investigation.request.search.confidence
        alone = investigation.asked_for(metric, confidence)
        found = outlook(alone)
        verdict = said.verdict if said is not None else verdict_for(alone, metric)
        ends = ends_of(alone, found, verdict)
        if ends is None:
            continue
        nothing = Phrase(f"{quote(metric.name)} was not measured.")
        yield OtherPart(
            metric=metric_part(investigation, metric),
            verdict=verdict.kind if verdict is not None else None,
            phrase=answer(alone, verdict, metric) if verdict is not None else nothing,
            ends=ends,
            culprits=culprits_of(alone, verdict, found),
        )


def _untestable(investigation: Investigation) -> Iterator[UntestablePart]:
    for place, (outcome, reason) in investigation.failures.items():
        if place.line is LineName.TRIED or is_part(place):
            continue
        yield UntestablePart(
            line=place.line,
            index=place.index,
            commit=commit_part(investigation.commit(place)),
            outcome=outcome,
            reason=displayed(reason, LONGEST_REASON),
        )


def cost_of(investigation: Investigation, elapsed: Seconds | None) -> CostPart:
    """What the job has spent so far; what it took over from other jobs cost it nothing."""
    own = [sample for sample in investigation.samples if not sample.adopted_from]
    builds = investigation.every_build
    return CostPart(
        runs=investigation.runs(),
        warmups=sum(sample.purpose is Purpose.WARMUP for sample in own),
        commits=len({sample.place for sample in own}),
        builds=investigation.builds_made(),
        builds_reused=sum(build.reused for build in builds),
        run_seconds=sum(sample.usage.wall for sample in own if sample.usage is not None),
        build_seconds=sum(build.seconds for build in builds if not build.reused),
        elapsed_seconds=elapsed,
    )


def _environment(investigation: Investigation) -> EnvironmentPart:
    request, host = investigation.request, investigation.host
    build, run = request.scenario.build, request.scenario.run
    return EnvironmentPart(
        runner=request.runner,
        host=one_line(host.host, 80) if host is not None else None,
        toolchain=one_line(host.toolchain, 200) if host is not None else None,
        image=one_line(request.image_id, 200) if request.image_id is not None else None,
        details={one_line(name, 80): displayed(text, 300) for name, text in _details(investigation).items()},
        steps=tuple(displayed(step, 400) for step in build.steps),
        command=displayed(command_line(run.command), 1000),
        env=tuple(one_line(name, 80) for name in sorted({*build.env, *run.env})),
        limits=tuple(_limits(request.scenario, request.runner)),
        bisector=bisector.__version__,
        planners=tuple(sorted({one_line(plan.planner, 40) for plan in investigation.plans})),
    )


def _details(investigation: Investigation) -> Mapping[str, str]:
    return investigation.host.details if investigation.host is not None else {}


def _limits(scenario: Scenario, runner: RunnerName) -> Iterator[str]:
    """What every run is held to; on this machine itself nothing keeps it from the network."""
    run = scenario.run
    yield numbers.count(run.cpus, "processor")
    yield f"{numbers.size(run.memory_bytes)} of memory"
    yield f"at most {numbers.seconds(run.timeout_seconds)} a run"
    yield "no network" if run.network == "none" and runner is not RunnerName.LOCAL else "network"
    until = " until first runs are seen to be like the others" if run.warmup_runs is None else ""
    yield f"{numbers.count(run.opening_runs, 'warm-up')} a session{until}"
