"""Building ahead: while a step is carried out, the builds that are likely wanted next are made beside it.

The facts stay in one order, appended by the one loop: what a build in the background comes to is recorded between two
steps or two runs, as a fact of its own, whether it was asked for or not. It is paid for, so it is counted; and the next
plan knows of it, so a commit that is built is the cheaper one to run.
"""

from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded
from bisector.core.model.investigation import BuildId
from bisector.core.model.steps import BuildPlace, Step
from bisector.core.model.units import Seconds
from bisector.core.search.ahead import (
    LIKELY,
    Wanted,
    likely_builds,
    may_build_beside,
    measured_on,
    others_may_build,
    room,
    room_for_others,
    wants_quiet,
    worth_beginning,
    worth_looking,
)
from bisector.core.search.disturbance import disturbance_of
from bisector.engine.background import Task
from bisector.engine.builds import Manner, at_hand, make_build
from bisector.engine.parts import held, request_at
from bisector.engine.stop import StopSignal
from bisector.engine.work import Work
from bisector.errors import BisectorError, Cancelled

POLL: Seconds = 0.2


class Ahead:
    """The builds that go on beside one job's steps."""

    def __init__(self, work: Work) -> None:
        """Nothing is begun. Off where the host has no processors besides those that are measured on."""
        self._work = work
        processors, neighbours = work.ports.runner.processors(), work.ports.neighbours
        self._room = room(work.request, processors)
        self._room_for_others = room_for_others(work.request, processors, neighbours.slots)
        self._going: dict[BuildId, Task[Build]] = {}
        self._failing: set[BuildId] = set()
        self._wanted: tuple[Wanted, ...] = ()
        self._in_hand: BuildId | None = None
        """The build that the loop asks for now: where it is being made it is the loop's, to be claimed."""

    @property
    def building(self) -> bool:
        """Whether something is being built beside the loop at this moment."""
        return any(not task.wait(0) for task in self._going.values()) or self._work.ports.neighbours.building

    def look(self, step: Step) -> None:
        """Before `step` is carried out: see what is likely wanted after it, and begin that."""
        if not (self._room or self._room_for_others) or self._work.investigation.history is None:
            return
        self._in_hand = (step.place, step.number) if isinstance(step, BuildPlace) else None
        self._look_for_harm()
        investigation = self._work.investigation
        pays = self._room > 0 and worth_looking(investigation)
        self._wanted = likely_builds(investigation, self._work.elapsed, 2 * self._room) if pays else ()
        if wants_quiet(investigation, step) or not self._wanted:
            self._settle()
        if not others_may_build(investigation, step):
            self._work.ports.neighbours.hush()
        self.tend(step)

    def tend(self, step: Step) -> None:
        """Record what has been built, and begin the next while there is room."""
        for unit in [unit for unit in self._others() if self._going[unit].wait(0)]:
            self._record(unit)
        for wanted in self._wanted:
            if self._may_begin(wanted, step) and self._make_room():
                self._going[wanted.unit] = self._begin(wanted)
        free = self._room_for_others - len(self._going)
        if free > 0 and others_may_build(self._work.investigation, step):
            ports = self._work.ports
            ports.neighbours.begin(ports.background, free, measured_on(self._work.request))

    def claim(self, unit: BuildId) -> Build | None:
        """What came of the build of `unit`, waited for where it is being made; None where it is not, or was in vain."""
        task = self._going.get(unit)
        if task is None:
            return None
        while not task.wait(POLL):
            self._work.stop.check()
        return self._result(unit)

    def close(self) -> None:
        """Break off what is still being built, and wait until nothing of it is left."""
        self._wanted = ()
        for task in self._going.values():
            task.stop()
        self._work.ports.neighbours.hush()
        self._await(list(self._going))

    def _begin(self, wanted: Wanted) -> Task[Build]:
        work = self._work
        request, ports = request_at(wanted.place, work), work.ports
        tree = work.investigation.tree(wanted.place)
        key = work.key(tree, wanted.number, request)
        manner = Manner(leave_cpus=measured_on(request), number=wanted.number)

        def make(stop: StopSignal) -> Build:
            with ports.locks.building(key, stop):
                return at_hand(key, ports) or make_build(request, tree, key, ports, stop, manner)

        return ports.background.start(make)

    def _may_begin(self, wanted: Wanted, step: Step) -> bool:
        investigation = self._work.investigation
        known = {*investigation.builds, *self._going, *self._failing}
        if wanted.unit in known or not investigation.tree(wanted.place):
            return False
        going = len(self._going) + (self._in_hand is not None and self._in_hand not in known)
        return worth_beginning(investigation, wanted, going) and may_build_beside(investigation, step, wanted)

    def _make_room(self) -> bool:
        """Whether one more may be begun, at the price of one that is no longer likely to be wanted."""
        others = self._others()
        if len(others) < self._room:
            return True
        likely = {wanted.unit for wanted in self._wanted}
        idle = next((unit for unit in others if unit not in likely), None)
        if idle is None:
            return False
        self._going[idle].stop()
        self._await([idle])
        return True

    def _settle(self) -> None:
        """Come to rest: wait for what will likely be wanted, and break off the rest."""
        likely = {wanted.unit for wanted in self._wanted if wanted.chance >= LIKELY}
        others = self._others()
        for unit in others:
            if unit not in likely:
                self._going[unit].stop()
        self._await(others)

    def _others(self) -> list[BuildId]:
        """What is being made beside the build in hand."""
        return [unit for unit in self._going if unit != self._in_hand]

    def _await(self, units: list[BuildId]) -> None:
        """Wait until these have ended, and only then record what came of them."""
        for unit in units:
            while not self._going[unit].wait(POLL):
                if self._work.stop.requested:
                    self._going[unit].stop()
        for unit in units:
            self._record(unit)

    def _record(self, unit: BuildId) -> None:
        build = self._result(unit)
        if build is not None and unit not in self._work.investigation.builds:
            known = held(build, unit[0], self._work)
            self._work.record(BuildRecorded(place=unit[0], number=unit[1], build=known, ahead=True))

    def _result(self, unit: BuildId) -> Build | None:
        """What a task that has ended came to; None for one broken off. Faults of the machine are left to the planner's
        own attempt, which is made again and told of."""
        task = self._going.pop(unit)
        try:
            return task.result()
        except Cancelled:
            return None
        except (BisectorError, OSError):
            self._failing.add(unit)
            return None

    def _look_for_harm(self) -> None:
        investigation = self._work.investigation
        if investigation.disturbed is None and (found := disturbance_of(investigation)) is not None:
            self._work.record(found)
