"""Services under load: how `attend` is called around a run's command, and what its report makes of the run's record."""

import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bisector.adapters.measure.outcome import REASON_LIMIT, could_not_start, exit_reason, last_line
from bisector.adapters.measure.record import parse_fields
from bisector.core.model.samples import Outcome, Usage
from bisector.core.model.scenario import RunRecipe, Service
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunOrder, RunRecord

DIRECTORY = "services"
"""Below {out}: the services' logs, and the report."""
REPORT = f"{DIRECTORY}/report"
_NUMBERS = frozenset({"cpu_us", "peak_kib", "faults", "ready_ns"})
_MARGIN: Seconds = 10.0
_GATE = 'echo $$ > "$0" && exec "$@"'
"""What a profiler starts in place of the service: it leaves its id, and becomes the service."""


def attending(recipe: RunRecipe, program: Sequence[str]) -> tuple[str, ...]:
    """The command that makes a run of `recipe`: the recipe's own, with its services around it where it has any."""
    if not recipe.services:
        return recipe.command
    shared = [f"{name}={value}" for name, value in sorted(recipe.env.items()) if "{port" in value]
    words = [*program, "--out", f"{{out}}/{DIRECTORY}", "--timeout", f"{recipe.timeout_seconds:.3f}", *_env(shared)]
    for service in recipe.services:
        words += _one(service, shared)
    return (*words, "--", *recipe.command)


def longest(recipe: RunRecipe) -> Seconds:
    """How long a run may take, its services' start and end included."""
    around = sum(service.ready_seconds + service.stop_seconds for service in recipe.services)
    return recipe.timeout_seconds + (around + _MARGIN if recipe.services else 0.0)


def with_report(order: RunOrder) -> RunOrder:
    """The order as it is carried out: what `attend` reports comes back as well, where it is there."""
    return replace(order, collect=(*order.collect, REPORT)) if order.recipe.services else order


def as_attended(record: RunRecord, order: RunOrder) -> RunRecord:
    """What came of a run with services: wall time is the command's, the rest of the usage that of the service that is
    looked at. A service that was not ready, or ended under load, is why a run failed."""
    if not order.recipe.services:
        return record
    content = record.files.get(REPORT)
    record = replace(record, files={name: each for name, each in record.files.items() if name != REPORT})
    if record.outcome in {Outcome.OOM, Outcome.TIMEOUT} or record.usage is None:
        return record
    report = None if content is None else _read(content)
    if report is not None:
        return _judged(record, report, order.recipe)
    if record.outcome is not Outcome.OK:
        return record
    return replace(
        record, outcome=Outcome.NO_RESULT, reason="the figures cannot be trusted: the report on its services is gone"
    )


def _one(service: Service, shared: Sequence[str]) -> list[str]:
    """What `attend` is told of a service."""
    command, gated = service.command, bool(service.around)
    if gated:
        command = (*service.around, "/bin/sh", "-c", _GATE, f"{{out}}/{DIRECTORY}/{service.name}.pid", *command)
    return [
        *(
            "--service",
            service.name,
            *(["--gated"] if gated else []),
            *_env(shared),
            *_env(f"{n}={v}" for n, v in sorted(service.env.items())),
        ),
        *("--words", str(len(command)), *command),
        *("--probe", service.ready.probe, str(len(service.ready.words)), *service.ready.words),
        *("--ready", f"{service.ready_seconds:.3f}", "--stop", f"{service.stop_seconds:.3f}"),
        *("--signal", str(signal.Signals[service.stop_signal].value)),
    ]


def _env(settings: Iterable[str]) -> list[str]:
    return [word for setting in settings for word in ("--env", setting)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """How a process ended: with an exit status, negative for a signal, or an error when it was to be started."""

    exit_code: int = 0
    errno: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Report:
    """What `attend` told. `client` is None where the command was not begun, or had not ended."""

    fault: str
    faulty: int
    client: _End | None
    wall: Seconds
    numbers: Mapping[str, int]
    ends: Mapping[int, _End]
    logs: Mapping[int, bytes]


def _read(content: bytes) -> _Report | None:
    """The report, which what runs beside us could have written as well; None where it is none."""
    fields = parse_fields(content)
    if fields is None or not {"client", "fault"} & fields.keys():
        return None
    try:
        fault, _, faulty = fields.get("fault", b" 0").decode().partition(" ")
        numbered = [(name.partition("."), text) for name, text in fields.items() if "." in name]
        return _Report(
            fault=fault,
            faulty=int(faulty),
            client=_end(fields["client"]) if "client" in fields else None,
            wall=int(fields["wall_ns"]) / 1e9,
            numbers={".".join((n, i)): int(text) for (n, _, i), text in numbered if n in _NUMBERS},
            ends={int(number): _end(text) for (name, _, number), text in numbered if name == "ended"},
            logs={int(number): text for (name, _, number), text in numbered if name == "log"},
        )
    except (KeyError, ValueError):
        return None


def _end(text: bytes) -> _End:
    how, _, number = text.decode().partition(" ")
    match how:
        case "exit":
            return _End(exit_code=int(number))
        case "signal":
            return _End(exit_code=-int(number))
        case "failed":
            return _End(errno=int(number))
        case _:
            raise ValueError(how)


def _judged(record: RunRecord, report: _Report, recipe: RunRecipe) -> RunRecord:
    last = len(recipe.services) - 1
    usage = Usage(
        wall=report.wall,
        cpu=report.numbers.get(f"cpu_us.{last}", 0) / 1e6,
        peak_memory=1024 * report.numbers.get(f"peak_kib.{last}", 0),
        page_faults=report.numbers.get(f"faults.{last}", 0),
    )
    outcome, reason = _outcome(record, report, recipe)
    return replace(
        record,
        outcome=outcome,
        reason=reason,
        usage=usage,
        exit_code=report.client.exit_code if report.client else None,
        logs={recipe.services[number].name: log for number, log in report.logs.items() if number <= last},
    )


def _outcome(record: RunRecord, report: _Report, recipe: RunRecipe) -> tuple[Outcome, str]:
    client = report.client
    if report.fault == "timed_out":
        return Outcome.TIMEOUT, f"not done after {recipe.timeout_seconds:g} s"
    if report.fault:
        return Outcome.BENCH_FAILED, _blamed(report, recipe)[:REASON_LIMIT]
    if client is None or record.outcome not in {Outcome.OK, Outcome.BENCH_FAILED}:
        return record.outcome, record.reason
    if client.errno:
        return Outcome.BENCH_FAILED, could_not_start(recipe.command[0], client.errno)
    if client.exit_code:
        return Outcome.BENCH_FAILED, exit_reason(client.exit_code, record.stderr or record.stdout)
    return record.outcome, record.reason


def _blamed(report: _Report, recipe: RunRecipe) -> str:
    """What went wrong with a service, and the last thing it said."""
    service = recipe.services[min(report.faulty, len(recipe.services) - 1)]
    end = report.ends.get(report.faulty, _End())
    said = last_line(report.logs.get(report.faulty, b""))
    ending = f"; its log ends: {said}" if said else "; it wrote no log"
    if end.errno:
        return f"service {service.name}: {could_not_start(service.command[0], end.errno)}"
    if report.fault == "not_ready":
        return f"service {service.name} was not ready within {service.ready_seconds:g} s{ending}"
    when = "under load" if report.numbers.get(f"ready_ns.{report.faulty}") else "before it was ready"
    return f"service {service.name} ended {when} ({exit_reason(end.exit_code, b'')}){ending}"
