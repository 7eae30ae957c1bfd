"""Files that say which packages a project wants: what moved between two versions of them.

A file of a known name that cannot be read tells nothing; it is no error, since nobody asked for it to be well-formed.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from bisector.core.model.packages import PackageMove, moved
from bisector.formats.dependencies import go, javascript, python, rust

Reader = Callable[[str], dict[str, str]]
"""Text to versions by package; a wish that names no single version is told as it stands (">=2,<3")."""
LARGEST = 16 << 20
_READERS: tuple[tuple[str, str, Reader], ...] = (
    (r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)", "python", python.requirements),
    (r"requirements/[^/]+\.(?:txt|in)", "python", python.requirements),
    (r"pyproject\.toml", "python", python.pyproject),
    (r"package\.json", "npm", javascript.manifest),
    (r"cargo\.toml", "cargo", rust.manifest),
    (r"go\.mod", "go", go.modules),
    # Locks come last: what they say is the version itself, and counts where a manifest speaks of the same package.
    (r"(?:poetry|uv|pdm)\.lock", "python", python.lock),
    (r"pipfile\.lock", "python", python.pipfile_lock),
    (r"(?:package-lock|npm-shrinkwrap)\.json", "npm", javascript.package_lock),
    (r"yarn\.lock", "npm", javascript.yarn_lock),
    (r"pnpm-lock\.yaml", "npm", javascript.pnpm_lock),
    (r"cargo\.lock", "cargo", rust.lock),
)
_SILENT = re.compile(r"(?:.*/)?(?:go\.sum|pipfile|\.python-version|poetry\.toml|uv\.toml)", re.IGNORECASE)
"""Files that go with those and name no version that the others do not."""


def is_dependency_file(path: str) -> bool:
    """Whether the file at `path` says nothing but which packages are wanted, or may say hardly more."""
    return _SILENT.fullmatch(path) is not None or any(_is(name, path) for name, _, _ in _READERS)


def is_requirements_file(path: str) -> bool:
    """Whether pip is told by the file at `path` what to install, or what to hold to."""
    return any(reader is python.requirements and _is(name, path) for name, _, reader in _READERS)


def moves_in(files: Mapping[str, tuple[bytes | None, bytes | None]]) -> tuple[PackageMove, ...]:
    """What moved, from the old and the new content of changed files by path (None: not there)."""
    found: dict[str, PackageMove] = {}
    for name, source, reader in _READERS:
        old, new = (
            _together(reader, source, (sides[side] for path, sides in sorted(files.items()) if _is(name, path)))
            for side in (0, 1)
        )
        found |= {move.name: move for move in moved(old, new)}
    return tuple(sorted(found.values(), key=lambda move: (move.old is None or move.new is None, move.name)))


def _is(name: str, path: str) -> bool:
    return re.fullmatch(rf"(?:.*/)?{name}", path, re.IGNORECASE) is not None


def _together(reader: Reader, source: str, contents: Iterable[bytes | None]) -> dict[str, str]:
    """The packages of several files of one kind."""
    found: dict[str, set[str]] = {}
    for content in contents:
        for package, version in _read(reader, content).items():
            found.setdefault(f"{source}:{package}", set()).add(version)
    return {package: ", ".join(sorted(versions)) for package, versions in found.items()}


def _read(reader: Reader, content: bytes | None) -> dict[str, str]:
    if content is None or len(content) > LARGEST:
        return {}
    try:
        return reader(content.decode("utf-8", "replace"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
