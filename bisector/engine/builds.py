"""A build made, or taken where one is at hand; its dependencies first, where the recipe tells them apart.

What a recipe installs from files that rarely change is a build of its own, of those files alone: the candidates' builds
start from it, so that commits with the same files share one installation.
"""

import io
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from bisector.core.model.builds import Build, layer_key
from bisector.core.model.layouts import layout_of
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds, digest
from bisector.engine.checkouts import Checkout, check_out
from bisector.engine.orders import build_order
from bisector.engine.ports import Archive, BuildOrder, Ports
from bisector.engine.prebuilt import NOBODY
from bisector.engine.stop import StopSignal
from bisector.errors import RefError

FIXED_TIME = 1_000_000_000
_NO_TOOL = re.compile(r"exit status 127\b|\bError 127\b|: (?:command )?not found$")
"""How shells and make say that there is no such program."""


def at_hand(key: str, ports: Ports) -> Build | None:
    """What is known of a build, to be used again: at hand or known to fail. The caller holds its lock.

    A failure for want of a tool on the machine itself is no knowledge of the commit: it may have been installed since.
    """
    known = ports.store.known_builds([key]).get(key)
    if known is None:
        return None
    if _lacked_a_tool(known) or (known.usable and not ports.runner.holds(known)):
        ports.store.forget_build(key)
        return None
    return known.again()


def _lacked_a_tool(build: Build) -> bool:
    return build.runner is RunnerName.LOCAL and not build.usable and _NO_TOOL.search(build.reason) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How a build is made."""

    clean: bool = False
    """Whether nothing that is kept from other builds is used, the installed dependencies neither."""
    leave_cpus: int = 0
    """How many of the host's processors are measured on meanwhile."""
    number: int = 0
    """0 for a commit's first build; others are made afresh on purpose, and lay out their code anew where the recipe
    lets them."""


USUAL = Manner()


def make_build(request: Request, tree: str, key: str, ports: Ports, stop: StopSignal, manner: Manner = USUAL) -> Build:
    """Build `tree` on top of its dependencies, and remember what came of it. The caller holds its lock."""
    checkout = _checked_out(request, tree, ports)
    if checkout.problem:
        build = Build(key=key, outcome=Outcome.BUILD_FAILED, reason=checkout.problem, runner=ports.runner.name)
    else:
        order = build_order(request, checkout.tree, key, ports, clean=manner.clean)
        if order.recipe.prebuilt is not None:
            order = replace(order, source=archive_of({}))
        order = replace(order, leave_cpus=manner.leave_cpus, layout=layout_of(manner.number))
        build = _built(request, order, ports, stop)
    reason = build.reason if checkout.problem else checkout.explained(build.reason)
    build = replace(build, patches=checkout.patches, left_out=checkout.left_out, clean=manner.clean, reason=reason)
    if build.usable or not checkout.passing:
        ports.store.remember_build(build)
    return build


def _checked_out(request: Request, tree: str, ports: Ports) -> Checkout:
    """What is built for `tree`; a submodule that cannot be had is a reason why it cannot be. Of what is prebuilt
    nothing is checked out."""
    prebuilt = request.scenario.build.prebuilt
    if prebuilt is not None:
        return Checkout(tree=tree, problem="" if prebuilt.commit else NOBODY, passing=True)
    try:
        return check_out(request, tree, ports.repository, ports.artifacts.scenario(request.scenario.files))
    except RefError as error:
        return Checkout(tree=tree, problem=str(error).removesuffix("."), passing=True)


def _built(request: Request, order: BuildOrder, ports: Ports, stop: StopSignal) -> Build:
    layer = _dependencies(request, order, ports, stop) if order.recipe.dependency_steps else None
    spent: Seconds = layer.seconds if layer is not None and not layer.reused else 0.0
    if layer is not None and not layer.usable:
        reason = f"installing the dependencies: {layer.reason}"
        return replace(layer, key=order.key, reason=reason, seconds=spent, reused=False)
    build = ports.runner.build(replace(order, layer=layer), stop).made_by(ports.runner.name)
    return replace(build, layer="" if layer is None else layer.key, seconds=build.seconds + spent)


def _dependencies(request: Request, order: BuildOrder, ports: Ports, stop: StopSignal) -> Build | None:
    """The build of the tree's dependency files; None where it has none of those that are named. Where none is named,
    the steps install the same for every tree.

    A clean one has a key of its own: what was installed first may be what is wrong, and others may be using it.
    """
    recipe = order.recipe
    files = _files_of(order.source, recipe.dependency_files)
    if recipe.dependency_files and not files:
        return None
    content = digest(*(part for name, text in sorted(files.items()) for part in (name, text)))
    usual = layer_key(request, content, ports.runner.environment(request).toolchain)
    key = digest(usual, "clean") if order.clean else usual
    with ports.locks.building(key, stop):
        known = at_hand(key, ports)
        if known is not None:
            ports.store.remember_build(replace(known, reused=False))
            return known
        log = ports.artifacts.build_log(key)
        alone = recipe.dependencies_alone()
        wanted = replace(order, key=key, recipe=alone, source=archive_of(files), log=log, layout=0)
        made = ports.runner.build(wanted, stop).made_by(ports.runner.name)
        ports.store.remember_build(made)
    if order.clean and made.usable:
        _forget_failure(usual, ports, stop)
    return made


def _forget_failure(key: str, ports: Ports, stop: StopSignal) -> None:
    """Let dependencies that could not be installed be tried again: they can be."""
    with ports.locks.building(key, stop):
        known = ports.store.known_builds([key]).get(key)
        if known is not None and not known.usable:
            ports.store.forget_build(key)


def _files_of(source: Archive, names: Sequence[str]) -> dict[str, bytes]:
    """The regular files among `names` that a tree holds."""
    found: dict[str, bytes] = {}
    with source() as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() and member.name in names else None
            if content is not None:
                found[member.name] = content.read()
    return found


def archive_of(files: dict[str, bytes]) -> Archive:
    """Opens a tar stream of `files`, as a repository does."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), FIXED_TIME, 0o644
            archive.addfile(member, io.BytesIO(content))
    whole = made.getvalue()

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        yield io.BytesIO(whole)

    return opened
