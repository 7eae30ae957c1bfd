"""What a hostile run could leave on this machine, told apart from what others do on it meanwhile."""

import contextlib
import hashlib
import os
import random
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.runner.laboratory import processes
from tests.helpers.installs import Install, containers_of

PLACES = ("/tmp/hostile", "/etc/hostile", "/tmp/.hostile", "/hostile")
"""Where payloads would write."""
_LOOK = 0.1


def free_port() -> int:
    """A port that nobody has now, of those that nobody is given for a connection of his."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@dataclass(kw_only=True)
class Watch:
    """What the processes of a run are known by, and what of them was seen while it went on."""

    mark: str = field(default_factory=lambda: f"hostile-{uuid.uuid4().hex}")
    port: int = field(default_factory=free_port)
    saw_processes: bool = False
    saw_sockets: bool = False

    def look(self, ended: threading.Event) -> None:
        """Look again and again, until it has ended or all was seen."""
        while not ended.wait(_LOOK) and not (self.saw_processes and self.saw_sockets):
            self.saw_processes = self.saw_processes or bool(processes(self.mark))
            self.saw_sockets = self.saw_sockets or bool(sockets(self.mark, self.port))


def digests(top: Path) -> dict[str, str]:
    """Every file below `top` with what is in it; of a link, where it leads."""
    paths = (Path(directory) / name for directory, _, names in os.walk(top) for name in names)
    return {os.fspath(path): _digest(path) for path in paths}


def _digest(path: Path) -> str:
    return os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()


def sockets(mark: str, port: int) -> list[str]:
    """Sockets of this machine, of whatever process, that have `port` at either end, or are called by `mark`."""
    found = []
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "unix"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{kind}").read_text(errors="replace").splitlines()[1:]:
                ends = [] if kind == "unix" else [word.rpartition(":")[2] for word in line.split()[1:3]]
                if mark in line or f"{port:04X}" in ends:
                    found.append(f"{kind} {line}")
    return found


def harm(top: Path, watch: Watch, engine: Install | None) -> dict[str, object]:
    """All that is to be after as it was before."""
    return {
        "files": digests(top),
        "accounts": Path("/etc/passwd").read_bytes(),
        "payloads": [place for place in PLACES if os.path.lexists(place)],
        "processes": processes(watch.mark),
        "sockets": sockets(watch.mark, watch.port),
        "containers": containers_of(engine) if engine else [],
    }


@contextlib.contextmanager
def unharmed(top: Path, watch: Watch | None = None, engine: Install | None = None) -> Iterator[None]:
    """In the end this machine is as it was: what lies below `top`, and all that could be of the run."""
    watch = watch or Watch()
    before = harm(top, watch, engine)
    assert [before[each] for each in ("payloads", "processes", "sockets", "containers")] == [[]] * 4
    ended = threading.Event()
    looking = threading.Thread(target=watch.look, args=(ended,))
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()
    assert harm(top, watch, engine) == before
