"""Makes a build in its directory: checkout, scenario, environment, steps, byte-code, digest."""

import itertools
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bisector.adapters import durable
from bisector.adapters.local.environment import build_env, run_env
from bisector.adapters.local.extract import extract
from bisector.adapters.local.helper import call_helper
from bisector.adapters.local.layer import put_under
from bisector.adapters.local.places import BuildPlace, Cache, remove_tree
from bisector.adapters.local.venv import given_packages, make_venv
from bisector.adapters.measure.answer import as_step
from bisector.adapters.measure.content import content_of, tree_digest, tree_entries
from bisector.adapters.measure.fetched import VARIABLE, fetch, nothing_came
from bisector.adapters.measure.host import boot_id
from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.order import HelperOrder
from bisector.adapters.measure.packages import packages_in
from bisector.adapters.measure.pinned import check_pinned, pinning_env
from bisector.adapters.measure.places import LAYOUT
from bisector.adapters.measure.record import Record
from bisector.adapters.measure.steps import Failure, run_steps
from bisector.adapters.measure.tools import Tools
from bisector.core.model.builds import Build
from bisector.core.model.prebuilt import Taken
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds
from bisector.engine.ports import BuildOrder
from bisector.engine.stop import StopSignal

_MOST_READ = 1 << 20
MANY_MODULES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """What every build needs: where things lie, what runs the steps, what the host's environment says."""

    cache: Cache
    tools: Tools
    host_env: Mapping[str, str]
    watched: bool = False
    """Whether it is looked at what else runs on the processors of a run."""


def build_locally(order: BuildOrder, workshop: Workshop, stop: StopSignal) -> Build:
    """Make the build, or take the one that is there. The caller holds its lock."""
    place = workshop.cache.build(order.key)
    content = content_at_hand(place)
    if content is not None:
        return _built(order, place, content, reused=True)
    begun = time.monotonic()
    remove_tree(place.root)
    with durable.step("begin a build"):
        place.root.mkdir(parents=True)
    try:
        with BuildLog(order.log) as log:
            failure = _make(order, place, workshop, log, stop)
        if failure is not None:
            return _failed(order, failure, time.monotonic() - begun)
        content = _content(place)
        _complete(place, content)
    finally:
        if not place.complete.exists():
            remove_tree(place.root)
    return _built(order, place, content, seconds=time.monotonic() - begun)


def content_at_hand(place: BuildPlace) -> str | None:
    """The digest of a build that was completed here, or None.

    After a crash of the machine the mark may have reached the disk and the files not: one look at them per start of
    the machine tells.
    """
    try:
        mark = json.loads(place.complete.read_text())
        boot, content = str(mark["boot"]), str(mark["content"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if boot != boot_id():
        if _content(place) != content:
            return None
        _complete(place, content)
    return content


def put_scenario(files: Path | None, place: BuildPlace) -> None:
    """Put the scenario's own files beside the checkout, also in place of what a candidate made of them."""
    if has_scenario(files, place):
        return
    pending = Path(tempfile.mkdtemp(prefix=".scenario-", dir=place.root))
    if files is not None:
        shutil.copytree(files, pending, symlinks=True, dirs_exist_ok=True)
    remove_tree(place.scenario)
    with durable.step("put the scenario's files"):
        pending.rename(place.scenario)


def has_scenario(files: Path | None, place: BuildPlace) -> bool:
    """Whether the scenario's files lie there unchanged."""
    return place.scenario.is_dir() and (files is None or tree_digest(files) == tree_digest(place.scenario))


def _make(order: BuildOrder, place: BuildPlace, workshop: Workshop, log: BuildLog, stop: StopSignal) -> Failure | None:
    with order.source() as stream:
        place.source.mkdir()
        for note in extract(stream, place.source):
            log.say(f"left out: {note}")
    put_scenario(order.files, place)
    prebuilt = order.recipe.prebuilt
    pip = bool(order.recipe.steps or prebuilt)
    if order.python and not make_venv(place.venv, workshop.cache.root, stop, pip=pip):
        log.say("this Python has no pip to give to the virtual environment (is python3-venv installed?)")
    if order.layer is not None:
        put_under(workshop.cache.build(order.layer.key), place)
    home, tmp, out = place.scratch
    for directory in place.scratch:
        directory.mkdir()
    places = place.places(out, workshop.tools.directory).laid_out(order.layout)
    env = {
        **run_env(workshop.host_env, place.venv, home, tmp),
        **build_env(workshop.host_env, (tmp if order.clean else workshop.cache.root) / "pip"),
        **places.fill_env({**pinning_env(order.recipe), **order.recipe.env}),
        **({VARIABLE: prebuilt.commit} if prebuilt else {LAYOUT: str(order.layout)}),
    }

    def execute(argv: tuple[str, ...], limit: Seconds) -> Record | Failure:
        helper_order = HelperOrder(argv=argv, cwd=str(place.source), timeout=limit)
        return as_step(call_helper(workshop.tools.here("measure"), helper_order, env, stop, log.write))

    limit = time.monotonic() + order.recipe.timeout_seconds
    if prebuilt is not None:
        words = places.fill_all(prebuilt.words)
        failure = fetch(prebuilt, words, order.recipe.timeout_seconds, log, execute)
        if failure is None and not any(place.source.iterdir()):
            failure = nothing_came()
    else:
        failure = run_steps(places.fill_all(order.recipe.steps), order.recipe.timeout_seconds, log, execute)
    if failure is None:
        check_pinned(order.recipe, execute)
    if failure is None and order.python:
        compiled = (str(path) for path in (place.source, place.scenario, place.venv))
        workers = "0" if _has_many_modules(place.source) else "1"
        execute(("python", "-m", "compileall", "-qq", "-j", workers, *compiled), max(limit - time.monotonic(), 1.0))
    if not has_scenario(order.files, place):
        log.say("the steps changed the scenario's own files, which are the same for every candidate: they are put back")
        put_scenario(order.files, place)
    for directory in place.scratch:
        remove_tree(directory)
    return failure


def _has_many_modules(directory: Path) -> bool:
    """Whether compileall's workers are worth their start, which takes as long as compiling a hundred modules."""
    return len(list(itertools.islice(directory.rglob("*.py"), MANY_MODULES))) == MANY_MODULES


def _complete(place: BuildPlace, content: str) -> None:
    mark = json.dumps({"content": content, "boot": boot_id()})
    durable.write_whole(place.complete, mark.encode(), place.complete.with_suffix(".new"))


def _built(
    order: BuildOrder, place: BuildPlace, content: str, *, seconds: Seconds = 0.0, reused: bool = False
) -> Build:
    return Build(
        key=order.key,
        outcome=Outcome.OK,
        handle=str(place.root),
        content=content,
        log=str(order.log) if order.log.exists() else "",
        seconds=seconds,
        reused=reused,
        packages=None if order.recipe.prebuilt else packages_of(place),
        taken=Taken(name=order.recipe.prebuilt.name, digest=content) if order.recipe.prebuilt else None,
    )


def packages_of(place: BuildPlace) -> dict[str, str]:
    """The packages in the build's environment and its checkout, and the Python they are for."""
    given = given_packages(place.venv)
    paths = (
        os.path.join(at, name)
        for top in (*([given] if given else []), place.venv, place.source)
        for at, _, names in os.walk(top)
        for name in names
        if at.endswith((".dist-info", ".egg-info")) or name.endswith((".egg-info", "Cargo.lock", ".package-lock.json"))
    )
    found = packages_in(paths, _read)
    config = _read(str(place.venv / "pyvenv.cfg")) or b""
    version = re.search(rb"^version\s*=\s*(\S+)$", config, re.MULTILINE)
    return {**found, "tool:python": version[1].decode()} if version is not None else found


def _read(path: str) -> bytes | None:
    """The beginning of a regular file; a link may lead anywhere."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(_MOST_READ)
    except OSError:
        return None


def _failed(order: BuildOrder, failure: Failure, seconds: Seconds) -> Build:
    return Build(key=order.key, outcome=failure.outcome, reason=failure.reason, log=str(order.log), seconds=seconds)


def _content(place: BuildPlace) -> str:
    return content_of(tree_entries(place.root, ("source", "venv") if place.venv.is_dir() else ("source",)))
