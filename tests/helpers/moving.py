"""Simulated worlds whose culprit moves packages or a submodule and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.runner import SimulatedRunner
from bisector.adapters.in_memory.world import World
from bisector.core.explain.changes import FileChange
from bisector.core.explain.sources import SourceChange
from bisector.core.model.builds import Build
from bisector.core.model.history import Commit
from bisector.core.model.investigation import Investigation
from bisector.core.model.parts import HELD
from bisector.core.model.request import Request
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Bytes, Sha
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal
from bisector.errors import RefError
from bisector.formats.dependencies.python import wanted
from tests.helpers.simulated import Simulation

OLD, NEW = "1", "2"
NAMES = ("alpha", "beta", "delta", "gamma", "omega")
WORLD = World(candidates=8, culprit=5, effect=0.3, noise=0.01)
Slow = Callable[[frozenset[str]], float]
"""By how much slower it is, relative, with these packages moved."""


def one(name: str) -> Slow:
    return lambda moved: WORLD.effect if name in moved else 0.0


def both(*names: str) -> Slow:
    return lambda moved: WORLD.effect if {*names} <= moved else 0.0


class MovingRepository(SimulatedRepository):
    """The culprit moves all packages in its requirements, and nothing else."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.made: set[str] = set()

    names = NAMES
    """What the requirements say the versions of; the rest is what the index gives."""

    def changes(self, old: str, new: str) -> SourceChange:
        del old, new
        return SourceChange(files=(FileChange(path="requirements.txt", hunks=()),), sources={}, packages=())

    def content(self, tree: str, path: str, most: Bytes) -> bytes | None:
        del path, most
        version = NEW if self.world.has_change(tree) else OLD
        return "".join(f"{name}=={version}\n" for name in self.names).encode()

    def with_files(self, tree: str, files: Mapping[str, bytes | None]) -> str:
        del tree
        held = {name: lines[0] for name, lines in wanted((files[HELD] or b"").decode()).items()}
        asked = {name: lines[0] for name, lines in wanted((files.get("requirements.txt") or b"").decode()).items()}
        assert not {name for name in asked if asked[name] != held[name]}, "what the file asks for is what it is held to"
        moved = "".join("1" if f"=={NEW}" in line else "0" for _, line in sorted(held.items()))
        made = f"5e7{moved}".ljust(40, "0")
        self.made.add(made)
        return made


class MovingRunner(SimulatedRunner):
    """Its builds hold what they are told to, and are as fast as those packages are."""

    slow: Slow = staticmethod(one("gamma"))
    impossible: frozenset[frozenset[str]] = frozenset()
    """Sets that cannot be resolved."""
    deaf: frozenset[str] = frozenset()
    """Packages that stay where they are, whatever they are held to."""
    still: frozenset[str] = frozenset()
    """Packages that never move."""
    slow_itself: bool = False
    """Whether the commit is slow whatever its packages."""
    beside: str = ""
    """What moves with the commit and no set of packages moves: "npm:left-pad", a Python package that came along."""

    def moved(self, tree: str) -> frozenset[str]:
        if not tree.startswith("5e7"):
            return frozenset(NAMES) if self.world.has_change(tree) else frozenset()
        return frozenset(name for name, sign in zip(NAMES, tree[3:], strict=False) if sign == "1")

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        with order.source() as source:
            tree = source.read().decode()
        moved = self.moved(tree)
        if moved in self.impossible:
            order.log.write_text("conflict\n")
            reason = "the requirements conflict"
            return Build(key=order.key, outcome=Outcome.BUILD_FAILED, reason=reason, log=str(order.log), seconds=1)
        whole = self.world.line[-1 if moved else 0].tree
        made = super().build(replace(order, source=lambda: SimulatedRepository(self.world).archive(whole)), stop)
        slow = self.world.effect if self.slow_itself and not order.recipe.held and moved else self.slow(moved)
        factor = (1 + slow) / (1 + self.world.effect if moved else 1)
        apart = self.still | (self.deaf if order.recipe.held else frozenset())
        held = {name: NEW if name in moved - apart else OLD for name in NAMES}
        assert bool(order.recipe.held) == tree.startswith("5e7")
        own = {self.beside: NEW} if self.beside and self.world.has_change(whole) and not order.recipe.held else {}
        return replace(
            made,
            handle=f"{whole}:{order.key} {factor}",
            content=tree,
            packages={**{f"python:{name}": version for name, version in held.items()}, **own},
        )


def job(runner: MovingRunner, repository: SimulatedRepository | None = None) -> tuple[Simulation, Request]:
    simulation = Simulation(runner.world)
    repository = repository or MovingRepository(runner.world)
    simulation.ports = replace(simulation.ports, runner=runner, repository=repository)
    request = simulation.request()
    build = replace(request.scenario.build, steps=("pip install -r requirements.txt",))
    return simulation, replace(request, scenario=replace(request.scenario, build=build))


def taken_apart(runner: MovingRunner, **changes: object) -> Investigation:
    simulation, request = job(runner)
    try:
        return simulation.run(replace(request, **changes))  # type: ignore[arg-type]
    finally:
        simulation.close()


def moving(slow: Slow, world: World = WORLD, **settings: object) -> MovingRunner:
    runner = MovingRunner(world)
    runner.slow = slow
    for name, value in settings.items():
        setattr(runner, name, value)
    return runner


class ModuleRepository(SimulatedRepository):
    """The culprit moves a submodule by ten commits, and nothing else."""

    left_its_line = False

    def changes(self, old: str, new: str) -> SourceChange:
        del old, new
        moved = FileChange(path="vendor/part", hunks=(), submodule=("a" * 40, f"{10:040x}"))
        return SourceChange(files=(moved,), sources={}, packages=())

    def submodule_commits(self, tree: str, path: str, old: Sha, new: Sha) -> tuple[str, tuple[Commit, ...]]:
        assert (path, old, new) == ("vendor/part", "a" * 40, f"{10:040x}")
        if self.left_its_line:
            raise RefError("the submodule vendor/part left its line")
        base = self.world.line[0]
        return "https://example.org/part", tuple(
            replace(base, sha=Sha(f"{number:040x}"), subject=f"Part {number}") for number in range(1, 11)
        )

    def with_submodules_at(self, tree: str, commits: Mapping[str, Sha]) -> str:
        number = int(commits["vendor/part"], 16)
        return tree if number == 10 else f"5e7{number:08x}".ljust(40, "0")


class ModuleRunner(SimulatedRunner):
    """Slower from the sixth commit of the submodule on."""

    def build(self, order: BuildOrder, stop: StopSignal) -> Build:
        with order.source() as source:
            tree = source.read().decode()
        changed = int(tree[3:11], 16) >= 6 if tree.startswith("5e7") else self.world.has_change(tree)
        whole = self.world.line[-1 if changed else 0].tree
        made = super().build(replace(order, source=lambda: SimulatedRepository(self.world).archive(whole)), stop)
        return replace(made, handle=f"{whole}:{order.key}", content=tree)


def module_job(submodules: Literal["fetch", "leave-out"], *, left: bool = False) -> Investigation:
    """A whole job in which the culprit moves a submodule, which has `left` its line or not."""
    simulation = Simulation(WORLD)
    repository = ModuleRepository(WORLD)
    repository.left_its_line = left
    simulation.ports = replace(simulation.ports, runner=ModuleRunner(WORLD), repository=repository)
    request = simulation.request()
    build = replace(request.scenario.build, submodules=submodules)
    try:
        return simulation.run(replace(request, scenario=replace(request.scenario, build=build)))
    finally:
        simulation.close()
