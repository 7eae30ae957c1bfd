"""Summaries of peers taken from an earlier table: they do not change with the deciding code, their worlds by seed."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.search.campaign import Campaign
from benchmarks.search.peers import PEERS
from benchmarks.search.summaries import Share, Summary


def with_peers(found: Sequence[Summary], campaign: Campaign, file: Path) -> list[Summary]:
    """`found`, with the peers that were not played now as the table in `file` has them, where there is one."""
    if not file.exists():
        return list(found)
    cells = {cell.name: cell for cell in campaign.cells}
    played = {(each.cell.name, each.strategy) for each in found}
    kept = [
        Summary(
            cell=cells[record["cell"]],
            strategy=record["strategy"],
            right=Share(hits=round(record["right"] * record["trials"]), trials=record["trials"]),
            false_culprits=record["false_culprits"],
            cost=record["total_cost"],
            cost_error=record["total_cost_error"],
            search=record["search_cost"],
            search_error=record["search_cost_error"],
            runs=record["runs"],
            builds=record["builds"],
            stated=record["stated"],
            named=None,
            slowest_decision=record["slowest_decision_seconds"],
        )
        for record in json.loads(file.read_text())
        if record["strategy"] in PEERS
        and record["cell"] in cells
        and (record["cell"], record["strategy"]) not in played
    ]
    return [*found, *kept]
