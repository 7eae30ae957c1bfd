"""Which packages a build holds, read off its files."""

import base64
import contextlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterable

import docker.errors

from bisector.adapters.docker import layout
from bisector.adapters.docker.container import Container
from bisector.adapters.docker.engine import faults
from bisector.adapters.docker.exec import Call, call_program
from bisector.adapters.measure.packages import packages_in
from bisector.core.model.packages import Packages
from bisector.core.model.units import Bytes, Seconds
from bisector.engine.stop import StopSignal

_FIND_LIMIT: Seconds = 60.0
_MOST_READ: Bytes = 16 << 20
_LONGEST_LABEL = 3 << 14
"""A line of a Dockerfile, which is how an image gets its labels, has at most 64 KiB."""
_NAMES = (
    "*/METADATA",
    "*/PKG-INFO",
    "*.egg-info",
    "*/direct_url.json",
    "/var/lib/dpkg/info/*.list",
    "/var/lib/dpkg/status",
    "*/node_modules/.package-lock.json",
    "*/source/Cargo.lock",
)


def packages_of(container: Container, paths: Iterable[str]) -> dict[str, str]:
    """The packages whose files are among `paths`, those that the build brought in."""
    return packages_in(paths, lambda path: _read(container, path))


def every_package(container: Container, stop: StopSignal) -> dict[str, str] | None:
    """All packages in the container, found by its own `find`; None where it has none that works."""
    wanted = [word for name in _NAMES for word in ("-o", "-path", name)][1:]
    argv = ("find", "/", "-xdev", "(", *wanted, ")", "-print0")
    call = Call(container=container.id, argv=argv, user=layout.BUILD_USER, limit=_FIND_LIMIT, env={})
    found = call_program(container.engine, call, stop)
    return None if found is None else packages_of(container, found.decode("utf-8", "replace").split("\0"))


def packages_as_label(packages: Packages | None) -> str:
    """Packages as an image's label holds them; "" for none that are known, or for more than a label should hold."""
    if packages is None:
        return ""
    text = base64.b64encode(zlib.compress(json.dumps(dict(packages)).encode())).decode()
    return text if len(text) <= _LONGEST_LABEL else ""


def packages_from(label: str) -> dict[str, str] | None:
    """What `packages_as_label` made a label of."""
    if not label:
        return None
    packages: dict[str, str] = json.loads(zlib.decompress(base64.b64decode(label)))
    return packages


def _read(container: Container, path: str) -> bytes | None:
    """A regular file in the container; None where there is none."""
    with faults("read a file of a container"):
        try:
            stream, status = container.engine.api.get_archive(container.id, path)
        except docker.errors.NotFound:
            return None
        with contextlib.closing(stream):
            if int(status.get("size", 0)) > _MOST_READ:
                return None
            whole = io.BytesIO(b"".join(stream))
    with tarfile.open(fileobj=whole) as archive:
        member = archive.next()
        content = archive.extractfile(member) if member is not None and member.isreg() else None
        return content.read() if content is not None else None
