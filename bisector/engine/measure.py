"""A round of runs: sessions opened as they are needed, every sample recorded before the next run begins."""

from contextlib import ExitStack
from dataclasses import replace

from bisector.core.model.history import Place
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.scenario import Metric
from bisector.core.model.steps import Slot
from bisector.engine.orders import run_order
from bisector.engine.ports import RunRecord, Session
from bisector.engine.retry import BACK_OFF
from bisector.engine.work import Work
from bisector.errors import EnvironmentFault, InfraFault
from bisector.formats.results import read_value
from bisector.formats.results.problem import ResultProblem

Unit = tuple[Place, int]


def measure(work: Work) -> None:
    """Make every run of the planned round that has no sample yet. A commit that turns out untestable is left out."""
    with ExitStack() as stack:
        sessions = _Sessions(work, stack)
        while pending := work.investigation.pending():
            work.stop.check()
            order, slot = pending[0]
            _fill(work, sessions, order, slot)
            pause_if_infra_prevails(work)


def _fill(work: Work, sessions: "_Sessions", order: int, slot: Slot) -> None:
    """Make the run of one slot; a fault of the machine is recorded and the run made again in a new session."""
    unit = (slot.place, slot.number)
    for pause in (*BACK_OFF, None):
        try:
            session = sessions.of(unit, order)
            if slot.place not in work.investigation.failures:
                record(work, session, order, slot)
            return
        except InfraFault as fault:
            sessions.drop(unit)
            fault_record = RunRecord(outcome=Outcome.INFRA, reason=fault.what)
            work.record(as_sample(work, fault_record, "", order, slot))
            pause_if_infra_prevails(work)
            if pause is None:
                advice = fault.then or f"Look after the machine, then `bisector jobs resume {work.job}`"
                raise EnvironmentFault(
                    f"running keeps failing: {fault.what}", where=fault.where, then=advice
                ) from fault
            work.ports.clock.sleep(pause, work.stop)


def record(work: Work, session: Session, order: int, slot: Slot) -> None:
    """Make one run and record its sample."""
    began, container = work.since_created, session.container
    sample = as_sample(work, session.run(), container, order, slot)
    work.record(replace(sample, clock=began))


class _Sessions:
    """The sessions of a round: opened at a unit's first run, with its warm-ups, and closed together at the end."""

    def __init__(self, work: Work, stack: ExitStack) -> None:
        self._work = work
        self._stack = stack
        self._open: dict[Unit, tuple[Session, ExitStack]] = {}

    def of(self, unit: Unit, order: int) -> Session:
        if unit not in self._open:
            own = self._stack.enter_context(ExitStack())
            work = self._work
            build = work.investigation.builds[unit]
            session = own.enter_context(work.ports.runner.open(build, run_order(work.request, work.ports), work.stop))
            self._open[unit] = (session, own)
            for _ in range(warmups(work)):
                work.stop.check()
                if unit[0] not in work.investigation.failures:
                    record(work, session, order, Slot(place=unit[0], purpose=Purpose.WARMUP, number=unit[1]))
        return self._open[unit][0]

    def drop(self, unit: Unit) -> None:
        """Close a session that a fault of the machine has spoilt."""
        if unit in self._open:
            _, own = self._open.pop(unit)
            own.close()


def warmups(work: Work) -> int:
    """Warm-up runs of a new session: none for counters, none where every run has a container of its own."""
    request = work.request
    if request.scenario.needs_fresh_container() or all(metric.exact for metric in request.asked):
        return 0
    return request.scenario.run.warmup_runs


def as_sample(work: Work, made: RunRecord, container: str, order: int, slot: Slot) -> Sample:
    """The sample of a run, with every metric that could be read; one asked for that could not is `no_result`."""
    outcome, reason, values = made.outcome, made.reason, {}
    if outcome is Outcome.OK and made.usage is not None:
        for metric in work.request.scenario.metrics:
            try:
                values[metric.name] = read_value(metric, made.usage, made.stdout, made.files)
            except ResultProblem as problem:
                if _must_be_there(work, metric):
                    outcome, reason = Outcome.NO_RESULT, str(problem)
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
    )


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
