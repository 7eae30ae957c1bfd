"""An evidence bundle made of a job: what another host needs to build and measure parent and culprit again."""

import json
from collections.abc import Mapping
from pathlib import Path

import bisector
from bisector.core.model.history import LineName, Place, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.model.verdict import Change, VerdictKind
from bisector.errors import JobError
from bisector.formats.bundle import ChangeTable, Manifest, manifest_to_text, scenario_table
from bisector.formats.facts import fact_to_object, kind_of, request_to_text
from bisector.report.text import displayed, one_line, redacted
from bisector.wiring import Wiring, packed_scenario, write_bundle

REPORTS = ("report.html", "report.md", "result.json")


def bundle(investigation: Investigation, wiring: Wiring, reports: Path, target: Path) -> None:
    """Write the evidence of a job to `target`; JobError when it names no single pair of commits."""
    old, new, change = _pair(investigation)
    repository, _ = wiring.for_request(investigation.request)
    manifest = _manifest(investigation, (old, new), change)
    history = repository.bundled(investigation.tree(old), investigation.tree(new))
    write_bundle(target, dict(_members(investigation, wiring, reports), **_own(manifest, history)))


def _own(manifest: Manifest, history: bytes) -> Mapping[str, bytes]:
    return {"bundle.json": manifest_to_text(manifest), "history.bundle": history}


def _members(investigation: Investigation, wiring: Wiring, reports: Path) -> dict[str, bytes]:
    request = investigation.request
    facts = ({"kind": kind_of(fact), **fact_to_object(fact)} for fact in wiring.store.facts(investigation.job))
    members = {
        "request.json": redacted(request_to_text(request)).encode(),
        "facts.jsonl": "".join(json.dumps(fact) + "\n" for fact in facts).encode(),
    }
    members |= {name: (reports / name).read_bytes() for name in REPORTS if (reports / name).is_file()}
    return members | dict(packed_scenario(wiring.artifacts.scenario(request.scenario.files)))


def _pair(investigation: Investigation) -> tuple[Place, Place, Change]:
    verdict, request = investigation.verdict, investigation.request
    if verdict is not None and request.kind is JobKind.COMPARE and verdict.change is not None:
        return main(0), main(1), verdict.change
    if verdict is not None and verdict.kind in {VerdictKind.CULPRIT, VerdictKind.SEVERAL}:
        for culprit in verdict.culprits:
            if len(culprit.members) == 1 and culprit.place.line is LineName.MAIN and culprit.change is not None:
                return main(investigation.line.parent_index(culprit.place.index)), culprit.place, culprit.change
    raise JobError(
        f"job {investigation.job} names no commit whose difference to its parent another host could measure",
        then="A bundle is made of a bisect that has found its culprit, or of a comparison",
    )


def _manifest(investigation: Investigation, pair: tuple[Place, Place], change: Change) -> Manifest:
    request, host = investigation.request, investigation.host
    old, new = pair
    commit = investigation.commit(new)
    details = host.details if host is not None else {}
    return Manifest(
        bisector=bisector.__version__,
        job=one_line(investigation.job, 80),
        parent=investigation.commit(old).sha,
        culprit=commit.sha,
        subject=one_line(commit.subject, 200),
        trees=(investigation.tree(old), investigation.tree(new)),
        metric=investigation.metric.name,
        confidence=request.search.confidence,
        change=ChangeTable(relative=change.relative, low=change.low, high=change.high),
        host=one_line(host.host, 80) if host is not None else "",
        details={one_line(name, 80): displayed(text, 300) for name, text in details.items()},
        runner=request.runner.value,
        scenario=scenario_table(request, investigation.metric),
    )
