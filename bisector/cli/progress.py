"""What a person sees while a job runs: a live screen on a terminal, else one line a step."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from bisector.core.model.captures import Profiled, ProfilersSeen
from bisector.core.model.facts import BranchListed, BuildRecorded, Disturbed, Fact, HistoryListed
from bisector.core.model.investigation import Investigation
from bisector.core.model.parts import PartsListed
from bisector.core.model.samples import Purpose, Sample
from bisector.core.model.steps import BuildPlace, Measure
from bisector.core.model.units import Seconds
from bisector.core.search.conclude import credible_set
from bisector.core.search.outlook import outlook
from bisector.core.search.planner import Plan
from bisector.engine.ports import Observer
from bisector.report.ahead import disturbed
from bisector.report.estimate import remaining
from bisector.report.numbers import count, probability, quantity, seconds, setting
from bisector.report.sentence import name_of
from bisector.report.steplog import counted_in, place_name
from bisector.report.text import one_line


@contextmanager
def watching(job: str, *, quiet: bool) -> Iterator[Observer]:
    """Somebody who shows the job on standard error; `quiet` keeps to lines even on a terminal."""
    if sys.stderr.isatty() and not quiet:
        from bisector.cli.live import LiveScreen

        with LiveScreen(job) as screen:
            yield screen
    else:
        yield PlainLines()


class PlainLines:
    """Implements `bisector.engine.ports.Observer` with one line a build, a round and an answer so far."""

    def __init__(self) -> None:
        """Nothing has been said yet."""
        self._round: list[Sample] = []

    def planned(self, investigation: Investigation, plan: Plan, elapsed: Seconds) -> None:
        """Say what the answer so far is, and what is about to be built."""
        self._flush(investigation)
        if plan.decision is not None and plan.decision.posterior is not None and plan.view is not None:
            posterior, confidence = plan.decision.posterior, investigation.request.search.confidence
            likely, _ = credible_set(plan.view.observations(), posterior, confidence)
            spent = f"{count(investigation.runs(), 'run')}, {count(investigation.builds_made(), 'build')}"
            left = f"{count(len(likely), 'candidate')} left at {setting(confidence)}"
            told = f"[{seconds(elapsed)}] {spent}; {left}; no change: {probability(posterior.no_change)}"
            expected = remaining(investigation, outlook(plan.view.investigation, name=plan.view.name))
            self._say(told if expected is None else f"{told}; {expected.text()}")
        if isinstance(plan.step, BuildPlace):
            commit = investigation.commit(plan.step.place)
            self._say(f"  building {place_name(plan.step.place)} {name_of(commit)}: {plan.step.reason}")
        elif isinstance(plan.step, Measure):
            self._say(f"  running {count(len(plan.step.slots), 'run')}: {plan.step.reason}")

    def learned(self, investigation: Investigation, fact: Fact) -> None:
        """Say how a build ended; runs are gathered and said a round at a time."""
        match fact:
            case HistoryListed():
                self._say(f"{count(fact.line.size, 'candidate')} between the ends")
            case BranchListed():
                self._say(f"  the merge brought in {count(max(fact.line.size - 1, 0), 'commit')}")
            case PartsListed():
                self._say(f"  {one_line(fact.problem, 160) or count(fact.size, 'part') + ' of what moved'}")
            case BuildRecorded():
                how = "at hand" if fact.build.reused else f"in {seconds(fact.build.seconds)}"
                reason = f": {one_line(fact.build.reason, 160)}" if fact.build.reason else ""
                ahead = " ahead" if fact.ahead else ""
                self._say(f"  {place_name(fact.place)} build{ahead} {fact.build.outcome} ({how}){reason}")
            case Disturbed():
                self._say(f"  {disturbed(fact)}: nothing more is built beside runs")
            case Sample():
                self._round.append(fact)
            case ProfilersSeen():
                names = ", ".join(fact.able) or "none can be had"
                self._say(f"  profiling both sides; profilers: {names} ({fact.why})")
            case Profiled():
                what = counted_in(fact)
                found = one_line(fact.problem, 160) or f"{count(fact.samples, what)} in {count(fact.runs, 'run')}"
                self._say(f"  {place_name(fact.place)} {fact.tool}: {found}")
            case _:
                pass
        if not investigation.pending():
            self._flush(investigation)

    def _flush(self, investigation: Investigation) -> None:
        metric = investigation.metric
        by_place: dict[str, list[Sample]] = {}
        for sample in self._round:
            if sample.purpose is not Purpose.WARMUP or sample.reason:
                by_place.setdefault(place_name(sample.place), []).append(sample)
        for place, samples in by_place.items():
            good = [quantity(s.values[metric.name], metric.unit) for s in samples if metric.name in s.values]
            if not good and any(s.purpose is Purpose.UNTOOLED for s in samples):
                good = [f"{seconds(s.usage.wall)} of wall time" for s in samples if s.usage is not None]
            bad = [f"{s.outcome}: {one_line(s.reason, 160)}" for s in samples if s.reason]
            self._say(f"  {place} {metric.name}: {', '.join([*good, *bad]) or 'nothing read'}")
        self._round = []

    @staticmethod
    def _say(text: str) -> None:
        click.echo(text, err=True)
