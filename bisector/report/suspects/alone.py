"""The difference of two profiles as a document of its own: for `bisector diff`, and for files beside a report."""

import json
from typing import Any

from bisector.core.explain.difference import Basis, FunctionDelta
from bisector.core.explain.spread import Estimate
from bisector.report import flamegraph
from bisector.report.numbers import json_number
from bisector.report.phrase import plain
from bisector.report.suspects.part import LONGEST_NAME, Why, finding_phrases, suspect_parts
from bisector.report.suspects.section import html_of, markdown_lines, notes_of, text_lines
from bisector.report.text import one_line

STYLE = """
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-top: 1px solid rgba(128,128,128,.35); }
thead th { border-top: 0; font-size: .85rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { overflow-wrap: anywhere; } .scroll { overflow-x: auto; } small, .quiet { opacity: .75; } h3 { font-size: 1rem; }
"""


def page_of(why: Why) -> str:
    """A page that opens from a disk: the graph first, then suspects and findings."""
    shares = None if why.found.basis is Basis.SHARE else why.shares
    return flamegraph.page(
        why.found,
        shares,
        title=f"{one_line(why.before.label, 80)} and {one_line(why.after.label, 80)}: what differs",
        more=f"<style>{STYLE}</style>{html_of(why)}",
    )


def markdown_of(why: Why) -> str:
    """The same for an issue."""
    return "\n".join(markdown_lines(why)) + "\n"


def text_of(why: Why, width: int = 100) -> str:
    """The same for a terminal."""
    return "\n".join(text_lines(why, width)) + "\n"


def json_of(why: Why) -> str:
    """The same for a program: totals, suspects, findings, and every function that costs more or less than noise."""
    return json.dumps(_object(why), indent=2, allow_nan=False) + "\n"


def _object(why: Why) -> dict[str, Any]:
    found = why.found
    changed = [each for each in found.functions() if not (each.own.noise and each.total.noise)]
    changed.sort(key=lambda each: -abs(each.own.delta))
    return {
        "schema": 1,
        "before": _side(found.total.before, len(why.before.captures)),
        "after": _side(found.total.after, len(why.after.captures)),
        "unit": "share" if found.basis is Basis.SHARE else found.unit.value,
        "differs": found.differs,
        "suspects": [
            {"function": part.function, "file": part.file, "line": part.line, "share": json_number(part.share)}
            for part in suspect_parts(why)
        ],
        "findings": [plain(phrase) for phrase in finding_phrases(why)],
        "functions": [_function(each) for each in changed],
        "notes": [plain(phrase) for phrase in notes_of(why)],
    }


def _function(each: FunctionDelta) -> dict[str, Any]:
    return {
        "function": one_line(each.frame.name, LONGEST_NAME),
        "file": one_line(each.frame.module, LONGEST_NAME) or None,
        "fate": each.fate.value,
        "self": _estimate(each.own),
        "total": _estimate(each.total),
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    names = ("before", "after", "delta", "low", "high")
    return {**{name: json_number(getattr(estimate, name)) for name in names}, "noise": estimate.noise}


def _side(total: float, captures: int) -> dict[str, Any]:
    return {"total": json_number(total), "captures": captures}
