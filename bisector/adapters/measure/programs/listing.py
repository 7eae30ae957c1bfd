"""listing: the content of every file below a directory that is newer than a marker, where `listing.c` was not made.

Same output: lines of `MODE KIND DIGEST PATH`, each ended by a zero byte, then `end COUNT` and a zero byte.
"""

import hashlib
import os
import stat
import sys

DIGEST = 32


def digest(path: bytes, mode: int) -> str:
    state = hashlib.blake2b(digest_size=DIGEST)
    if stat.S_ISLNK(mode):
        state.update(os.readlink(path))
    else:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 17), b""):
                state.update(block)
    return state.hexdigest()


def newer_files(root: bytes, device: int, since: int) -> "list[tuple[bytes, int]]":
    found = []
    directories = [root]
    while directories:
        at = directories.pop()
        for entry in os.scandir(at):
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if status.st_dev == device:
                    directories.append(entry.path)
            elif status.st_ctime_ns >= since and stat.S_IFMT(status.st_mode) in (stat.S_IFREG, stat.S_IFLNK):
                found.append((entry.path, status.st_mode))
    return found


def list_newer(marker: str, root: bytes) -> None:
    top = root.rstrip(b"/")
    found = newer_files(root, os.stat(root).st_dev, os.lstat(marker).st_ctime_ns)
    with open(1, "wb", closefd=False) as out:
        for path, mode in found:
            kind = "l" if stat.S_ISLNK(mode) else "f"
            out.write(f"{stat.S_IMODE(mode):04o} {kind} {digest(path, mode)} ".encode())
            out.write(path[len(top) :] + b"\0")
        out.write(f"end {len(found)}".encode() + b"\0")


def main(arguments: "list[str]") -> None:
    try:
        marker, root = arguments
        list_newer(marker, os.fsencode(root))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"listing: {error}\n")
        raise SystemExit(125) from None
