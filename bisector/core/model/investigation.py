"""The request plus all facts so far. Everything else (posterior, phase, verdict) is computed from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import assert_never

from bisector.core.model.answered import is_answered
from bisector.core.model.builds import Build
from bisector.core.model.captures import ChangeSeen, ChangesKept, Pending, Profiled, ProfilersSeen, pending_captures
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
from bisector.core.model.history import ASIDE, Commit, Line, LineName, Place, main
from bisector.core.model.parts import PartsListed
from bisector.core.model.request import Request
from bisector.core.model.samples import SAYS_NOTHING, SPEAKS_OF_THE_COMMIT, Outcome, Purpose, Sample
from bisector.core.model.scenario import CRASHED, Metric
from bisector.core.model.steps import Conclude, Measure, ProfileSides, Slot
from bisector.core.model.trials import TrialMade
from bisector.core.model.units import Seconds
from bisector.core.model.verdict import MetricVerdict, Verdict

BuildId = tuple[Place, int]
FAILURES_THAT_SETTLE = 2
"""So many failed runs, and more than good ones, make a commit untestable."""


@dataclass(frozen=True, kw_only=True)
class Investigation:
    """All that is known about one job. Immutable: `with_fact` returns the next one."""

    job: str
    request: Request
    history: HistoryListed | None = None
    branch: BranchListed | None = None
    parts: PartsListed | None = None
    company: PartsListed | None = None
    builds: Mapping[BuildId, Build] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    plans: tuple[Planned, ...] = ()
    environments: tuple[EnvironmentSeen, ...] = ()
    named: tuple[CulpritNamed, ...] = ()
    profilers: tuple[ProfilersSeen, ...] = ()
    captures: tuple[Profiled, ...] = ()
    changes: tuple[ChangesKept, ...] = ()
    trials: Mapping[Place, TrialMade] = field(default_factory=dict)
    seen: tuple[ChangeSeen, ...] = ()
    disturbed: Disturbed | None = None
    verdict: Verdict | None = None
    other_verdicts: tuple[MetricVerdict, ...] = ()
    named_beside: tuple[CulpritNamed, ...] = ()
    """Culprits of further metrics."""
    given_up: tuple[Build, ...] = ()
    """Failed builds in whose place a clean one was made."""

    def with_fact(self, fact: Fact) -> "Investigation":
        """The investigation after one more fact."""
        match fact:
            case Planned():
                return replace(self, plans=(*self.plans, fact))
            case EnvironmentSeen():
                request = self.request.on_image(fact.toolchain)
                return replace(self, request=request, environments=(*self.environments, fact))
            case HistoryListed() | BranchListed() | PartsListed():
                return self._with_line(fact)
            case BuildRecorded():
                return self._with_build(fact)
            case Adopted() | Sample():
                new = fact.samples if isinstance(fact, Adopted) else (fact,)
                if self.request.search.crash_is_bad:
                    new = tuple(sample.judged_by_crashing() for sample in new)
                return replace(self, samples=(*self.samples, *new))
            case (
                CulpritNamed() | ProfilersSeen() | Profiled() | ChangesKept() | TrialMade() | ChangeSeen() | Disturbed()
            ):
                return self._with_found(fact)
            case Concluded():
                return replace(self, verdict=fact.verdict, other_verdicts=fact.others)
        assert_never(fact)

    def _with_line(self, fact: HistoryListed | BranchListed | PartsListed) -> "Investigation":
        match fact:
            case HistoryListed():
                return replace(self, history=fact)
            case BranchListed():
                return replace(self, branch=fact)
            case PartsListed(with_part=0):
                return replace(self, parts=fact)
            case PartsListed():
                return replace(self, company=fact)
        assert_never(fact)

    def _with_build(self, fact: BuildRecorded) -> "Investigation":
        """A failed build that was made once more gives way to the second one; what it cost is not forgotten."""
        where = fact.place, fact.number
        before = self.builds.get(where)
        again = (before,) if before is not None and fact.build.clean and not before.usable else ()
        return replace(self, builds={**self.builds, where: fact.build}, given_up=(*self.given_up, *again))

    def _with_found(
        self, fact: CulpritNamed | ProfilersSeen | Profiled | ChangesKept | TrialMade | ChangeSeen | Disturbed
    ) -> "Investigation":
        match fact:
            case Disturbed():
                return replace(self, disturbed=fact)
            case ChangeSeen():
                return replace(self, seen=(*self.seen, fact))
            case TrialMade():
                return replace(self, trials={**self.trials, fact.place: fact})
            case CulpritNamed(metric=""):
                return replace(self, named=(*self.named, fact))
            case CulpritNamed():
                return replace(self, named_beside=(*self.named_beside, fact))
            case ProfilersSeen():
                return replace(self, profilers=(*self.profilers, fact))
            case Profiled():
                return replace(self, captures=(*self.captures, fact))
            case ChangesKept():
                return replace(self, changes=(*self.changes, fact))
        assert_never(fact)

    @classmethod
    def replay(cls, job: str, request: Request, facts: Iterable[Fact]) -> "Investigation":
        """The investigation after `facts`, in their order."""
        state = cls(job=job, request=request)
        for fact in facts:
            state = state.with_fact(fact)
        return state

    def asked_for(self, metric: Metric, confidence: float) -> "Investigation":
        """The same facts for whoever asks for `metric` alone and wants to be so sure of it."""
        request = self.request
        search = replace(request.search, confidence=confidence)
        if metric.name == request.metric.name:
            return replace(self, request=replace(request, search=search))
        named = tuple(each for each in self.named_beside if each.metric == metric.name)
        alone = replace(request, metrics=(metric.name,), search=search)
        return replace(self, request=alone, named=named, verdict=None)

    @property
    def line(self) -> Line:
        """The main line; ValueError before it is listed."""
        if self.history is None:
            raise ValueError("the history is not listed yet")
        return self.history.line

    def line_of(self, name: LineName) -> Line:
        """The line called `name`; ValueError when it is not listed."""
        if name is LineName.INNER:
            if self.branch is None:
                raise ValueError("no branch is listed yet")
            return self.branch.line
        if name in {LineName.PART, LineName.COMPANY}:
            parts = self.parts if name is LineName.PART else self.company
            if parts is None:
                raise ValueError("no parts are listed yet")
            return parts.line
        return self.line

    def commit(self, place: Place) -> Commit:
        """The commit at `place`; for a trial the one that stands for it."""
        if place.line is LineName.TRIED:
            return self.trials[place].commit
        if place == ASIDE:
            aside = self.history.aside if self.history else None
            if aside is None:
                raise ValueError("the good commit lies on the line")
            return aside
        if place.line is LineName.ALONE:
            parts, index = self._alone(place)
            return parts.line.commit(index)
        return self.line_of(place.line).commit(place.index)

    def _alone(self, place: Place) -> tuple[PartsListed, int]:
        """The parts of which one is built without the others, and its index."""
        size = len(self.parts.moves) if self.parts is not None else 0
        parts = self.parts if place.index <= size else self.company
        if parts is None:
            raise ValueError("no parts are listed yet")
        return parts, place.index - (0 if parts.with_part == 0 else size)

    def tree(self, place: Place) -> str:
        """The tree that is built for `place`; "" where it cannot be had."""
        if place == ASIDE or place.line is LineName.TRIED:
            return self.commit(place).tree
        if place.line is LineName.ALONE:
            parts, index = self._alone(place)
            return parts.alone[index - 1]
        return self.line_of(place.line).trees[place.index]

    @cached_property
    def metric(self) -> Metric:
        """The metric the answer is about. One that is wanted only if it is printed gives way by the first good run."""
        if self.crashing:
            return CRASHED
        wanted = self.request.metric
        first = next((sample for sample in self.samples if sample.outcome is Outcome.OK), None)
        if not wanted.if_printed or first is None or wanted.name in first.values:
            return wanted
        return self.request.scenario.metrics[1]

    @property
    def host(self) -> EnvironmentSeen | None:
        """The host the job was first measured on; its samples stay on it."""
        return self.environments[0] if self.environments else None

    @cached_property
    def by_place(self) -> Mapping[Place, tuple[Sample, ...]]:
        """Every sample, warm-ups and failures included, by place."""
        grouped: dict[Place, list[Sample]] = {}
        for sample in self.samples:
            grouped.setdefault(sample.place, []).append(sample)
        return {place: tuple(samples) for place, samples in grouped.items()}

    def failure(self, place: Place, *, besides: frozenset[Outcome] = frozenset()) -> tuple[Outcome, str] | None:
        """Why `place` cannot be tested, as far as is known: the outcome and its reason; None while it can.

        A run that ended as one of `besides` is a test like one that ended well.
        """
        build = self.builds.get((place, 0))
        if build is not None and build.outcome in SPEAKS_OF_THE_COMMIT:
            return build.outcome, build.reason
        fatal = SPEAKS_OF_THE_COMMIT - besides
        # What a run without the tool does says nothing of whether the count can be had.
        samples = [sample for sample in self.by_place.get(place, ()) if sample.purpose is not Purpose.UNTOOLED]
        failed = [sample for sample in samples if sample.outcome in fatal]
        good = sum(sample.outcome is Outcome.OK or sample.outcome in besides for sample in samples)
        if len(failed) >= FAILURES_THAT_SETTLE and len(failed) > good:
            return failed[-1].outcome, failed[-1].reason
        return None

    @cached_property
    def time_limit(self) -> Seconds | None:
        """The limit that a run which did not finish within it is known to lie above; None where that says nothing.

        It says something of wall time, unless the scenario takes it as untestable, once a run has finished at all.
        """
        recipe = self.request.scenario.run
        if recipe.timeout_is != "censored" or self.metric.source != "wall":
            return None
        finished = any(sample.counts and sample.outcome is Outcome.OK for sample in self.samples)
        return recipe.timeout_seconds if finished else None

    @cached_property
    def crashing(self) -> bool:
        """Whether it is the failing of runs that is searched for: bad's runs fail, and that is to count as bad."""
        if not self.request.search.crash_is_bad or self.history is None:
            return False
        failure = self.failure(main(self.line.size))
        return failure is not None and failure[0] is not Outcome.BUILD_FAILED

    @cached_property
    def troubles(self) -> Mapping[Place, tuple[Outcome, str]]:
        """Every place that does not build or whose runs fail, with the outcome and its reason."""
        places = {place for place, _ in self.builds} | set(self.by_place)
        found = {place: self.failure(place) for place in places}
        return {place: failure for place, failure in sorted(found.items()) if failure is not None}

    @cached_property
    def failures(self) -> Mapping[Place, tuple[Outcome, str]]:
        """Every place known to be untestable: failing runs that are searched for are a test, and so are runs that
        are known to take longer than their limit."""
        if self.time_limit is not None:
            tested = frozenset({Outcome.TIMEOUT})
            found = {place: self.failure(place, besides=tested) for place in self.troubles}
            return {place: failure for place, failure in found.items() if failure is not None}
        if not self.crashing:
            return self.troubles
        return {place: found for place, found in self.troubles.items() if found[0] is Outcome.BUILD_FAILED}

    def pending(self) -> tuple[tuple[int, Slot], ...]:
        """The slots of the last planned round that still want a sample, with their order."""
        if not self.plans or not isinstance(self.plans[-1].step, Measure):
            return ()
        plan, step = self.plans[-1], self.plans[-1].step
        done = {
            sample.order
            for sample in reversed(self.samples)
            if sample.step == plan.number
            and sample.purpose is not Purpose.WARMUP
            and sample.outcome not in SAYS_NOTHING
            and not sample.adopted_from
        }
        beside = (step.partner(order) for order in range(len(step.slots)))
        partners = [
            slot if other is None else step.slots[other] for slot, other in zip(step.slots, beside, strict=True)
        ]
        return tuple(
            (order, slot)
            for order, (slot, partner) in enumerate(zip(step.slots, partners, strict=True))
            if order not in done and not {slot.place, partner.place} & set(self.failures)
        )

    def pending_captures(self) -> tuple[Pending, ...]:
        """The slots of the last planned step that still want a capture; none before the profilers are known."""
        plan = self.plans[-1] if self.plans else None
        if plan is None or not isinstance(plan.step, ProfileSides):
            return ()
        seen = next((seen for seen in self.profilers if seen.step == plan.number), None)
        return pending_captures(plan.step.slots, seen, self.captures)

    def unfinished(self) -> Planned | None:
        """The last planned step, when the world has not answered it yet: a killed job goes on there."""
        if not self.plans:
            return None
        return None if is_answered(self.plans[-1].step, self) else self.plans[-1]

    def change_seen(self, place: Place, parent: Place) -> ChangeSeen | None:
        """What lies between two commits, where it was looked at."""
        return next((seen for seen in self.seen if seen.is_of(place, parent)), None)

    @property
    def concluded(self) -> bool:
        """Whether the last planned step was to conclude and its verdict is recorded."""
        return self.verdict is not None and bool(self.plans) and isinstance(self.plans[-1].step, Conclude)

    def runs(self) -> int:
        """Measured runs of this job so far, warm-ups and adopted samples apart."""
        return sum(sample.purpose is not Purpose.WARMUP and not sample.adopted_from for sample in self.samples)

    def builds_made(self) -> int:
        """Builds this job has paid for."""
        return sum(not build.reused for build in self.every_build)

    @property
    def every_build(self) -> tuple[Build, ...]:
        """Every build that was made or taken over, those that were made once more included."""
        return (*self.builds.values(), *self.given_up)

    @property
    def next_number(self) -> int:
        """The number of the next step to plan."""
        return len(self.plans) + 1
