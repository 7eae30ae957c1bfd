"""The record the measuring helper writes, and nothing but it, on a stream of its own: read without trusting it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bisector.core.model.samples import Usage

_HEADER = re.compile(rb"bisector-record 1 ([0-9a-f]+|-) ([0-9]{1,10})\n")
_FIELD = re.compile(rb"([a-z_]+(?:\.[0-9]{1,2})?) ([0-9]{1,10})\n")
_HEADER_LIMIT = 200
_NUMBER = re.compile(rb"[0-9]{1,18}")
_FAILURE = re.compile(rb"([a-z]+) ([0-9]{1,4})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The command never ran: at which stage ("exec", "cwd", "cpus") and why (an errno)."""

    stage: str
    errno: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the helper saw. `exit_code` is negative for a signal, as in `subprocess`; None when nothing ran.

    `files` and `refused` speak of the files asked for, by their number in the order.
    """

    exit_code: int | None
    failed: Failed | None
    usage: Usage
    timed_out: bool
    stopped: bool
    over_output: bool
    over_memory: bool
    oom_kills: int
    survivors: int
    stdout: bytes
    stderr: bytes
    files: Mapping[int, bytes]
    refused: Mapping[int, str]


class Damage(Enum):
    """Why a stream is not one record with our nonce."""

    CUT_OFF = "the record is missing or cut off"
    FOREIGN = "something else wrote into the record's stream"


def parse(stream: bytes, nonce: str) -> Record | Damage:
    """Read the whole of what came back. Anything but exactly one well-formed record with our nonce is damage."""
    header = _HEADER.match(stream)
    if header is None:
        could_follow = b"bisector-record 1 ".startswith(stream[:18]) and len(stream) < _HEADER_LIMIT
        return Damage.CUT_OFF if could_follow and b"\n" not in stream else Damage.FOREIGN
    if header[1] != nonce.encode():
        return Damage.FOREIGN
    missing = header.end() + int(header[2]) - len(stream)
    if missing:
        return Damage.CUT_OFF if missing > 0 else Damage.FOREIGN
    fields = parse_fields(stream, header.end())
    record = None if fields is None else _record(fields)
    return Damage.FOREIGN if record is None else record


def parse_fields(stream: bytes, at: int = 0) -> dict[str, bytes] | None:
    """The fields in `stream` from `at` on, by their names; None where it is not made of fields."""
    fields: dict[str, bytes] = {}
    while at < len(stream):
        head = _FIELD.match(stream, at)
        if head is None:
            return None
        end = head.end() + int(head[2])
        name = head[1].decode()
        if stream[end : end + 1] != b"\n" or name in fields:
            return None
        fields[name] = stream[head.end() : end]
        at = end + 1
    return fields


def _record(fields: Mapping[str, bytes]) -> Record | None:
    names = ("wall_ns", "cpu_us", "peak_kib", "faults", "timed_out", "stopped", "over_output", "over_memory")
    numbers = {name: _number(fields.get(name)) for name in (*names, "oom_kills", "survivors")}
    if min(numbers.values()) < 0 or len({"exit", "signal", "failed"} & fields.keys()) != 1:
        return None
    ended = _ended(fields)
    if ended is None:
        return None
    exit_code, failed = ended
    return Record(
        exit_code=exit_code,
        failed=failed,
        usage=Usage(
            wall=numbers["wall_ns"] / 1e9,
            cpu=numbers["cpu_us"] / 1e6,
            peak_memory=numbers["peak_kib"] * 1024,
            page_faults=numbers["faults"],
        ),
        timed_out=numbers["timed_out"] > 0,
        stopped=numbers["stopped"] > 0,
        over_output=numbers["over_output"] > 0,
        over_memory=numbers["over_memory"] > 0,
        oom_kills=numbers["oom_kills"],
        survivors=numbers["survivors"],
        stdout=fields.get("stdout", b""),
        stderr=fields.get("stderr", b""),
        files=dict(_numbered(fields, "file")),
        refused={number: text.decode("utf-8", "replace") for number, text in _numbered(fields, "refused")},
    )


def _number(text: bytes | None) -> int:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else -1


def _ended(fields: Mapping[str, bytes]) -> tuple[int | None, Failed | None] | None:
    if "failed" in fields:
        found = _FAILURE.fullmatch(fields["failed"])
        return None if found is None else (None, Failed(stage=found[1].decode(), errno=int(found[2])))
    number = _number(fields.get("exit", fields.get("signal")))
    if number < 0:
        return None
    return (number if "exit" in fields else -number), None


def _numbered(fields: Mapping[str, bytes], name: str) -> list[tuple[int, bytes]]:
    return [(int(key.partition(".")[2]), value) for key, value in fields.items() if key.startswith(f"{name}.")]
