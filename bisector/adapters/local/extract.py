"""Unpacks a candidate's tar stream. It is a stranger's: nothing of it may end up, or point, outside its directory."""

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO


def extract(stream: BinaryIO, target: Path) -> list[str]:
    """Unpack files, directories and links into the empty directory `target`; what was left out, and why.

    Not `tarfile.extractall`: its "data" filter has been got round (CVE-2025-4517 and others). Links are made last, so
    that no file can be written through one, and those that lead out of `target` are taken away again.
    """
    left_out: list[str] = []
    links: list[tuple[str, PurePosixPath]] = []
    directories = {PurePosixPath()}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts:
                left_out.append(f"{member.name}: leads out of the checkout")
            elif not _make_directories(target, path if member.isdir() else path.parent, directories):
                left_out.append(f"{member.name}: lies below a file")
            elif member.issym():
                links.append((member.linkname, path))
            elif member.isreg():
                left_out += _write_file(archive, member, target / path)
            elif not member.isdir():
                left_out.append(f"{member.name}: neither file, directory nor link")
    return left_out + _make_links(target, links)


def _make_directories(target: Path, path: PurePosixPath, made: set[PurePosixPath]) -> bool:
    for part in (*reversed(path.parents), path):
        if part in made:
            continue
        try:
            os.mkdir(target / part, 0o755)
        except FileExistsError:
            return False
        made.add(part)
    return True


def _write_file(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> list[str]:
    content = archive.extractfile(member)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return [f"{member.name}: is there already"]
    with os.fdopen(fd, "wb") as file:
        if content is not None:
            shutil.copyfileobj(content, file, 1 << 18)
        os.fchmod(fd, 0o755 if member.mode & 0o100 else 0o644)
        file.flush()
        os.utime(fd, (member.mtime, member.mtime))
    return []


def _make_links(target: Path, links: list[tuple[str, PurePosixPath]]) -> list[str]:
    left_out = []
    made = []
    for to, path in links:
        try:
            os.symlink(to, target / path)
            made.append((to, path))
        except FileExistsError:
            left_out.append(f"{path}: is there already")
    root = os.path.realpath(target)
    leading_out = [(to, path) for to, path in made if not _inside(os.path.realpath(target / path), root)]
    for to, path in leading_out:
        os.unlink(target / path)
        left_out.append(f"{path}: a link that leads out of the checkout, to {to}")
    return left_out


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)
