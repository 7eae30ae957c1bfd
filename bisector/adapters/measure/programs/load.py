"""What `attend` is told, and what it finds out."""

import os
import random
import socket

from bisector.adapters.measure.programs.order import Failure

LOWEST_PORT, USUAL_END = 15000, 32768


class Tally:
    """What a process and those it started used."""

    def __init__(self) -> None:
        self.cpu_us = self.peak_kib = self.faults = 0


class Service:
    """One service, as it was asked for and as it went."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.probe = self.port = ""
        self.command = []  # type: list[str]
        self.wanted = []  # type: list[str]
        self.env = []  # type: list[str]
        self.ready = self.stop = self.ready_after = 0.0
        self.signal, self.log = 15, -1
        self.reserved = None  # type: socket.socket | None
        self.gated = self.ended = self.asked = False
        self.pid = self.status = self.start_errno = self.searched = 0
        self.used = Tally()


class Load:
    """All of it."""

    def __init__(self) -> None:
        self.out = self.fault = ""
        self.services = []  # type: list[Service]
        self.command = []  # type: list[str]
        self.env = []  # type: list[str]
        self.timeout, self.grace = 0.0, 1.0
        self.started = self.ended = self.deadline = 0.0
        self.client = self.probe = self.status = self.client_errno = self.probe_status = self.faulty = 0
        self.client_ended = self.probe_ended = self.stopped = False
        self.used = Tally()


def parse(arguments: "list[str]") -> Load:
    load = Load()
    words = list(reversed(arguments))
    service = None  # type: Service | None
    while words and words[-1] != "--":
        name = words.pop()
        if service is not None and name == "--gated":
            service.gated = True
        elif not words:
            raise Failure(name + " wants a value")
        elif name == "--service":
            service = Service(words.pop())
            load.services.append(service)
        elif service is not None:
            parse_of_service(service, name, words)
        elif name == "--env":
            load.env.append(words.pop())
        elif name in ("--timeout", "--grace"):
            setattr(load, name[2:], float(words.pop()))
        elif name == "--out":
            load.out = words.pop()
        else:
            raise Failure("no such option: " + name)
    load.command = words[-2::-1]
    check(load)
    return load


def check(load: Load) -> None:
    if not load.command:
        raise Failure("no command")
    for service in load.services:
        if not service.command or not service.probe:
            raise Failure(service.name + " has no command, or no probe")
    if not load.out:
        raise Failure("no --out")


def parse_of_service(service: Service, name: str, words: "list[str]") -> None:
    if name == "--env":
        service.env.append(words.pop())
    elif name == "--words":
        service.command = taken(words)
    elif name == "--probe":
        service.probe = words.pop()
        service.wanted = taken(words)
    elif name in ("--ready", "--stop"):
        setattr(service, name[2:], float(words.pop()))
    elif name == "--signal":
        service.signal = int(words.pop())
    else:
        raise Failure("no such option of a service: " + name)


def taken(words: "list[str]") -> "list[str]":
    """As many words as the first says."""
    count = int(words.pop())
    if count > len(words):
        raise Failure("fewer words than were announced")
    return [words.pop() for _ in range(count)]


def end_of_ports() -> int:
    """Where the ports begin that the kernel gives to connections: one of those could be taken at any moment, and a
    connection to it can meet itself."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            first = int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        first = 0
    return first if first > LOWEST_PORT + 1000 else USUAL_END


def choose_ports(load: Load) -> None:
    """A free port for each, kept until the service starts."""
    end = end_of_ports()
    for service in load.services:
        for _ in range(1000):
            reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            port = random.SystemRandom().randrange(LOWEST_PORT, end)
            try:
                reserved.bind(("", port))  # everywhere: a port that somebody has on one address is not free
            except OSError:
                reserved.close()
                continue
            service.reserved, service.port = reserved, str(port)
            break
        else:
            raise Failure("no free port")


def fill_all(load: Load) -> None:
    """Put the ports where they are wanted."""

    def filled(texts: "list[str]", own: str) -> "list[str]":
        made = [text.replace("{port}", own) for text in texts]
        for service in load.services:
            made = [text.replace("{port." + service.name + "}", service.port) for text in made]
        return made

    for service in load.services:
        service.command = filled(service.command, service.port)
        service.wanted = filled(service.wanted, service.port)
        service.env = filled(service.env, service.port)
    own = load.services[-1].port if load.services else ""
    load.command, load.env = filled(load.command, own), filled(load.env, own)


def environment(settings: "list[str]") -> "dict[str, str]":
    """Ours, with these set."""
    return {**os.environ, **dict(setting.split("=", 1) for setting in settings)}
