"""The real planner on a bench world: the same `next_step`, the same facts, as the engine gives it."""

import time
from dataclasses import dataclass, replace
from functools import lru_cache

from benchmarks.search.strategies import Answer
from benchmarks.search.worlds import REGIMES, OverBudget, Setting, World
from bisector.core.model.builds import Build
from bisector.core.model.calibration import Calibration
from bisector.core.model.captures import ChangeSeen
from bisector.core.model.facts import BuildRecorded, Concluded, CulpritNamed, EnvironmentSeen, HistoryListed, Planned
from bisector.core.model.history import Commit, Line, Place, linear_line
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request, RunnerName, Search
from bisector.core.model.samples import Outcome, Purpose, Sample, Usage
from bisector.core.model.scenario import BuildRecipe, Direction, Metric, RunRecipe, Scenario
from bisector.core.model.steps import BuildPlace, Conclude, ListHistory, LookAtChange, Measure, NameCulprit, Slot
from bisector.core.model.units import Sha
from bisector.core.model.verdict import Verdict, VerdictKind
from bisector.core.search.calibrated import Reading, calibration_of
from bisector.core.search.learned import learned, merged
from bisector.core.search.planner import PLANNER, next_step

UNIT = 600.0
"""Seconds that one unit of cost stands for: long, so that opening a container does not count."""
MIN_EFFECT = 0.0035
PURPOSES = ("ends", "builds", "runs", "fresh builds", "references", "verifying")
CALIBRATED = 8, 20
"""Builds of a calibration, and runs of each."""


@dataclass
class Planner:
    """Our search as a strategy. `min_effect` is relative: the bench's deviation is 1 % of its level."""

    min_effect: float = MIN_EFFECT
    confidence: float = 0.95
    exact: bool = False
    calibrated: bool = False
    """Whether the scenario was calibrated on this host before; what that took is not charged here."""
    before: int = 0
    """Jobs of the scenario that were done on this host before, each beginning with what the ones before it showed."""
    parallel: int = 1
    """Runs at the same moment; as many builds in a row are made at the same time."""

    def __call__(self, world: World) -> Answer:
        """Search `world` to the planner's own conclusion."""
        known = calibration_in(world) if self.calibrated else None
        for number in range(self.before):
            shown = self._shown_by(World(replace(world.plan, seed=world.plan.seed + 1 + number)), known)
            known = known if shown is None else merged(known, shown)
        state, slowest = self._search(world, known)
        if state.verdict is None:
            raise AssertionError("the planner stopped without a conclusion")
        return answer_of(state.verdict, state, world, slowest)

    def _shown_by(self, world: World, known: Calibration | None) -> Calibration | None:
        """What a job in `world` shows of the noise; nothing where it is not done before all is spent."""
        try:
            return learned(self._search(world, known)[0])
        except OverBudget:
            return None

    def _search(self, world: World, known: Calibration | None) -> tuple[Investigation, float]:
        """The finished job, and the seconds that its slowest decision took."""
        state = Investigation(job="bench", request=self._request(world, known))
        state = state.with_fact(EnvironmentSeen(host="bench", toolchain="bench", details={}))
        units: dict[tuple[int, int], int] = {}
        slowest, built = 0.0, 0
        while True:
            began = time.perf_counter()
            plan = next_step(state, world.clock * UNIT)
            slowest = max(slowest, time.perf_counter() - began)
            step = plan.step
            if step is None:
                raise AssertionError("the planner stopped without a conclusion")
            state = state.with_fact(
                Planned(number=state.next_number, step=step, planner=PLANNER, elapsed=world.clock * UNIT)
            )
            match step:
                case ListHistory():
                    state = state.with_fact(HistoryListed(line=line_of(world.size)))
                case BuildPlace():
                    state = state.with_fact(_built(step, world, units, beside=built % self.parallel > 0))
                    built += 1
                case Measure():
                    number, built = state.plans[-1].number, 0
                    for order, slot in enumerate(step.slots):
                        beside = order % self.parallel > 0
                        state = state.with_fact(_sample(slot, (number, order), world, units, beside=beside))
                case NameCulprit(culprit=culprit, old=old, new=new):
                    state = state.with_fact(CulpritNamed(culprit=culprit, old=old, new=new))
                case LookAtChange(place=place):
                    state = state.with_fact(ChangeSeen(place=place, files=("program.py",)))
                case Conclude():
                    return state.with_fact(Concluded(verdict=step.verdict)), slowest
                case _:
                    raise AssertionError(f"the bench has no {type(step).__name__}")

    def _request(self, world: World, known: Calibration | None) -> Request:
        metric = Metric(name="seconds", unit="s", min_effect=self.min_effect, exact=self.exact)
        scenario = Scenario(
            name="bench", build=BuildRecipe(), run=RunRecipe(command=("true",), warmup_runs=0), metrics=(metric,)
        )
        line = line_of(world.size)
        return Request(
            repository="bench",
            good=line.base.sha,
            bad=line.candidates[-1].sha,
            scenario=scenario,
            runner=RunnerName.SIMULATED,
            search=Search(confidence=self.confidence, direction=Direction.WORSE),
            noise=known,
            parallel=self.parallel,
        )


def calibration_in(world: World) -> Calibration:
    """What `bisector calibrate` would have found where `world` is: runs of one commit's builds, forwards and back."""
    earlier = World(replace(world.plan, setting=Setting.NO_CHANGE, seed=world.plan.seed + 1))
    units = [unit for _ in range(CALIBRATED[0]) if (unit := earlier.build(0)) is not None]
    turns = [units if turn % 2 == 0 else units[::-1] for turn in range(CALIBRATED[1])]
    taken = [Reading(build=u, value=earlier.run(u)) for order in turns for u in order]
    return calibration_of("seconds", taken, same_build=REGIMES[world.plan.regime].fixed_builds)


@lru_cache(maxsize=8)
def line_of(size: int) -> Line:
    """A first-parent line of `size` candidates with made-up names."""

    def name(index: int) -> Sha:
        return Sha(f"{index:040x}")

    def commit(index: int) -> Commit:
        parents = (name(index - 1),) if index else ()
        return Commit(sha=name(index), tree=name(index), parents=parents, time=index, author="", subject="")

    return linear_line(commit(0), [commit(index) for index in range(1, size + 1)])


def _built(step: BuildPlace, world: World, units: dict[tuple[int, int], int], *, beside: bool) -> BuildRecorded:
    index = step.place.index
    unit = world.build(index, beside=beside)
    key = f"{index:032x}{step.number:032x}"
    # A rebuild that cannot draw another offset is one that comes out the same.
    same = REGIMES[world.plan.regime].fixed_builds
    content = f"{index}" if same else f"{index}.{step.number}"
    if unit is None:
        build = Build(
            key=key,
            outcome=Outcome.BUILD_FAILED,
            reason="does not build",
            seconds=world.build_cost * UNIT,
            clean=step.clean,
        )
    else:
        units[index, step.number] = unit
        build = Build(key=key, outcome=Outcome.OK, handle="bench", content=content, seconds=world.build_cost * UNIT)
    return BuildRecorded(place=step.place, number=step.number, build=build)


def _sample(
    slot: Slot, at: tuple[int, int], world: World, units: dict[tuple[int, int], int], *, beside: bool
) -> Sample:
    step, order = at
    # At the same moment: when the run before it began, which took one.
    began = (world.clock - beside) * UNIT
    value = world.run(units[slot.place.index, slot.number], beside=beside)
    return Sample(
        place=slot.place,
        number=slot.number,
        build=f"{slot.place.index:032x}{slot.number:032x}",
        purpose=slot.purpose,
        outcome=Outcome.OK,
        values={"seconds": value},
        usage=Usage(wall=UNIT, cpu=UNIT, peak_memory=1),
        step=step,
        order=order,
        clock=began,
        host="bench",
    )


def answer_of(verdict: Verdict, state: Investigation, world: World, slowest: float) -> Answer:
    """The verdict in the bench's terms. A set that only says where the change may be is no answer."""
    members = [member for culprit in verdict.culprits for member in culprit.members]
    whole = verdict.kind in {VerdictKind.CULPRIT, VerdictKind.SEVERAL} or (
        verdict.kind is VerdictKind.CULPRIT_SET and world.plan.setting is Setting.UNBUILDABLE
    )
    none = verdict.kind is VerdictKind.NOT_REPRODUCED
    stated = verdict.no_change if none else (verdict.culprits[0].probability if verdict.culprits else None)
    return Answer(
        found=tuple(sorted(members)) if whole else (),
        no_change=none,
        stated=stated,
        ending=verdict.kind.value if verdict.reason is None else f"{verdict.kind.value} ({verdict.reason.value})",
        verification=verification_cost(state),
        decision_seconds=slowest,
        spent=spent_on(state),
    )


def spent_on(state: Investigation) -> dict[str, float]:
    """What a search cost by purpose, in runs: both ends, first builds and runs of other commits, fresh builds made to
    tell a commit from its build, references, and verifying (with the two builds of the parent that are compared)."""
    spent = dict.fromkeys(PURPOSES, 0.0)
    made_for: dict[tuple[Place, int], Purpose] = {}
    for sample in state.samples:
        unit = (sample.place, sample.number)
        made_for.setdefault(unit, sample.purpose)
        spent[_purpose(unit, sample.purpose)] += 1
    for unit, build in state.builds.items():
        spent[_purpose(unit, made_for.get(unit, Purpose.SEARCH), build=True)] += build.seconds / UNIT
    return spent


def _purpose(unit: tuple[Place, int], purpose: Purpose, *, build: bool = False) -> str:
    if purpose in {Purpose.VERIFY, Purpose.CONTROL}:
        return "verifying"
    if purpose is Purpose.REFERENCE:
        return "references"
    if purpose is Purpose.ENDS:
        return "ends"
    if unit[1]:
        return "fresh builds"
    return "builds" if build else "runs"


def verification_cost(state: Investigation) -> float:
    """What went into verifying by fresh builds: those builds, the runs of the rounds that verified on them, and the
    runs that compare two builds of the parent."""
    made_for: dict[tuple[Place, int], Purpose] = {}
    runs = 0
    for sample in state.samples:
        made_for.setdefault((sample.place, sample.number), sample.purpose)
        runs += sample.purpose is Purpose.CONTROL or (sample.number > 0 and sample.purpose is Purpose.VERIFY)
    builds = sum(
        state.builds[unit].seconds
        for unit, purpose in made_for.items()
        if unit[1] and purpose in {Purpose.VERIFY, Purpose.CONTROL}
    )
    return runs + builds / UNIT
