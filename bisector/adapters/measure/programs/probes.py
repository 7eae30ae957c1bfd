"""Of `attend`: how it is told that a service is ready."""

import contextlib
import os
import socket
import time

from bisector.adapters.measure.programs.load import Load, Service
from bisector.adapters.measure.programs.order import Failure
from bisector.adapters.measure.programs.processes import end_group, start, wait_a_while

ANSWER_WITHIN, COMMAND_WITHIN = 2.0, 10.0
MOST_OF_ANSWER, MOST_FETCHED = 1 << 20, 15 << 20


def connected(port: int, seconds: float) -> "socket.socket | None":
    """A connection to `port` of this host, by either protocol, and not to itself, as happens among the ports that the
    kernel gives away."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError):
            made = socket.socket(family, socket.SOCK_STREAM)
            try:
                made.settimeout(seconds)
                made.connect((address, port))
                if made.getsockname() != made.getpeername():
                    return made
            except OSError:
                pass
            made.close()
    return None


def accepts(port: int, seconds: float) -> bool:
    made = connected(port, seconds)
    if made is not None:
        made.close()
    return made is not None


def asked(port: int, path: str, seconds: float) -> "socket.socket | None":
    """A connection on which `path` was asked for."""
    made = connected(port, seconds)
    if made is not None:
        try:
            made.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        except OSError:
            made.close()
            return None
    return made


def fetch_into(port: int, path: str, seconds: float, file: int) -> None:
    """Write the answer into a file as it comes, its head included; nothing where nobody answers."""
    made = asked(port, path, seconds)
    if made is None:
        return
    written, limit = 0, time.monotonic() + seconds
    with made, contextlib.suppress(OSError):
        while written < MOST_FETCHED and time.monotonic() < limit:
            got = made.recv(1 << 16)
            if not got:
                break
            os.write(file, got)
            written += len(got)


def answers(port: int, path: str, seconds: float) -> bool:
    """Whether the answer's status is one of success, or leads elsewhere. All of it is read: a service that is hung up
    on complains."""
    made = asked(port, path, seconds)
    if made is None:
        return False
    answer = b""
    with made, contextlib.suppress(OSError):
        while len(answer) < MOST_OF_ANSWER:
            got = made.recv(4096)
            if not got:
                break
            answer += got
    return answer[:7] == b"HTTP/1." and answer[8:9] == b" " and answer[9:10] in (b"2", b"3")


def has_said(service: Service, text: bytes) -> bool:
    """Whether `text` has been written to the log. What was searched is not searched again, but for as much as a part
    of it may be."""
    while True:
        found = os.pread(service.log, 1 << 16, service.searched)
        if text in found:
            return True
        if len(found) < len(text):
            return False
        service.searched += len(found) - (len(text) - 1)
        if len(found) < 1 << 16:
            return False


def succeeds(load: Load, service: Service, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    load.probe, failure = start(service.wanted, service.env, service.log)
    load.probe_ended = False
    while not load.probe_ended and not load.stopped and not service.ended and time.monotonic() < limit:
        wait_a_while(load, 0.02)
    done = load.probe_ended and not failure and load.probe_status == 0
    end_group(load, load.probe)
    load.probe = 0
    return done


def is_ready(load: Load, service: Service, left: float) -> bool:
    wanted = service.wanted
    if service.probe == "tcp":
        return accepts(int(wanted[0]), min(left, ANSWER_WITHIN))
    if service.probe == "http":
        return answers(int(wanted[0]), wanted[1], min(left, ANSWER_WITHIN))
    if service.probe == "log":
        return has_said(service, os.fsencode(wanted[0]))
    if service.probe == "command":
        return succeeds(load, service, min(left, COMMAND_WITHIN))
    raise Failure("no such probe: " + service.probe)
