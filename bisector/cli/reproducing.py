"""The work of `bisector reproduce`: parent against culprit of an evidence bundle, measured again on this host."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from bisector.cli.options import OutputOptions
from bisector.cli.session import as_it_stands, wired, work_on
from bisector.core.model.request import JobKind, Request, Search
from bisector.core.model.scenario import Direction
from bisector.core.model.units import digest
from bisector.core.model.verdict import VerdictKind
from bisector.core.search.agreement import Agreement, agreement
from bisector.engine.ports import Repository, Runner
from bisector.errors import UsageError
from bisector.formats.bundle import Manifest, manifest_from_text
from bisector.report import numbers
from bisector.report.text import one_line
from bisector.wiring import Wiring, read_bundle, unbundled, unpack_scenario

EXIT_CODES = {Agreement.AGREE: 0, Agreement.DISAGREE: 1, Agreement.HOST: 1, Agreement.UNKNOWN: 3}


def reproduce(bundle: Path, runner: str, output: OutputOptions) -> int:
    """Measure the two commits of a bundle again and say whether this host agrees; the exit code."""
    with wired() as wiring:
        members = read_bundle(bundle)
        manifest = manifest_from_text(_member(members, "bundle.json"))
        repository = _repository(wiring, _member(members, "history.bundle"), manifest)
        chosen = wiring.choose_runner(runner, manifest.scenario.get("build", {}).get("image"))
        request = _request(wiring, manifest, members, (repository, chosen.runner))
        job = wiring.store.create(request)
        code = work_on(job, wiring, (repository, chosen.runner), output)
        verdict = as_it_stands(job, wiring).verdict
        if verdict is None or verdict.kind in {VerdictKind.FAILED, VerdictKind.ENVIRONMENT_CHANGED}:
            return code
        here = as_it_stands(job, wiring).host
        same_host = here is not None and here.host == manifest.host
        found = agreement(manifest.change.change(), verdict, same_host=same_host)
        click.echo(_told(found, manifest, same_host=same_host), err="-" in (output.json, output.events))
        return EXIT_CODES[found]


def _member(members: dict[str, bytes], name: str) -> bytes:
    if name not in members:
        raise UsageError(f"the bundle has no {name}", then="Make one with `bisector report JOB --bundle FILE.tar.gz`")
    return members[name]


def _repository(wiring: Wiring, history: bytes, manifest: Manifest) -> Repository:
    """The two commits of the bundle as a repository under the cache; what it holds must be what it says."""
    place = wiring.settings.cache_dir / "bundles" / digest("bundle", history)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as room:
            file = Path(room) / "history.bundle"
            file.write_bytes(history)
            unbundled(Path(room) / "repository", file, wiring.stop)
            (Path(room) / "repository").rename(place)
    repository = wiring.repository(str(place))
    trees = tuple(repository.resolve(name).tree for name in ("parent", "culprit"))
    if trees != tuple(manifest.trees):
        raise UsageError("the bundle's history is not what its manifest says", then="Ask for another bundle")
    return repository


def _request(
    wiring: Wiring, manifest: Manifest, members: dict[str, bytes], world: tuple[Repository, Runner]
) -> Request:
    repository, runner = world
    with tempfile.TemporaryDirectory(prefix="bisector-") as room:
        unpack_scenario(members, Path(room))
        files = wiring.artifacts.keep_scenario(Path(room))
    scenario = manifest.measured(files)
    good, bad = (repository.resolve(name) for name in ("parent", "culprit"))
    return Request(
        kind=JobKind.COMPARE,
        repository=repository.location,
        good=good.sha,
        bad=bad.sha,
        good_text="parent",
        bad_text="culprit",
        scenario=scenario,
        runner=runner.name,
        image_id=runner.resolve_image(scenario.build.image),
        search=replace(Search(), direction=Direction.EITHER, confidence=manifest.confidence),
    )


def _told(found: Agreement, manifest: Manifest, *, same_host: bool) -> str:
    there = numbers.change(manifest.change.change())
    where = "this very host" if same_host else "another host"
    name, subject = manifest.culprit[:10], one_line(json.dumps(manifest.subject)[1:-1], 72)
    what = f"{name} ({subject}) was measured on {where} to change {one_line(manifest.metric, 60)} by {there}"
    match found:
        case Agreement.AGREE:
            return f"Agree: {what}, and it does here."
        case Agreement.DISAGREE:
            return f"Disagree: {what}; here it does not."
        case Agreement.HOST:
            return f"Specific to a host: {what}; here, on other hardware or software, it does not."
        case Agreement.UNKNOWN:
            return f"Cannot tell: {what}; the runs here do not settle it."
