"""The tables of the bench as Markdown and JSON."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.search.campaign import CALIBRATED, OURS, THIRD, Campaign
from benchmarks.search.cells import Cell
from benchmarks.search.kept import with_peers
from benchmarks.search.knowing import FLOORS
from benchmarks.search.ours import PURPOSES
from benchmarks.search.peers import PEERS
from benchmarks.search.strategies import Trial
from benchmarks.search.summaries import Share, Summary, calibration
from benchmarks.search.worlds import Setting

Row = Sequence[str]
DEAR = 3.0
"""Times the bound from which a peer is dear."""
BESIDE_THE_DEAR, BESIDE_THE_CHEAP = 0.6, 0.9
"""Parts of the best peer's cost that are aimed at."""
BESIDE_THE_BEST = (
    "Beside the peer that is right most often in the cell, the cheapest of those that are equally so: its cost, and "
    "ours over it, without and with what verifying cost (none of the peers does)."
)
WITH = {OURS: "", CALIBRATED: ", calibrated", THIRD: ", third job"}
"""What the search began with, as the rows name it."""


def summaries(campaign: Campaign) -> list[Summary]:
    """Every cell and strategy that has trials."""
    return [
        Summary.of(cell, strategy, trials)
        for cell in campaign.cells
        for strategy in campaign.strategies
        if (trials := campaign.trials_of(cell, strategy))
    ]


def write_tables(campaign: Campaign, name: str, command: str, out: Path) -> None:
    """Write `name`.md and `name`.json; peers that were not played now stay as the tables there have them."""
    found = with_peers(summaries(campaign), campaign, out / f"{name}.json")
    every = (*WITH, *FLOORS, *PEERS)
    strategies = [each for each in every if any(one.strategy == each for one in found)]
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps([_record(each) for each in found], indent=1) + "\n")
    parts = [f"# The search against its peers: {name}", "", _how(campaign, command), ""]
    parts += [*_markdown(_against_bound(found)), "", *_markdown(_side_by_side(found, strategies)), ""]
    if any(each.strategy in PEERS for each in found):
        parts += [BESIDE_THE_BEST, "", *_markdown(beside_the_best(found)), ""]
    parts += ["What our cost goes into, in runs:", "", *_markdown(_by_purpose(found))]
    (out / f"{name}.md").write_text("\n".join(parts) + "\n")


def _how(campaign: Campaign, command: str) -> str:
    return (
        f"`{command}`, seed {campaign.seed}, up to {campaign.trials} trials a cell. One run costs 1, a build its B; "
        "every strategy meets the same worlds and pays for its own reference runs and builds. *Search* leaves out what "
        "verifying by fresh builds cost, *total* has it. The bound is of Burnashev's type (capacity by quadrature) for "
        "the run noise alone. Brackets behind shares hold their exact 95 % interval."
    )


def _against_bound(found: Sequence[Summary]) -> list[Row]:
    rows: list[Row] = [
        ["cell", "bound", "right", "search", "× bound", "aim", "total", "× bound", "runs", "builds", "stated", "false"]
    ]
    for each in found:
        if each.strategy not in {*WITH, *FLOORS}:
            continue
        bound = each.cell.bound
        rows.append(
            [
                each.cell.name + WITH.get(each.strategy, f", {each.strategy}"),
                "–" if bound is None else f"{bound:.0f}",
                _share(each),
                f"{each.search:.0f}",
                _times(each.search, bound, each.search_error),
                "–" if each.cell.aim is None else f"{each.cell.aim:g}",
                f"{each.cost:.0f} ± {each.cost_error:.0f}",
                _times(each.cost, bound),
                f"{each.runs:.0f}",
                f"{each.builds:.1f}",
                "–" if each.stated is None else f"{each.stated:.3f}",
                str(each.false_culprits),
            ]
        )
    return rows


def _side_by_side(found: Sequence[Summary], strategies: Sequence[str]) -> list[Row]:
    rows: list[Row] = [["cell", *strategies]]
    for cell, known in _by_cell(found).items():
        rows.append([cell.name, *(_short(known.get(strategy)) for strategy in strategies)])
    return rows


def beside_the_best(found: Sequence[Summary]) -> list[Row]:
    """A row for each cell that peers played: the best of them, and our cost over its."""
    rows: list[Row] = [["cell", "best peer", "right", "cost", "× bound", "our right", "search ÷", "total ÷", "aim"]]
    for cell, known in _by_cell(found).items():
        peers = [each for each in known.values() if each.strategy in PEERS]
        if not peers or OURS not in known:
            continue
        ours, best = known[OURS], max(peers, key=lambda each: (each.right.value, -each.cost))
        dear = cell.bound is not None and best.cost > DEAR * cell.bound
        rows.append(
            [
                cell.name,
                best.strategy,
                f"{100 * best.right.value:.1f} %",
                f"{best.cost:.0f}",
                _times(best.cost, cell.bound),
                f"{100 * ours.right.value:.1f} %",
                f"{ours.search / best.cost:.2f}",
                f"{ours.cost / best.cost:.2f}",
                f"{BESIDE_THE_DEAR if dear else BESIDE_THE_CHEAP:g}",
            ]
        )
    return rows


def _by_cell(found: Sequence[Summary]) -> dict[Cell, dict[str, Summary]]:
    by_cell: dict[Cell, dict[str, Summary]] = {}
    for each in found:
        by_cell.setdefault(each.cell, {})[each.strategy] = each
    return by_cell


def _by_purpose(found: Sequence[Summary]) -> list[Row]:
    rows: list[Row] = [["cell", "bound", *PURPOSES]]
    for each in found:
        if each.strategy == OURS and each.spent:
            bound = "–" if each.cell.bound is None else f"{each.cell.bound:.0f}"
            rows.append([each.cell.name, bound, *(f"{each.spent.get(name, 0.0):.1f}" for name in PURPOSES)])
    return rows


def _short(each: Summary | None) -> str:
    if each is None:
        return "–"
    return f"{100 * each.right.value:.0f} % @ {each.cost:.0f}"


def _share(each: Summary) -> str:
    return f"{_of_all(each.right)}, n = {each.right.trials}"


def _of_all(share: Share) -> str:
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def _times(cost: float, bound: float | None, error: float = 0.0) -> str:
    if bound is None:
        return "–"
    return f"{cost / bound:.2f}" + (f" ± {error / bound:.2f}" if error else "")


def _markdown(rows: Iterable[Row]) -> list[str]:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    columns = head.count("|") - 1
    return [head, "|" + " --- |" * columns, *body]


def _record(each: Summary) -> dict[str, object]:
    low, high = each.right.interval
    return {
        "cell": each.cell.name,
        "strategy": each.strategy,
        "trials": each.right.trials,
        "right": each.right.value,
        "right_low": low,
        "right_high": high,
        "false_culprits": each.false_culprits,
        "bound": each.cell.bound,
        "aim": each.cell.aim,
        "search_cost": each.search,
        "search_cost_error": each.search_error,
        "total_cost": each.cost,
        "total_cost_error": each.cost_error,
        "runs": each.runs,
        "builds": each.builds,
        "stated": each.stated,
        "slowest_decision_seconds": each.slowest_decision,
        "spent": dict(each.spent),
    }


def by_kind_of_noise(campaign: Campaign) -> dict[str, list[Trial]]:
    """The kept trials, all together and by setting and regime."""
    groups: dict[str, list[Trial]] = {"all": []}
    for cell in campaign.cells:
        kind = cell.regime if cell.setting is Setting.SINGLE else f"{cell.setting}, {cell.regime}"
        for strategy in campaign.strategies:
            trials = campaign.trials_of(cell, strategy)
            groups["all"].extend(trials)
            groups.setdefault(kind, []).extend(trials)
    return groups


def write_calibration(campaign: Campaign, command: str, out: Path) -> None:
    """Write calibration.md and calibration.json: stated probability against the share that is right, by regime."""
    out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = [["answers", "n", "stated", "right (exact 95 % interval)", "stated − right"]]
    bins: list[Row] = [["answers", "stated between", "n", "mean stated", "right (exact 95 % interval)"]]
    record = {}
    for name, trials in by_kind_of_noise(campaign).items():
        answered = [(trial.stated, trial.right) for trial in trials if trial.answered and trial.stated is not None]
        if not answered:
            continue
        stated = sum(each for each, _ in answered) / len(answered)
        right = Share(hits=sum(right for _, right in answered), trials=len(answered))
        gap = f"{100 * (stated - right.value):+.1f} points"
        rows.append([name, str(len(answered)), f"{stated:.3f}", _of_all(right), gap])
        found = calibration(trials)
        bins += [
            [name, f"{b.low:g}–{b.high:g}", str(b.right.trials), f"{b.stated:.3f}", _of_all(b.right)] for b in found
        ]
        record[name] = {
            "answers": len(answered),
            "stated": stated,
            "right": right.value,
            "bins": [
                {"low": b.low, "high": b.high, "stated": b.stated, "right": b.right.value, "n": b.right.trials}
                for b in found
            ],
        }
    (out / "calibration.json").write_text(json.dumps(record, indent=1) + "\n")
    text = ["# Stated probability against the share that is right", "", f"`{command}`, seed {campaign.seed}.", ""]
    (out / "calibration.md").write_text("\n".join([*text, *_markdown(rows), "", *_markdown(bins)]) + "\n")
