"""What `measure run` is told, and what it finds out."""

import os
import resource

FLAGS = ("container", "with_parent")
NUMBERS = {"timeout": float, "grace": float, "output": int, "memory": int}
LISTS = ("fresh", "collect")
TEXTS = ("cwd", "streams", "out", "cpus")


class Failure(Exception):
    """This program cannot do its work."""


class Order:
    """What was asked for on the command line."""

    def __init__(self) -> None:
        self.timeout = 0.0
        self.grace = 2.0
        self.output = self.memory = 0
        self.cwd = self.streams = self.out = ""
        self.cpus = []  # type: list[int]
        self.fresh = []  # type: list[str]
        self.collect = []  # type: list[str]
        self.container = self.with_parent = False
        self.command = []  # type: list[str]
        self.nonce = os.environ.pop("BISECTOR_NONCE", "-")


class Run:
    """What became of the command."""

    def __init__(self) -> None:
        self.started = self.ended = 0.0
        self.child = self.status = 0
        self.usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.failed = ""
        self.timed_out = self.stopped = self.over_output = self.over_memory = False
        self.oom_kills = self.survivors = 0
        self.streams = []  # type: list[int]


def parse(arguments: "list[str]") -> Order:
    order = Order()
    words = iter(arguments)
    for word in words:
        if word == "--":
            break
        name = word[2:].replace("-", "_") if word.startswith("--") else ""
        if name in FLAGS:
            setattr(order, name, True)
            continue
        value = next(words, None)
        if value is None or name not in (*NUMBERS, *LISTS, *TEXTS):
            raise Failure("no such option, or no value: " + word)
        if name in LISTS:
            getattr(order, name).append(value)
        elif name == "cpus":
            order.cpus = [int(cpu) for cpu in value.split(",")]
        else:
            setattr(order, name, NUMBERS.get(name, str)(value))
    order.command = list(words)
    if not order.command:
        raise Failure("no command")
    return order
