"""What `bisector jobs log` prints: every step with its reason, what the world answered, or all decided again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from bisector.core.model.captures import Profiled
from bisector.core.model.facts import (
    Adopted,
    BranchListed,
    BuildRecorded,
    Concluded,
    CulpritNamed,
    Disturbed,
    EnvironmentSeen,
    Fact,
    HistoryListed,
    Planned,
)
from bisector.core.model.history import Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.parts import PartsListed
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.search.planner import PLANNER
from bisector.core.search.replay import replay
from bisector.report.ahead import disturbed
from bisector.report.numbers import count, quantity, seconds
from bisector.report.sentence import sentence_of
from bisector.report.steplog import counted_in, place_name, step_name
from bisector.report.text import SHORT, one_line
from bisector.report.words import OUTCOMES
from bisector.wiring import Wiring


def print_log(investigation: Investigation, wiring: Wiring) -> None:
    """Every step with its reason, and what the world answered."""
    for fact in wiring.store.facts(investigation.job):
        for line in _aligned(fact, _log_lines(fact, investigation)):
            click.echo(line)


def print_replay(investigation: Investigation, wiring: Wiring) -> int:
    """Say whether the facts give the job's steps and verdict again; the exit code."""
    job = investigation.job
    found = replay(job, investigation.request, wiring.store.facts(job))
    for planned in found.differing:
        version = "" if planned.planner == PLANNER else f" (planned by version {planned.planner}, now {PLANNER})"
        click.echo(
            f"step {planned.number} comes out otherwise{version}: {step_name(planned.step)}: {planned.step.reason}"
        )
    steps = count(found.steps, "step")
    if found.recorded is None:
        click.echo(f"{steps} decided again; the job has no verdict yet")
    else:
        click.echo(f"recorded   {one_line(str(sentence_of(investigation)), 400)}")
        again = replace(investigation, verdict=found.decided)
        told = one_line(str(sentence_of(again)), 400) if found.decided is not None else "no verdict"
        click.echo(f"replayed   {told}")
    same = f"{steps} and the verdict are the same" if found.recorded is not None else f"{steps} are the same"
    click.echo(same if found.same else "the replay differs")
    return 0 if found.same else 1


def _aligned(fact: Fact, lines: Sequence[str]) -> Iterator[str]:
    """Steps with their number and time in columns, and below each what came of it, further in."""
    head = f"{fact.number:4}  {seconds(fact.elapsed):>12}  " if isinstance(fact, Planned) else " " * 20
    yield from (f"{head}{one_line(line, 400)}" for line in lines)


def _log_lines(fact: Fact, investigation: Investigation) -> list[str]:
    match fact:
        case Planned():
            return [f"{step_name(fact.step)}: {fact.step.reason}"]
        case Sample():
            what = "warm-up" if fact.purpose is Purpose.WARMUP else "run"
            return [f"{_place(fact.place, investigation)}: {what} {_run(fact, investigation)}"]
        case BuildRecorded():
            how = "build at hand" if fact.build.reused else f"built in {seconds(fact.build.seconds)}"
            how = how if fact.build.usable else f"{OUTCOMES[fact.build.outcome]} ({seconds(fact.build.seconds)})"
            reason = f": {fact.build.reason}" if fact.build.reason else ""
            return [f"{_place(fact.place, investigation)}: {how}{' ahead' if fact.ahead else ''}{reason}"]
        case HistoryListed():
            return [count(fact.line.size, "candidate")]
        case EnvironmentSeen():
            return [f"host {fact.host[:SHORT]}"]
        case _:
            return _rarer_lines(fact, investigation)


def _rarer_lines(fact: Fact, investigation: Investigation) -> list[str]:
    match fact:
        case Adopted():
            places = len({sample.place for sample in fact.samples})
            samples = count(len(fact.samples), "sample")
            return [f"{samples} of {count(places, 'commit')} taken over from job {fact.job}"]
        case BranchListed():
            return [f"{count(fact.line.size, 'commit')} brought in by merge {_place(fact.merge, investigation)}"]
        case PartsListed():
            parts = f"{count(fact.size, 'part')} of what {_place(fact.place, investigation)} moves"
            return [one_line(fact.problem, 160) or parts]
        case CulpritNamed():
            metric = f" for {fact.metric}" if fact.metric else ""
            return [f"named {_place(fact.culprit.place, investigation)}{metric}"]
        case Disturbed():
            return [f"{disturbed(fact)}: nothing more is built beside runs"]
        case Profiled():
            found = fact.problem or count(fact.samples, counted_in(fact))
            return [f"{_place(fact.place, investigation)}: profile by {fact.tool}: {found}"]
        case Concluded():
            others = [f"{each.metric}: {each.verdict.kind}: {each.verdict.explanation}" for each in fact.others]
            return [f"{fact.verdict.kind}: {fact.verdict.explanation}", *others]
        case _:
            return []


def _place(place: Place, investigation: Investigation) -> str:
    """Its number, as steps name it, and its commit."""
    return f"{place_name(place)} {investigation.commit(place).sha[:SHORT]}"


def _run(sample: Sample, investigation: Investigation) -> str:
    metric = investigation.metric
    if sample.outcome is Outcome.OK and metric.name in sample.values:
        return quantity(sample.values[metric.name], metric.unit)
    return f"{OUTCOMES[sample.outcome]}{f': {sample.reason}' if sample.reason else ''}"
