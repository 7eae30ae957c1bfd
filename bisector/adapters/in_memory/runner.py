"""A runner that builds nothing and draws its measurements, in no time, from a seed."""

import itertools
import json
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bisector.adapters.in_memory import profiles
from bisector.adapters.in_memory.machine import SimulatedBackground
from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.counting import CounterTool
from bisector.core.model.facts import EnvironmentSeen
from bisector.core.model.profiles import ProfilerName
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome, Usage
from bisector.core.model.units import Bytes, Seconds
from bisector.engine.ports import BuildOrder, RunOrder, RunRecord, Session
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault

LEVEL: Seconds = 1.0
SECOND_MODE = 0.3


class SimulatedRunner:
    """Implements `bisector.engine.ports.Runner`. Time advances with what is done; nothing waits."""

    def __init__(self, world: World) -> None:
        """Two runners of one world draw the same measurements in the same order."""
        self.world = world
        self._random = random.Random(f"{world.seed} noise")
        self._drift = 0.0
        self._held: float | None = None
        self.background = SimulatedBackground()
        """Where builds are made beside its runs, which those may disturb."""
        self._tried: set[str] = set()
        self.built: dict[str, str] = {}
        """Trees by build key."""

    @property
    def name(self) -> RunnerName:
        """Simulated."""
        return RunnerName.SIMULATED

    def resolve_image(self, image: str | None) -> str | None:
        """There are no images."""
        del image
        return None

    def environment(self, request: Request) -> EnvironmentSeen:
        """One host, always the same."""
        del request
        details = {"host": "simulated", "seed": str(self.world.seed)}
        return EnvironmentSeen(host="simulated", toolchain="simulated", details=details)

    def processors(self) -> int:
        """As many as the world has."""
        return self.world.cores

    def unusable_counters(self) -> Mapping[CounterTool, str]:
        """All of them."""
        return dict.fromkeys(CounterTool, "a simulated world counts nothing")

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        """Build unless the world says that this tree does not."""
        stop.check()
        with order.source() as source:
            tree = source.read().decode()
        self._pass(self.world.build)
        order.log.write_text(f"simulated build of {tree}\n")
        at_first = tree not in self._tried and self.world.fails_at_first(tree)
        self._tried.add(tree)
        if at_first or not self.world.builds(tree):
            return Build(
                key=order.key,
                outcome=Outcome.BUILD_FAILED,
                reason="planted: the first build fails" if at_first else self.world.why_not(tree),
                log=str(order.log),
                seconds=self.world.build,
            )
        again = sum(known == tree for known in self.built.values())
        self.built[order.key] = tree
        version, slower = self.world.resolved
        lucky = self.world.luck(tree, again)
        luck = lucky * slower
        own = f"{tree}:{order.key}" if self.world.layout or self.world.odd else tree
        return Build(
            key=order.key,
            outcome=Outcome.OK,
            handle=own if luck == 1 else f"{own} {luck}",
            content=" ".join(filter(None, (own if lucky == 1 else f"{tree} {order.key}", version))),
            log=str(order.log),
            seconds=self.world.build,
            packages={"python:planted": version} if version else {},
        )

    def holds(self, build: Build) -> bool:
        """Builds of a simulated world are their trees: always at hand."""
        return build.usable

    @contextmanager
    def open(self, build: Build, order: RunOrder, stop: StopSignal) -> Iterator[Session]:
        """A session that draws from the level of the build's tree."""
        stop.check()
        own, _, luck = build.handle.partition(" ")
        tree = own.partition(":")[0]
        yield _SimulatedSession(
            runner=self,
            tree=tree,
            handle=own,
            limit=order.recipe.timeout_seconds,
            collect=order.collect,
            luck=float(luck or 1),
        )

    def run_together(self, sessions: Sequence[Session]) -> tuple[RunRecord | InfraFault, ...]:
        """A run in each: what the machine does to one at this moment it does to all, and time passes once."""
        self._held = self._shared()
        drift, done = self._drift, []
        try:
            for session in sessions:
                self._drift = drift
                done.append(_run_or_fault(session))
        finally:
            self._held = None
        return tuple(done)

    def unusable_profilers(self) -> Mapping[ProfilerName, str]:
        """One profiler is enough for a world without processes."""
        others = (ProfilerName.PYINSTRUMENT, ProfilerName.PERF)
        return dict.fromkeys(others, "there are no processes in a simulated world")

    def size(self, build: Build) -> Bytes:
        """A simulated build takes a kibibyte."""
        del build
        return 1024

    def discard(self, build: Build) -> None:
        """Forget a build."""
        self.built.pop(build.key, None)

    def sweep(self) -> int:
        """Nothing is ever left behind."""
        return 0

    def profile(self, tree: str, wanted: tuple[str, ...]) -> Mapping[str, bytes]:
        """What a profiler that was asked for these files would have written of a run."""
        level = self.world.level(tree)
        found = {
            "profile": profiles.speedscope(level),
            "profile.0": profiles.calls(),
            "memory.0": profiles.memory(level),
            "allocated.0": profiles.allocations(level),
        }
        return {name: content for name, content in found.items() if name in wanted}

    def crashes(self, tree: str) -> bool:
        """Whether a run of this tree fails."""
        return self.world.crashes(tree)

    def draw(self, tree: str) -> Seconds:
        """One run's time: level, times noise, times drift."""
        world = self.world
        if world.infra and self._random.random() < world.infra:
            raise InfraFault("planted: the machine failed")
        level = LEVEL * world.level(tree)
        shared = self._shared() if self._held is None else self._held
        value = level * math.exp(world.noise_of(tree) * self._random.gauss(0, 1) + self._drift + shared)
        if slower := world.second_mode_of(tree):
            value *= 1 + slower * (self._random.random() < SECOND_MODE)
        if self.background.busy:
            value *= 1 + world.disturbs
        self._pass(world.run * value)
        return value

    def draw_further(self, tree: str) -> dict[str, float]:
        """The further metrics of one run, each with noise of its own."""
        noise = self.world.noise
        levels = self.world.further_levels(tree)
        return {name: level * math.exp(noise * self._random.gauss(0, 1)) for name, level in levels.items()}

    def of_build(self, handle: str) -> float:
        """What a build multiplies the times of its commit by."""
        return math.exp(self.world.offset_of(handle))

    def _shared(self) -> float:
        return self.world.shared * self._random.gauss(0, 1) if self.world.shared else 0.0

    def _pass(self, seconds: Seconds) -> None:
        self._drift += self.world.drift * math.sqrt(seconds) * self._random.gauss(0, 1) if self.world.drift else 0.0


def _run_or_fault(session: Session) -> RunRecord | InfraFault:
    try:
        return session.run()
    except InfraFault as fault:
        return fault


@dataclass(frozen=True, kw_only=True)
class _SimulatedSession:
    runner: SimulatedRunner
    tree: str
    handle: str
    limit: Seconds
    collect: tuple[str, ...] = ()
    luck: float = 1.0
    turns: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def container(self) -> str:
        """The tree stands for the container."""
        return self.tree[:12]

    @property
    def source(self) -> str:
        """Where the simulated program lies."""
        return profiles.PROGRAM.rpartition("/")[0]

    @property
    def scenario(self) -> str:
        """A simulated scenario has no files."""
        return ""

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def run(self) -> RunRecord:
        """A run that prints its time as a JSON object, unless it takes longer than it may."""
        time.sleep(self.runner.world.pace)
        value = self.luck * self.runner.draw(self.tree) * self.runner.of_build(self.handle)
        value *= 1 if next(self.turns) else 1 + self.runner.world.cold
        if self.runner.crashes(self.tree):
            usage = Usage(wall=value / 10, cpu=value / 10, peak_memory=10 << 20)
            return RunRecord(outcome=Outcome.BENCH_FAILED, usage=usage, exit_code=1, reason="planted: it crashes")
        if value > self.limit:
            usage = Usage(wall=self.limit, cpu=self.limit, peak_memory=10 << 20)
            return RunRecord(outcome=Outcome.TIMEOUT, usage=usage, reason=f"not done after {self.limit:g} s")
        printed = json.dumps({"seconds": value, "wall": value, **self.runner.draw_further(self.tree)}).encode()
        return RunRecord(
            outcome=Outcome.OK,
            usage=Usage(wall=value, cpu=value, peak_memory=10 << 20),
            exit_code=0,
            stdout=printed,
            files=self.runner.profile(self.tree, self.collect),
        )
