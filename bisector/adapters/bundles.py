"""Evidence bundles on disk: a compressed tar file of regular files with known names, read as what a stranger made."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from bisector.core.model.units import Bytes
from bisector.errors import UsageError

KNOWN = frozenset(
    {"bundle.json", "request.json", "facts.jsonl", "result.json", "report.html", "report.md", "history.bundle"}
)
SCENARIO = "scenario"
MOST_MEMBERS = 2500
MOST_BYTES: Bytes = 1 << 30
LONGEST_NAME = 400
_TIME = 946_684_800


def write_bundle(path: Path, members: Mapping[str, bytes]) -> None:
    """Write the members in their order; the file appears whole or not at all."""
    whole = path.with_name(f".{path.name}.new")
    with tarfile.open(whole, "w:gz") as bundle:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), _TIME, 0o644
            bundle.addfile(member, io.BytesIO(content))
    whole.replace(path)


def read_bundle(path: Path) -> dict[str, bytes]:
    """The members of a bundle by name. UsageError for whatever is not a plain file of a known name and fair size.

    Nothing is written: no path, link or mode in it has any effect.
    """
    try:
        with tarfile.open(path, "r|gz") as bundle:
            return dict(_members(bundle, path))
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
        raise UsageError(f"the bundle cannot be read: {why}", where=str(path)) from None


def _members(bundle: tarfile.TarFile, path: Path) -> Iterator[tuple[str, bytes]]:
    names: set[str] = set()
    left = MOST_BYTES
    for member in bundle:
        if not member.isreg() or not _is_known(member.name) or member.name in names:
            raise UsageError(f"the bundle holds what none holds: {member.name[:100]!r}", where=str(path))
        names.add(member.name)
        left -= max(member.size, 0)
        if left < 0 or len(names) > MOST_MEMBERS:
            raise UsageError("the bundle holds too much", where=str(path))
        content = bundle.extractfile(member)
        if content is None:
            raise UsageError(f"the bundle holds what none holds: {member.name[:100]!r}", where=str(path))
        yield member.name, content.read()


def _is_known(name: str) -> bool:
    """Whether it is a file of ours, or one of the scenario's below its directory."""
    if name in KNOWN:
        return True
    path = PurePosixPath(name)
    parts = name.split("/")
    plain = all(part not in {"", ".", ".."} and not part.startswith(".") for part in parts)
    printable = name.isprintable() and "\\" not in name and len(name) <= LONGEST_NAME
    return path.parts[:1] == (SCENARIO,) and len(parts) > 1 and plain and printable


def unpack_scenario(members: Mapping[str, bytes], directory: Path) -> None:
    """Write the scenario's files of a bundle below `directory`, which is new and empty."""
    for name, content in members.items():
        if name.startswith(f"{SCENARIO}/"):
            target = directory / name.removeprefix(f"{SCENARIO}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)


def packed_scenario(directory: Path | None) -> Iterator[tuple[str, bytes]]:
    """The kept files of a scenario as members of a bundle."""
    for path in sorted(directory.rglob("*")) if directory is not None else ():
        if path.is_file():
            yield f"{SCENARIO}/{path.relative_to(directory or path).as_posix()}", path.read_bytes()
