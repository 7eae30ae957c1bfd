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
from bisector.core.model.investigation import Investigation
from bisector.core.model.parts import PartsListed
from bisector.core.model.samples import Sample
from bisector.core.search.planner import PLANNER
from bisector.core.search.replay import replay
from bisector.report.ahead import disturbed
from bisector.report.numbers import count, quantity, seconds
from bisector.report.sentence import sentence_of
from bisector.report.text import SHORT, one_line
from bisector.wiring import Wiring


def print_log(investigation: Investigation, wiring: Wiring) -> None:
    """Every step with its reason, and what the world answered."""
    for fact in wiring.store.facts(investigation.job):
        for line in _aligned(fact, _log_lines(fact, investigation.metric.name, investigation.metric.unit)):
            click.echo(line)


def print_replay(investigation: Investigation, wiring: Wiring) -> int:
    """Say whether the facts give the job's steps and verdict again; the exit code."""
    job = investigation.job
    found = replay(job, investigation.request, wiring.store.facts(job))
    for planned in found.differing:
        version = "" if planned.planner == PLANNER else f" (planned by version {planned.planner}, now {PLANNER})"
        click.echo(f"step {planned.number} comes out otherwise{version}: {_step(planned)}: {planned.step.reason}")
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


def _log_lines(fact: Fact, metric: str, unit: str) -> list[str]:
    match fact:
        case Planned():
            return [f"{_step(fact)}: {fact.step.reason}"]
        case Sample():
            value = quantity(fact.values[metric], unit) if metric in fact.values else fact.reason
            return [f"{fact.place} {fact.purpose} run: {fact.outcome} {value}"]
        case BuildRecorded():
            how = "at hand" if fact.build.reused else f"in {seconds(fact.build.seconds)}"
            ahead = " ahead" if fact.ahead else ""
            return [f"{fact.place} build{ahead}: {fact.build.outcome} {how} {fact.build.reason}"]
        case HistoryListed():
            return [f"{fact.line.size} candidates"]
        case EnvironmentSeen():
            return [f"host {fact.host[:SHORT]}"]
        case _:
            return _rarer_lines(fact)


def _rarer_lines(fact: Fact) -> list[str]:
    match fact:
        case Adopted():
            places = len({sample.place for sample in fact.samples})
            samples = count(len(fact.samples), "sample")
            return [f"{samples} of {count(places, 'commit')} taken over from job {fact.job}"]
        case BranchListed():
            return [f"{count(fact.line.size, 'commit')} brought in by merge {fact.merge}"]
        case PartsListed():
            return [one_line(fact.problem, 160) or f"{count(fact.size, 'part')} of what {fact.place} moves"]
        case CulpritNamed():
            return [f"named {fact.culprit.place}{f' for {fact.metric}' if fact.metric else ''}"]
        case Disturbed():
            return [f"{disturbed(fact)}: nothing more is built beside runs"]
        case Profiled():
            return [f"{fact.place} profile by {fact.tool}: {fact.problem or count(fact.samples, 'sample')}"]
        case Concluded():
            others = [f"{each.metric}: {each.verdict.kind}: {each.verdict.explanation}" for each in fact.others]
            return [f"{fact.verdict.kind}: {fact.verdict.explanation}", *others]
        case _:
            return []


def _step(fact: Planned) -> str:
    step = fact.step
    place = getattr(step, "place", None) or getattr(step, "merge", None)
    slots = getattr(step, "slots", None)
    what = f" {place}" if place else f" {len(slots)} runs" if slots else ""
    return f"{type(step).__name__}{what}"
