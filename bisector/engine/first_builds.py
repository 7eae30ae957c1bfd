"""The first builds of a job that waits: those that it will want before anything of it is measured.

The planner itself says which they are, as it will when the job is taken. Nothing of that is written to the job, whose
facts are only ever those of who has it; the builds are there to be found, like those of any earlier job.
"""

from collections.abc import Sequence

from bisector.core.model.facts import BuildRecorded, Fact
from bisector.core.model.steps import BuildPlace, ListHistory
from bisector.core.search.planner import next_step
from bisector.engine.builds import Manner, at_hand, make_build
from bisector.engine.loop import have_commits_at_hand
from bisector.engine.parts import held, request_at
from bisector.engine.perform import perform
from bisector.engine.ports import Ports
from bisector.engine.stop import StopSignal
from bisector.engine.work import Work

MOST_FIRST = 4
"""Ends that do not build are replaced by their neighbours; beyond so many it is the job's own business."""


class Rehearsal(Work):
    """A job's work as it will go, of which nothing is written."""

    def record(self, fact: Fact) -> None:
        """Know a fact, and no more."""
        self.record_together((fact,))

    def record_together(self, facts: Sequence[Fact]) -> None:
        """Know facts, and no more."""
        for fact in facts:
            self.investigation = self.investigation.with_fact(fact)


def make_first_builds(job: str, ports: Ports, stop: StopSignal, leave_cpus: int) -> int:
    """Make the builds that `job` wants first, off the processors that are measured on; how many had to be made."""
    work = Rehearsal(job, ports, stop)
    work.record(work.look_at_host())
    have_commits_at_hand(work)
    made = 0
    while made < MOST_FIRST:
        stop.check()
        unfinished = work.investigation.unfinished()
        if unfinished is None:
            plan = next_step(work.investigation, work.elapsed)
            if plan.step is None:
                break
            work.plan(plan, work.elapsed)
            continue
        step = unfinished.step
        if isinstance(step, BuildPlace) and not step.clean:
            made += _build(step, work, leave_cpus)
        elif isinstance(step, ListHistory):
            perform(step, work)
        else:
            break
    return made


def _build(step: BuildPlace, work: Work, leave_cpus: int) -> bool:
    """Have a build at hand; whether it had to be made."""
    request, ports, stop = request_at(step.place, work), work.ports, work.stop
    tree = work.investigation.tree(step.place)
    key = work.key(tree, step.number, request)
    with ports.locks.building(key, stop):
        known = at_hand(key, ports)
        manner = Manner(leave_cpus=leave_cpus, number=step.number)
        build = known or make_build(request, tree, key, ports, stop, manner)
    work.record(BuildRecorded(place=step.place, number=step.number, build=held(build, step.place, work)))
    return known is None
