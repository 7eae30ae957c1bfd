"""Every step, fact and the answer so far, as one JSON object a line."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from bisector.core.model.facts import Fact, HistoryListed, Planned
from bisector.core.model.investigation import Investigation
from bisector.core.model.units import Seconds
from bisector.core.search.outlook import outlook
from bisector.core.search.planner import Plan
from bisector.formats.facts import fact_to_object, kind_of, step_to_object

MOST_LISTED = 20
"""Candidates named in one event; a stream must not repeat a long history."""


class EventStream:
    """Implements `bisector.engine.ports.Observer`: writes a line for whatever happens, at once."""

    def __init__(self, stream: TextIO) -> None:
        """Lines go to `stream`."""
        self._stream = stream

    @classmethod
    @contextmanager
    def to(cls, target: str) -> Iterator["EventStream"]:
        """A stream to a file, or to standard output for "-"."""
        if target == "-":
            yield cls(sys.stdout)
            return
        with open(target, "w", encoding="utf-8") as stream:
            yield cls(stream)

    def planned(self, investigation: Investigation, plan: Plan, elapsed: Seconds) -> None:
        """A step, with the answer so far that it was decided on."""
        if plan.step is not None:
            step = {"number": investigation.next_number, "elapsed_seconds": elapsed, **step_to_object(plan.step)}
            self._write(
                {"event": "step", "job": investigation.job, "step": step, "answer": answer_so_far(investigation)}
            )

    def learned(self, investigation: Investigation, fact: Fact) -> None:
        """A fact; a listed history is told by its size."""
        if isinstance(fact, Planned):
            return
        told = {"candidates": fact.line.size} if isinstance(fact, HistoryListed) else fact_to_object(fact)
        self._write({"event": "fact", "job": investigation.job, "kind": kind_of(fact), "fact": told})

    def _write(self, record: dict[str, Any]) -> None:
        self._stream.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._stream.flush()


def answer_so_far(investigation: Investigation) -> dict[str, Any] | None:
    """Where the culprit may be, how likely, and at what levels; None before both ends are known."""
    found = outlook(investigation)
    if found is None or found.posterior is None:
        return None
    line, levels = found.view.line, found.levels
    return {
        "no_change": found.no_change,
        "likely": len(found.likely),
        "candidates": [
            {"commit": line.commit(index).sha, "index": index, "probability": float(found.chances[index - 1])}
            for index in sorted(found.likely, key=lambda index: -found.chances[index - 1])[:MOST_LISTED]
        ],
        "levels": None if levels is None else {"good": levels[0], "bad": levels[1]},
    }
