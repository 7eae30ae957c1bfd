"""A round of runs: sessions opened as they are needed, every sample recorded before the next run begins."""

from contextlib import ExitStack
from dataclasses import replace

from bisector.core.model.counting import Counter, counter_of
from bisector.core.model.history import Place
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import Metric
from bisector.core.model.steps import Measure, Slot
from bisector.core.search.rejecting import weighed
from bisector.core.search.warming import warm_ups
from bisector.engine.orders import run_order, told_by
from bisector.engine.ports import RunRecord, Session
from bisector.engine.retry import BACK_OFF
from bisector.engine.work import Work
from bisector.errors import EnvironmentFault, InfraFault
from bisector.formats.results import read_value
from bisector.formats.results.problem import ResultProblem

Unit = tuple[Place, int]
Pending = tuple[tuple[int, Slot], ...]


def measure(work: Work) -> None:
    """Make every run of the planned round that has no sample yet. A commit that turns out untestable is left out."""
    with ExitStack() as stack:
        sessions = _Sessions(work, stack)
        while pending := work.investigation.pending():
            work.stop.check()
            _fill(work, sessions, _next_of(pending, work))
            work.beside.tend(work.investigation.plans[-1].step)
            pause_if_infra_prevails(work)


def _next_of(pending: Pending, work: Work) -> Pending:
    """The next run, with those that are made at the same moment."""
    step = work.investigation.plans[-1].step
    if not isinstance(step, Measure):
        return pending[:1]
    moment = step.moment(pending[0][0])
    return tuple((order, slot) for order, slot in pending if step.moment(order) == moment)


def _fill(work: Work, sessions: "_Sessions", slots: Pending) -> None:
    """Make the run of a slot, or of several at once; a fault of the machine is recorded and they are made again in
    new sessions."""
    for pause in (*BACK_OFF, None):
        try:
            opened = [sessions.of((slot.place, slot.number), order) for order, slot in slots]
            if any(slot.place in work.investigation.failures for _, slot in slots):
                return
            if len(slots) == 1:
                record(work, opened[0], *slots[0])
            else:
                _record_together(work, opened, slots)
            return
        except InfraFault as fault:
            for order, slot in slots:
                sessions.drop((slot.place, slot.number), order)
            if not isinstance(fault, _Recorded):
                fault_record = RunRecord(outcome=Outcome.INFRA, reason=fault.what)
                work.record(as_sample(work, fault_record, "", *slots[0]))
            pause_if_infra_prevails(work)
            if pause is None:
                advice = fault.then or f"Look after the machine, then `bisector jobs resume {work.job}`"
                raise EnvironmentFault(
                    f"running keeps failing: {fault.what}", where=fault.where, then=advice
                ) from fault
            work.ports.clock.sleep(pause, work.stop)


def record(work: Work, session: Session, order: int, slot: Slot) -> None:
    """Make one run and record its sample."""
    began, beside, container = work.since_created, work.beside.building, session.container
    sample = as_sample(work, session.run(), container, order, slot)
    work.record(*weighed((replace(sample, clock=began, beside=beside),), work.investigation))


class _Recorded(InfraFault):
    """A fault of the machine that is recorded already."""


def _record_together(work: Work, sessions: list[Session], slots: Pending) -> None:
    """Make runs at the same moment and record all of their samples or none.

    Where the machine failed one of them the others say nothing, and all are to be made again.
    """
    step = work.investigation.plans[-1].step
    began, beside = work.since_created, work.beside.building
    containers = [session.container for session in sessions]
    made = work.ports.runner.run_together(sessions)
    fault = next((each for each in made if isinstance(each, InfraFault)), None)
    samples = []
    for each, container, (order, slot) in zip(made, containers, slots, strict=True):
        if isinstance(each, InfraFault):
            found = RunRecord(outcome=Outcome.INFRA, reason=each.what)
        else:
            alone = "the machine failed the run beside it"
            found = each if fault is None else RunRecord(outcome=Outcome.CANCELLED, reason=alone)
        partner = step.partner(order) if isinstance(step, Measure) else None
        sample = as_sample(work, found, container, order, slot)
        samples.append(replace(sample, clock=began, beside=beside, partner=partner, lane=lane_of(work, order)))
    work.record_together(weighed(tuple(samples), work.investigation))
    if fault is not None:
        raise _Recorded(fault.what, where=fault.where, then=fault.then) from fault


def lane_of(work: Work, order: int) -> int:
    """The group of processors that the planned round wants for slot `order`."""
    step = work.investigation.plans[-1].step
    return step.lane(order) if isinstance(step, Measure) else 0


class _Sessions:
    """The sessions of a round: opened at a unit's first run, with its warm-ups, and closed together at the end."""

    def __init__(self, work: Work, stack: ExitStack) -> None:
        self._work = work
        self._stack = stack
        self._open: dict[tuple[Unit, int], tuple[Session, ExitStack]] = {}

    def of(self, unit: Unit, order: int) -> Session:
        lane = lane_of(self._work, order)
        if (unit, lane) not in self._open:
            own = self._stack.enter_context(ExitStack())
            work = self._work
            build = work.investigation.builds[unit]
            wanted = run_order(work.request, work.ports, lane, work.job, _counter_around(work))
            session = own.enter_context(work.ports.runner.open(build, wanted, work.stop))
            self._open[unit, lane] = (session, own)
            for _ in range(warm_ups(work.investigation)):
                work.stop.check()
                if unit[0] not in work.investigation.failures:
                    record(work, session, order, Slot(place=unit[0], purpose=Purpose.WARMUP, number=unit[1]))
        return self._open[unit, lane][0]

    def drop(self, unit: Unit, order: int) -> None:
        """Close a session that a fault of the machine has spoilt."""
        opened = self._open.pop((unit, lane_of(self._work, order)), None)
        if opened is not None:
            opened[1].close()


def as_sample(work: Work, made: RunRecord, container: str, order: int, slot: Slot) -> Sample:
    """The sample of a run, with every metric that could be read; one asked for that could not is `no_result`."""
    outcome, reason, values = made.outcome, made.reason, {}
    if outcome is Outcome.OK and made.usage is not None:
        for metric in _read_of(work, slot.purpose):
            try:
                values[metric.name] = read_value(metric, made.usage, made.stdout, made.files)
            except ResultProblem as problem:
                if _must_be_there(work, metric):
                    outcome, reason = Outcome.NO_RESULT, problem.with_cause(made.reason)
    build = work.investigation.builds[slot.place, slot.number]
    return Sample(
        place=slot.place,
        number=slot.number,
        build=build.key,
        purpose=slot.purpose,
        outcome=outcome,
        values=values if outcome is Outcome.OK else {},
        usage=made.usage,
        step=work.investigation.plans[-1].number,
        order=order,
        clock=work.since_created,
        host=work.environment.host,
        container=container,
        reason=reason,
        disturbed=made.disturbed,
        log=_kept_logs(work, made),
        prepared=made.prepared,
    )


def _read_of(work: Work, purpose: Purpose) -> tuple[Metric, ...]:
    """The metrics that are read of a run: with a tool around it only those that it leaves as they are."""
    metrics, asked = work.request.scenario.metrics, () if purpose is Purpose.UNTOOLED else work.request.asked
    told = told_by(_counter_around(work), metrics)
    return tuple(metric for metric in metrics if metric in asked or metric in told)


def _counter_around(work: Work) -> Counter | None:
    """What counts around the command in the planned round; None where nothing does."""
    step = work.investigation.plans[-1].step
    plain = isinstance(step, Measure) and any(slot.purpose is Purpose.UNTOOLED for slot in step.slots)
    return None if plain else counter_of(work.request.asked, work.environment.details)


def _kept_logs(work: Work, made: RunRecord) -> str:
    """Where what the services of a run wrote is kept; "" where the runner brought nothing back."""
    if not made.logs:
        return ""
    parts = (f"==> {name} <==\n".encode() + log for name, log in made.logs.items())
    return str(work.ports.artifacts.kept(work.ports.artifacts.keep(b"\n".join(parts))))


def _must_be_there(work: Work, metric: Metric) -> bool:
    """Whether a run without `metric` has no result: it was asked for, and not only in case it is printed."""
    if not metric.if_printed:
        return metric in work.request.asked
    seen_before = any(sample.outcome is Outcome.OK for sample in work.investigation.samples)
    return seen_before and metric == work.investigation.metric


def pause_if_infra_prevails(work: Work) -> None:
    """Stop when the machine fails more often than everything else together: nothing it says can be trusted."""
    samples = work.investigation.samples
    infra = sum(sample.outcome is Outcome.INFRA for sample in samples)
    if infra >= 3 and infra > len(samples) - infra:
        advice = f"Look after the machine, then `bisector jobs resume {work.job}`"
        last = next(sample.reason for sample in reversed(samples) if sample.outcome is Outcome.INFRA)
        raise EnvironmentFault(
            f"{infra} of {len(samples)} runs failed through the machine's fault: {last}", then=advice
        )
