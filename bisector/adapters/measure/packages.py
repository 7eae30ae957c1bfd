"""Which packages a build holds, read off the files that installers leave: nothing of the build is run for it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping

from bisector.formats.dependencies import Reader, javascript, rust
from bisector.formats.installed import debian_versions

Read = Callable[[str], bytes | None]
"""The content of a file of the build; None where it cannot be had."""
DPKG_STATUS = "/var/lib/dpkg/status"
MOST_PACKAGES = 5000
_PYTHON = re.compile(r"/([^/]+?)-([^/-]+)(?:-py[^/]*)?\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info)$")
_DEBIAN = re.compile(r"^/var/lib/dpkg/info/([^/:]+)(?::[^/]+)?\.list$")
_DIRECT = ".dist-info/direct_url.json"
_LOCKS: Mapping[str, tuple[str, Reader]] = {
    "/node_modules/.package-lock.json": ("npm", javascript.package_lock),
    "/source/Cargo.lock": ("cargo", rust.lock),
}
"""What other installers leave of what they resolved: of npm below the packages, of cargo in the checkout."""


def packages_in(paths: Iterable[str], read: Read) -> dict[str, str]:
    """The packages whose files are among `paths`, by name; what was installed from the checkout itself is none.

    A Python package installed from a version control system has the commit in its version. Of Debian packages those
    count whose list of files is among the paths: in a container, the ones that the build installed.
    """
    found: dict[str, str] = {}
    direct: list[str] = []
    debian: set[str] = set()
    status = False
    for path in paths:
        if (python := _PYTHON.search(path)) is not None:
            found[f"python:{_normal(python[1])}"] = python[2].replace("_", "-")
        elif path.endswith(_DIRECT):
            direct.append(path)
        elif (package := _DEBIAN.match(path)) is not None:
            debian.add(package[1])
        elif (lock := next((end for end in _LOCKS if path.endswith(end)), None)) is not None:
            _told_by_lock(*_LOCKS[lock], read(path), found)
        status = status or path == DPKG_STATUS
    for path in direct:
        _told_by_origin(path, read, found)
    if status and debian:
        versions = debian_versions(read(DPKG_STATUS) or b"")
        found |= {f"debian:{name}": versions[name] for name in debian if name in versions}
    return dict(sorted(found.items())[:MOST_PACKAGES])


def _told_by_lock(source: str, reader: Reader, content: bytes | None, found: dict[str, str]) -> None:
    """Take over what an installer wrote down of what it resolved; nothing where it cannot be read."""
    try:
        told = reader((content or b"").decode("utf-8", "replace"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    found |= {f"{source}:{name}": version for name, version in told.items()}


def _told_by_origin(path: str, read: Read, found: dict[str, str]) -> None:
    """Take the checkout's own package out, and give one from a repository its commit."""
    name, _, _ = path.removesuffix(_DIRECT).rpartition("/")[2].rpartition("-")
    key = f"python:{_normal(name)}"
    try:
        origin = json.loads(read(path) or b"")
        if "dir_info" in origin:
            found.pop(key, None)
        elif "vcs_info" in origin and key in found:
            found[key] += f" ({str(origin['vcs_info']['commit_id'])[:12]})"
    except (ValueError, TypeError, KeyError):
        return


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
