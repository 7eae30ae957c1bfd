"""Byte-code: a run sees a read-only root, so what is not compiled beforehand is compiled again in every run.

Official Python images come without the standard library's; it is made once per base image and kept in one of ours.
"""

from bisector.adapters.docker import images, layout
from bisector.adapters.docker.container import Container, Plan, running
from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.exec import Call, call_program
from bisector.adapters.docker.workshop import Workshop
from bisector.adapters.measure.lock import locked
from bisector.core.model.units import Seconds, digest
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault

_COMPILE_LIMIT: Seconds = 600.0
_COMPILE = """
import compileall, os, site, sys
for directory in sys.path[1:] if sys.argv[1:] == ["everything"] else [sys.argv[1], *site.getsitepackages()]:
    if os.path.isdir(directory):
        compileall.compile_dir(directory, quiet=2, workers=0)
"""


def with_bytecode(engine: Engine, workshop: Workshop, base: str, stop: StopSignal) -> str:
    """The image that is `base` with all its Python modules compiled."""
    image = images.find(engine, base)
    if image is None:
        raise EnvironmentFault(f"the base image {base} is gone", then="Pull or make it again and resume")
    name = f"{workshop.name}:base-{digest(base)[:32]}"
    with locked(workshop.locks / name.replace(":", "-"), stop):
        found = images.find(engine, name)
        if found is not None:
            return str(found["Id"])
        plan = Plan(
            image=image,
            user=layout.BUILD_USER,
            role="base",
            host_config=layout.build_host_config(
                "none", layout.build_memory(engine.info()), workshop.volumes.ensure(engine, None, base, stop)
            ),
        )
        with running(engine, workshop, plan) as container:
            compile_modules(container, "everything", stop)
            labels = {layout.INSTANCE: workshop.instance, layout.BASE: base, layout.ROLE: "base"}
            return images.commit(engine, container.id, name, labels)


def compile_modules(container: Container, what: str, stop: StopSignal) -> None:
    """Compile the modules below directory `what` and installed ones, or "everything"; files that cannot be are left."""
    call = Call(
        container=container.id,
        argv=("python3", "-c", _COMPILE, what),
        user=layout.BUILD_USER,
        limit=_COMPILE_LIMIT,
        env={"HOME": layout.HOME},
    )
    call_program(container.engine, call, stop)
