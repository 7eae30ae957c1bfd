"""Makes a build: the recipe's steps in one hardened container, byte-code, a digest, and an image of the result."""

import io
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from bisector.adapters.docker import images, layout
from bisector.adapters.docker.base import compile_modules, with_bytecode
from bisector.adapters.docker.container import Container, Plan, running
from bisector.adapters.docker.dockerfile import build_dockerfile
from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.exec import Call, call_program
from bisector.adapters.docker.fate import outcome_of_silence
from bisector.adapters.docker.leftovers import Leftovers
from bisector.adapters.docker.packages import every_package, packages_as_label, packages_from, packages_of
from bisector.adapters.docker.prebuilt import take_image
from bisector.adapters.docker.workshop import Workshop
from bisector.adapters.measure.answer import as_step
from bisector.adapters.measure.content import content_of, parse_listing
from bisector.adapters.measure.fetched import VARIABLE, fetch, nothing_came
from bisector.adapters.measure.log import BuildLog
from bisector.adapters.measure.order import HelperOrder
from bisector.adapters.measure.pinned import check_pinned, pinning_env
from bisector.adapters.measure.places import LAYOUT, Places
from bisector.adapters.measure.record import Record
from bisector.adapters.measure.steps import Execute, Failure, run_steps
from bisector.core.model.builds import Build
from bisector.core.model.packages import Packages
from bisector.core.model.prebuilt import Taken
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds, digest
from bisector.engine.ports import Archive, BuildOrder
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, ScenarioError

_LISTING_LIMIT: Seconds = 300.0
_BLOCK = 1 << 20
NOTHING = "nothing"
"""In place of a digest where no file came of a fetch."""


def build_in_docker(engine: Engine, order: BuildOrder, workshop: Workshop, stop: StopSignal) -> Build:
    """Make the build, or take the one that is there. The caller holds its lock."""
    found = images.find(engine, _name(order, workshop))
    if found is not None and images.is_ours(found, workshop.instance, order.key):
        labels = images.labels_of(found)
        built = _built(order, found["Id"], labels.get(layout.CONTENT) or None, reused=True)
        packages = packages_from(labels.get(layout.PACKAGES, ""))
        return replace(built, packages=packages, taken=_taken(order, labels.get(layout.TAKEN, "")))
    begun = time.monotonic()
    with BuildLog(order.log) as log, Leftovers(engine) as leftovers:
        made = _Making(engine=engine, order=order, workshop=workshop, log=log, stop=stop, leftovers=leftovers).make()
        if not isinstance(made, Failure):
            leftovers.keep()
    seconds = time.monotonic() - begun
    if isinstance(made, Failure):
        return Build(key=order.key, outcome=made.outcome, reason=made.reason, log=str(order.log), seconds=seconds)
    return replace(made, seconds=seconds)


def _taken(order: BuildOrder, digest: str) -> Taken | None:
    """What the build was taken from, where it was not built; `digest` is what came."""
    prebuilt = order.recipe.prebuilt
    return None if prebuilt is None else Taken(name=prebuilt.name, digest=digest)


def _name(order: BuildOrder, workshop: Workshop) -> str:
    return f"{workshop.name}:{order.key}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Making:
    """One build in the making."""

    engine: Engine
    order: BuildOrder
    workshop: Workshop
    log: BuildLog
    stop: StopSignal
    leftovers: Leftovers

    @property
    def has_dockerfile(self) -> bool:
        """Whether a Dockerfile makes the image that the steps start from."""
        return bool(self.order.recipe.dockerfile or self.order.recipe.candidate_dockerfile)

    @property
    def comes_as_image(self) -> bool:
        """Whether most of it lies in an image, with modules anywhere in it."""
        return self.order.recipe.needs_docker

    @property
    def places(self) -> Places:
        """Where the recipe's words find things."""
        return layout.PLACES.laid_out(self.order.layout)

    def make(self) -> Build | Failure:
        """The build, or why there is none."""
        base = self._base()
        if isinstance(base, Failure):
            return base
        image = images.find(self.engine, base)
        if image is None:
            raise EnvironmentFault(f"the base image {base} is gone", then="Pull or make it again and resume")
        recipe, log, stop = self.order.recipe, self.log, self.stop
        set_by_recipe = self.places.fill_env({**pinning_env(recipe), **recipe.env})
        told = {LAYOUT: str(self.order.layout)} if recipe.prebuilt is None else {VARIABLE: recipe.prebuilt.commit}
        env = {**layout.base_env(image), **self.workshop.build_env, **set_by_recipe, **told}
        with running(self.engine, self.workshop, self._plan(image, base)) as container:
            execute = _executor(container, env, log, stop)
            failure = self._carry_out(execute)
            if failure is not None:
                return failure
            check_pinned(recipe, execute)
            if self.order.python:
                compile_modules(container, "everything" if self.comes_as_image else layout.SOURCE, stop)
            content, packages = self._made(container, image)
            if content == NOTHING:
                return nothing_came()
            taken = _taken(self.order, self._digest(image, content))
            kept = {layout.PACKAGES: packages_as_label(packages), **({layout.TAKEN: taken.digest} if taken else {})}
            built = _built(self.order, self._commit(container, base, content, kept), content)
            return replace(built, packages=packages, taken=taken)

    def _carry_out(self, execute: Execute) -> Failure | None:
        """The steps, or what is fetched in their place; why there is no build, or None."""
        recipe = self.order.recipe
        if recipe.prebuilt is None:
            return run_steps(self.places.fill_all(recipe.steps), recipe.timeout_seconds, self.log, execute)
        if recipe.prebuilt.image:
            return None
        words = self.places.fill_all(recipe.prebuilt.words)
        return fetch(recipe.prebuilt, words, recipe.timeout_seconds, self.log, execute)

    def _digest(self, image: dict[str, Any], content: str | None) -> str:
        """What is told of what was taken: an image's own digest, or that of the files."""
        prebuilt = self.order.recipe.prebuilt
        return images.digest_of(image, prebuilt.name) if prebuilt and prebuilt.image else content or ""

    def _made(self, container: Container, image: dict[str, Any]) -> tuple[str | None, Packages | None]:
        """The digest of what was made, and the packages in it; of both only what can be had. Of what was made elsewhere
        the packages are not looked at: it cannot be made again with others."""
        prebuilt = self.order.recipe.prebuilt
        if prebuilt is not None and prebuilt.image:
            return images.runs_alike(image), None
        if self.has_dockerfile:
            # What a Dockerfile's own steps did lies below our container's layer: its digest cannot be had.
            return None, every_package(container, self.stop)
        entries = _entries(container, self.stop)
        if entries is None:
            return None, None
        if prebuilt is not None:
            came = any(path.startswith(f"{layout.SOURCE}/") for path, _, _ in entries)
            return content_of(entries) if came else NOTHING, None
        content, packages = content_of(entries), packages_of(container, (path for path, _, _ in entries))
        layer = self.order.layer
        if layer is None:
            return content, packages
        below = None if layer.packages is None else {**layer.packages, **packages}
        return None if layer.content is None else digest(layer.content, content), below

    def _base(self) -> str | Failure:
        """The image the steps start from."""
        if self.has_dockerfile:
            labels = {layout.INSTANCE: self.workshop.instance, layout.ROLE: "dockerfile"}
            return build_dockerfile(self.order, labels, self.log, self.stop, self.leftovers)
        prebuilt = self.order.recipe.prebuilt
        if prebuilt is not None and prebuilt.image:
            found = take_image(self.engine, prebuilt.name, self.log, self.leftovers)
            return found if isinstance(found, Failure) else str(found["Id"])
        if self.order.layer is not None:
            return self.order.layer.handle
        image_id = self.order.image_id
        if image_id is None:
            advice = "Name one, or a dockerfile"
            raise ScenarioError("the scenario names no base image", where="[build] image", then=advice)
        return with_bytecode(self.engine, self.workshop, image_id, self.stop) if self.order.python else image_id

    def _plan(self, image: Mapping[str, Any], base: str) -> Plan:
        volumes = self.workshop.volumes.ensure(self.engine, self.order.files, base, self.stop)
        info = self.engine.info()
        cpus = layout.other_cpus(info, self.order.leave_cpus)
        return Plan(
            image=image,
            user=layout.BUILD_USER,
            role="build",
            host_config=layout.build_host_config(self.order.recipe.network, layout.build_memory(info), volumes, cpus),
            furnish=lambda container: _furnish(self.engine, container, self.order.source),
        )

    def _commit(self, container: Container, base: str, content: str | None, kept: Mapping[str, str]) -> str:
        labels = {
            layout.INSTANCE: self.workshop.instance,
            layout.ROLE: "build",
            layout.KEY: self.order.key,
            layout.BASE: base,
            layout.CONTENT: content or "",
            layout.LEFTOVERS: ",".join(self.leftovers.images),
            **kept,
        }
        return images.commit(self.engine, container.id, _name(self.order, self.workshop), labels)


def _furnish(engine: Engine, container: str, source: Archive) -> None:
    """Put the checkout into a container that has not been started, after a file that is older than all of it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(_directory(layout.ROOT))
        archive.addfile(tarfile.TarInfo(layout.MARKER.lstrip("/")))
        archive.addfile(_directory(layout.SOURCE))
    engine.api.put_archive(container, "/", made.getvalue())
    with engine.patient(), source() as stream:
        engine.api.put_archive(container, layout.SOURCE, _blocks(stream))


def _directory(path: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.type = tarfile.DIRTYPE
    member.mode = 0o755
    return member


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _executor(container: Container, env: Mapping[str, str], log: BuildLog, stop: StopSignal) -> Execute:
    def execute(argv: tuple[str, ...], limit: Seconds) -> Record | Failure:
        order = HelperOrder(argv=argv, cwd=layout.SOURCE, timeout=limit, container=True)
        answer = container.call(order, layout.BUILD_USER, stop, env, log.write)
        outcome = outcome_of_silence(container.engine, container.id, answer)
        if answer is None or outcome is not None:
            reason = "it was out of memory" if outcome is Outcome.OOM else "it did not end when it was told to"
            return Failure(outcome=outcome or Outcome.TIMEOUT, reason=reason)
        return as_step(answer)

    return execute


def _entries(container: Container, stop: StopSignal) -> list[tuple[str, str, str]] | None:
    """Every file that the checkout and the steps brought in or changed."""
    program = container.workshop.tools.inside("listing", layout.TOOLS, compiled=container.compiled)
    call = Call(
        container=container.id,
        argv=(*program, layout.MARKER, "/"),
        user=layout.BUILD_USER,
        limit=_LISTING_LIMIT,
        env={},
    )
    output = call_program(container.engine, call, stop)
    return None if output is None else parse_listing(output)


def _built(
    order: BuildOrder, image: str, content: str | None, *, seconds: Seconds = 0.0, reused: bool = False
) -> Build:
    return Build(
        key=order.key,
        outcome=Outcome.OK,
        handle=image,
        content=content,
        log=str(order.log) if order.log.exists() else "",
        seconds=seconds,
        reused=reused,
    )
