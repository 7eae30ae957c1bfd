"""The answer in a word or two, and the few figures that belong beside it."""

from collections import Counter
from dataclasses import dataclass

from bisector.core.model.request import JobKind
from bisector.core.model.scenario import Better
from bisector.core.model.verdict import VerdictKind
from bisector.report import numbers
from bisector.report.document import Report
from bisector.report.phrase import Phrase, quote
from bisector.report.restoration import FAR
from bisector.report.text import one_line
from bisector.report.words import OUTCOMES, VERDICTS

SETTLED = frozenset({VerdictKind.CULPRIT, VerdictKind.SEVERAL, VerdictKind.NOT_REPRODUCED, VerdictKind.NOT_RESTORED})


LONGEST_NAME = 60
MOST_REASONS, LONGEST_REASON = 3, 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure with what it is, and a line below it."""

    label: str
    value: str
    below: str = ""


def badge(report: Report) -> str:
    """The answer in a word or two; the state while there is none."""
    if report.verdict is None:
        return report.state.capitalize() or "No answer yet"
    if report.kind is JobKind.COMPARE:
        return _comparison(report)
    if report.kind in {JobKind.VERIFY, JobKind.TRY} and report.verdict is VerdictKind.INCONCLUSIVE:
        return "Cannot tell"
    return VERDICTS[report.verdict]


def tone(report: Report) -> str:
    """How the answer is coloured: "found", "clear" or "open"; the word itself says the same."""
    if report.verdict in {VerdictKind.NOT_REPRODUCED, VerdictKind.RESTORED}:
        return "clear"
    return "found" if report.verdict in SETTLED or report.verdict is VerdictKind.CULPRIT_SET else "open"


def key_figures(report: Report) -> tuple[Figure, ...]:
    """How large, how sure, where, at what cost."""
    found = [_change(report), _given_back(report) or _certainty(report), _suspect(report), _cost(report)]
    return tuple(figure for figure in found if figure is not None)


def untestable_summary(report: Report) -> str:
    """How many commits could not be tested, and why; "" when every one could."""
    counts = Counter(each.outcome for each in report.untestable)
    if not counts:
        return ""
    # Of one kind all of them are.
    told = (
        OUTCOMES[outcome] + (f" ×{number}" if len(counts) > 1 else "") for outcome, number in sorted(counts.items())
    )
    return f"{numbers.count(len(report.untestable), 'commit')} could not be tested: {numbers.listing(told)}."


def reasons_told(report: Report) -> tuple[Phrase, ...]:
    """What commits that could not be tested said, the commonest first and each once, with how many said it
    where that is not all of them."""
    counts = Counter(quote(each.reason, LONGEST_REASON) for each in report.untestable if each.reason)
    if len(counts) == 1 and counts.total() == len(report.untestable):
        return (Phrase(next(iter(counts))),)
    found = [Phrase(f"{numbers.count(number, 'commit')}: {reason}") for reason, number in counts.most_common()]
    if len(found) > MOST_REASONS:
        found[MOST_REASONS:] = [Phrase(f"and {numbers.count(len(found) - MOST_REASONS, 'more reason')}")]
    return tuple(found)


def _comparison(report: Report) -> str:
    change = report.ends.change if report.ends is not None else None
    if report.verdict is VerdictKind.CULPRIT and change is not None:
        return "Worse" if (change.relative > 0) == (report.metric.better is Better.LOWER) else "Better"
    if report.verdict is VerdictKind.NOT_REPRODUCED:
        return "No change"
    cannot_tell = report.verdict in {VerdictKind.INCONCLUSIVE, VerdictKind.CULPRIT_SET}
    return "Cannot tell" if cannot_tell or report.verdict is None else VERDICTS[report.verdict]


def _change(report: Report) -> Figure | None:
    ends = report.ends
    change = ends.change if ends is not None else None
    if len(report.culprits) == 1 and len(report.culprits[0].set) == 1:
        change = report.culprits[0].change or change
    if change is None or ends is None:
        return None
    sure = f"{numbers.interval(change)} ({numbers.setting(report.confidence)})"
    return Figure(label=report.metric.name, value=numbers.percent(change.relative, signed=True), below=sure)


def _given_back(report: Report) -> Figure | None:
    found = report.trial
    if found is None or found.share is None or abs(found.share) > FAR:
        return None
    known = found.low is not None and found.high is not None
    below = f"{numbers.percent(found.low or 0.0)} to {numbers.percent(found.high or 0.0)}" if known else ""
    return Figure(label="given back", value=numbers.percent(found.share), below=below)


def _certainty(report: Report) -> Figure | None:
    if report.culprits:
        best = report.culprits[0]
        checked = "verified by fresh runs" if all(each.verified for each in report.culprits) else "not verified"
        label = "probability" if len(best.set) == 1 else f"one of {numbers.count(len(best.set), 'commit')}"
        return Figure(label=label, value=numbers.probability(best.probability), below=checked)
    main = report.main
    if main is None or not main.known:
        return None
    if report.verdict is VerdictKind.NOT_REPRODUCED or main.no_change > 0.5:
        return Figure(label="no change", value=numbers.probability(main.no_change), below="probability")
    return Figure(label="a change", value=numbers.probability(1 - main.no_change), below="probability")


def _suspect(report: Report) -> Figure | None:
    """The function that explains most of the first change."""
    suspects = report.explanations[0].suspects if report.explanations else ()
    if not suspects:
        return None
    name = one_line(suspects[0].function.frame.name, LONGEST_NAME)
    return Figure(label="prime suspect", value=name, below=f"{numbers.percent(suspects[0].share)} of the increase")


def _cost(report: Report) -> Figure:
    cost = report.cost
    builds = numbers.count(cost.builds, "build")
    took = f"in {numbers.seconds(cost.elapsed_seconds)}" if cost.elapsed_seconds is not None else ""
    return Figure(label="cost", value=numbers.count(cost.runs, "run"), below=" ".join(filter(None, (builds, took))))
