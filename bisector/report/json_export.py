"""The result as JSON, schema version 1: what other programs read. Unknown is null; no number is NaN or infinite."""

import json
from collections.abc import Sequence
from importlib.resources import files
from statistics import median
from typing import Any

from bisector.core.model.history import LineName
from bisector.core.model.verdict import Change, Control, InnerKind
from bisector.report.counts import CountedPart
from bisector.report.document import (
    CommitPart,
    CulpritPart,
    EndPart,
    EndsPart,
    EnvironmentPart,
    InnerPart,
    MetricPart,
    OtherPart,
    Report,
)
from bisector.report.explanation import Explanation
from bisector.report.numbers import json_number
from bisector.report.packages import move_objects, rebuilt_object, submodule_objects
from bisector.report.pairs import PairedPart
from bisector.report.parts import parts_object
from bisector.report.phrase import plain
from bisector.report.restoration import RestorationPart, still_there
from bisector.report.suspicion import suspect_objects

SCHEMA_VERSION = 1


def render_json(report: Report) -> str:
    """The result as text: ASCII throughout, so that no terminal or page can be led astray by it."""
    return json.dumps(result_of(report), indent=2, allow_nan=False) + "\n"


def result_of(report: Report) -> dict[str, Any]:
    """The result as an object; `result_schema` says what is in it."""
    return {
        "schema": SCHEMA_VERSION,
        "kind": report.kind.value,
        "job": report.job,
        "verdict": report.verdict.value if report.verdict is not None else None,
        "reason": report.reason.value if report.reason is not None else None,
        "sentence": plain(report.sentence),
        "repository": report.repository,
        "good": report.good,
        "bad": report.bad,
        "candidates": report.candidates,
        "scenario": report.scenario,
        "runner": report.runner.value,
        "metric": _metric(report.metric),
        "ends": _ends(report.ends),
        "culprits": _culprits(report.culprits, report.explanations),
        "opposite": _culprits(report.opposite),
        "others": [_other(other) for other in report.others],
        "untestable": [
            {"commit": each.commit.sha, "outcome": each.outcome.value, "reason": each.reason or None}
            for each in report.untestable
        ],
        "patches": [{"file": each.file, "commits": list(each.commits)} for each in report.patches],
        "cost": {
            "runs": report.cost.runs,
            "builds": report.cost.builds,
            "builds_reused": report.cost.builds_reused,
            "run_seconds": json_number(report.cost.run_seconds),
            "build_seconds": json_number(report.cost.build_seconds),
            "elapsed_seconds": json_number(report.cost.elapsed_seconds),
        },
        "environment": _environment(report.environment),
        "reproduce": report.reproduce,
        "artifacts": [
            {"kind": each.kind, "side": each.side or None, "path": each.path, "sha256": each.sha256 or None}
            for each in report.artifacts
        ],
        "trial": _restoration(report.trial),
        "still_at_head": still_there(report.head),
        "head": _restoration(report.head),
        "packages": None if report.packages is None else move_objects(report.packages),
        "rebuilt": rebuilt_object(report.rebuilt),
        "parts": parts_object(report.parts),
        "counted": _counted(report.counted),
    }


def result_schema() -> dict[str, Any]:
    """The published JSON Schema of a result."""
    text = files("bisector.report").joinpath("schema", f"result-{SCHEMA_VERSION}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _metric(metric: MetricPart) -> dict[str, Any]:
    return {
        "name": metric.name,
        "unit": metric.unit or None,
        "better": metric.better.value,
        "min_effect": json_number(metric.min_effect),
    }


def _ends(ends: EndsPart | None) -> dict[str, Any]:
    return {
        "good": _end(ends.good if ends is not None else None),
        "bad": _end(ends.bad if ends is not None else None),
        "change": _change(ends.change if ends is not None else None),
        "paired": _paired(ends.paired if ends is not None else None),
    }


def _counted(counted: CountedPart | None) -> dict[str, Any] | None:
    if counted is None:
        return None
    old, new = (
        {"median": json_number(median(walls)) if walls else None, "n": len(walls)}
        for walls in (counted.old, counted.new)
    )
    return {"by": counted.by, "wall_seconds": {"old": old, "new": new}}


def _end(end: EndPart | None) -> dict[str, Any]:
    if end is None:
        return {"commit": None, "median": None, "n": 0}
    return {"commit": end.commit.sha, "median": json_number(end.median), "n": end.runs}


def _change(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {name: json_number(getattr(change, name)) for name in ("relative", "low", "high")}


def _paired(found: PairedPart | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "pairs": found.pairs,
        "change": _change(found.change),
        "signed_rank": json_number(found.probability),
        "preferred": found.preferred,
    }


def _interval(low: float | None, high: float | None) -> dict[str, Any] | None:
    return None if low is None or high is None else {"low": json_number(low), "high": json_number(high)}


def _culprits(culprits: Sequence[CulpritPart], explanations: Sequence[Explanation] = ()) -> list[dict[str, Any]]:
    suspects = {each.new.index: suspect_objects(each) for each in explanations if each.new.line is LineName.MAIN}
    return [{**_culprit(culprit), "suspects": suspects.get(culprit.index, [])} for culprit in culprits]


def _culprit(culprit: CulpritPart) -> dict[str, Any]:
    return {
        "kind": culprit.kind.value,
        **_commit(culprit.commit),
        "parent": culprit.parent.sha,
        "probability": json_number(culprit.probability),
        "set": list(culprit.set),
        "change": _change(culprit.change),
        "share": json_number(culprit.share),
        "share_interval": _interval(culprit.share_low, culprit.share_high),
        "verified": culprit.verified,
        "pairs_of_builds": culprit.pairs_of_builds,
        "same_build": culprit.same_build,
        "still_at_bad": culprit.still_at_bad,
        "inner": _inner(culprit.inner),
        "paired": _paired(culprit.paired),
        "revert": _restoration(culprit.revert),
        "control": _control(culprit.control),
        "suspicious": culprit.suspicious.value if culprit.suspicious is not None else None,
        "packages": move_objects(culprit.packages),
        "submodules": submodule_objects(culprit.submodules),
    }


def _restoration(found: RestorationPart | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "kind": found.kind.value,
        "commit": found.commit or None,
        "tree": found.tree or None,
        "share": json_number(found.share),
        "share_interval": _interval(found.low, found.high),
        "needed": json_number(found.needed),
        "restored": found.restored,
        "left": dict(zip(("relative", "low", "high"), map(json_number, found.left), strict=True))
        if found.left
        else None,
        "n": found.runs,
        "conflicts": list(found.conflicts),
        "problem": found.problem or None,
    }


def _control(control: Control | None) -> dict[str, Any] | None:
    if control is None:
        return None
    return {
        "same_build": control.same_build,
        "difference": _change(control.difference),
        "culprit": _change(control.culprit),
        "n": control.runs,
        "luck": control.luck,
    }


def _commit(commit: CommitPart) -> dict[str, Any]:
    return {
        "commit": commit.sha,
        "is_merge": commit.is_merge,
        "subject": commit.subject,
        "author": commit.author or None,
        "date": commit.date or None,
    }


def _inner(inner: InnerPart | None) -> dict[str, Any] | None:
    """What was found inside a merge: a commit, a set, or, with neither, the interaction. None while undecided."""
    if inner is None or inner.kind is InnerKind.UNDECIDED:
        return None
    return {
        "kind": inner.kind.value,
        "commit": inner.commit.sha if inner.commit is not None else None,
        "probability": json_number(inner.probability),
        "set": list(inner.set),
    }


def _other(other: OtherPart) -> dict[str, Any]:
    return {
        "metric": _metric(other.metric),
        "verdict": other.verdict.value if other.verdict is not None else None,
        "ends": _ends(other.ends),
        "culprits": _culprits(other.culprits),
    }


def _environment(environment: EnvironmentPart) -> dict[str, Any]:
    return {
        "host": environment.host,
        "toolchain": environment.toolchain,
        "image": environment.image,
        "details": dict(environment.details),
        "bisector": environment.bisector,
        "planner": list(environment.planners),
    }
