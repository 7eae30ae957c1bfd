"""The work of `bisector check`: measured within a time, judged against a commit and limits."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from bisector.cli.intake import Intake, check_metrics, take_in, tell_runner
from bisector.cli.options import MeasureOptions, OutputOptions, SearchOptions
from bisector.cli.session import as_it_stands, wired, work_on
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Bypass, JobKind
from bisector.core.model.units import Seconds
from bisector.core.search.limits import Judged, Kept, Limit, judge
from bisector.core.watch.moves import Accepted, level
from bisector.errors import Cancelled, UsageError
from bisector.formats.limits import parse_limit
from bisector.report.limits import limit_line
from bisector.wiring import Wiring

ACCEPTED = "accepted"
"""In place of a commit: the one whose level the sweeps accepted last."""
FOR_THE_ANSWER = 0.9
"""Share of the time that measuring may take: the rest is for what is in hand when it is over, and the report."""
NO_WORSE, WORSE, CANNOT_TELL = 0, 1, 3


def check(ref: str, against: str | None, within: Seconds, options: Mapping[str, Any]) -> int:
    """Measure `ref` and judge it; the exit code."""
    limits = [parse_limit(text, upper=True) for text in options["most"]]
    limits += [parse_limit(text, upper=False) for text in options["least"]]
    bypass = _bypass(options["bypass"], options["reason"])
    if against is None and not limits:
        then = "Give --against REF, or a limit like --max seconds=1.2"
        raise UsageError("there is nothing to check against", then=then)
    measure = MeasureOptions(
        **{name: options[name] for name in MeasureOptions.__dataclass_fields__ if name in options and name != "profile"}
    )
    measure = replace(measure, max_time=min(within * FOR_THE_ANSWER, measure.max_time or within), profile=False)
    with wired() as wiring:
        timer = threading.Timer(within, wiring.stop.set, ("the time is up",))
        timer.daemon = True
        timer.start()
        try:
            ends = (_reference(wiring, against, ref, measure), ref)
            intake = take_in(wiring, ends, measure, SearchOptions(), JobKind.COMPARE)
            check_metrics(intake.request.scenario, tuple(limit.metric for limit in limits))
            code = _measure(wiring, intake, bypass, (limits, against is not None), OutputOptions.of(options))
        except Cancelled:
            if timer.is_alive():
                raise
            click.echo("bisector: the time is up before there is an answer", err=True)
            code = CANNOT_TELL
        finally:
            timer.cancel()
    return _told(code, bypass)


def _measure(
    wiring: Wiring, intake: Intake, bypass: Bypass | None, asked: tuple[list[Limit], bool], output: OutputOptions
) -> int:
    tell_runner(intake)
    limits, compared = asked
    job = wiring.store.create(replace(intake.request, bypass=bypass))
    codes = {work_on(job, wiring, (intake.repository, intake.runner), output)}
    if not compared:
        codes &= {2, 4, 5, 130}
    done = as_it_stands(job, wiring)
    for limit in limits:
        judged = judge(limit, _values(done, limit.metric), done.request.search.confidence)
        click.echo(limit_line(judged, done.request.scenario), err=True)
        codes.add(_code(judged))
    severe = [code for code in (130, 5, 4, 2, WORSE, CANNOT_TELL) if code in codes]
    return severe[0] if severe else NO_WORSE


def _told(code: int, bypass: Bypass | None) -> int:
    if bypass is None or code not in (WORSE, CANNOT_TELL):
        return code
    click.echo(f"bisector: passed in the name of {bypass.by}: {bypass.reason}", err=True)
    return NO_WORSE


def _code(judged: Judged) -> int:
    return {Kept.YES: NO_WORSE, Kept.NO: WORSE, Kept.UNSURE: CANNOT_TELL}[judged.kept]


def _values(done: Investigation, metric: str) -> list[float]:
    """What the runs of the commit that is checked yielded."""
    if done.history is None:
        return []
    place = main(done.history.line.size)
    return [
        sample.values[metric]
        for sample in done.samples
        if sample.counts and sample.place == place and metric in sample.values
    ]


def _bypass(by: str | None, reason: str | None) -> Bypass | None:
    if (by is None) != (reason is None) or (by is not None and not (by.strip() and (reason or "").strip())):
        then = "Give both: --bypass 'A. Person' --reason 'known, see the release notes'"
        raise UsageError("a bypass needs a name and a reason", then=then)
    return Bypass(by=by[:200], reason=(reason or "")[:1000]) if by is not None else None


def _reference(wiring: Wiring, against: str | None, ref: str, measure: MeasureOptions) -> str:
    """What `ref` is compared with. For limits alone that is its parent, whose runs tell how noisy the host is."""
    if against is None:
        return "HEAD" if ref == "." else f"{ref}^"
    if against != ACCEPTED:
        return against
    from bisector.wiring.service import sweeper

    known = sweeper(wiring, lambda _: None).known()
    found = [
        level(state.history).commit
        for state in known.states
        if state.watched.name.scenario == measure.scenario
        and (not measure.metric or state.watched.name.metric == measure.metric[0])
        and any(isinstance(entry, Accepted) for entry in state.history)
    ]
    if len(set(found)) != 1:
        then = "`bisector sweep list` shows the levels there are; name the commit instead"
        what = f"the sweeps accepted {len(set(found))} levels of this scenario, not one"
        raise UsageError("; ".join((what, *known.problems)), then=then)
    return found[0]
