"""Runs the measuring helper in a container and listens to it."""

import contextlib
import secrets
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bisector.adapters.docker.engine import Engine, faults
from bisector.adapters.measure.answer import Answer
from bisector.adapters.measure.record import Damage, parse
from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal

POLL_SECONDS: Seconds = 0.2
STREAM_LIMIT = 1 << 30
"""More than this on the record's stream is not a record: that would be 64 files of 16 MiB."""

_CHUNK = 1 << 18
_MESSAGE_LIMIT = 1 << 14
_SETTLING: Seconds = 2.0
_FRAME = struct.Struct(">BxxxL")
_STDOUT, _STDERR = 1, 2

Sink = Callable[[bytes], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What to execute where, and how long to wait for its answer."""

    container: str
    argv: Sequence[str]
    user: str
    limit: Seconds
    env: Mapping[str, str]


def call_helper(engine: Engine, call: Call, stop: StopSignal, log: Sink | None = None) -> Answer | None:
    """What the helper answered; None when it did not in time.

    Then, and when this is left by Cancelled, the command may still run: the caller ends its container.
    """
    nonce = secrets.token_hex(16)
    message = bytearray()
    with faults("execute a command in a container"):
        exec_id = _create(engine, call, {"BISECTOR_NONCE": nonce})
        stream = _listen(engine, exec_id, call.limit, stop, log or message.extend)
        if stream is None:
            return None
        record = parse(stream, nonce)
        # Asking how it ended costs a round trip, which only a missing record is worth.
        exit_code = _exit_code(engine, exec_id) if isinstance(record, Damage) else 0
    return Answer(record=record, exit_code=exit_code, message=bytes(message[-_MESSAGE_LIMIT:]))


def call_program(engine: Engine, call: Call, stop: StopSignal) -> bytes | None:
    """What a program of ours wrote to its standard output; None when it failed or took too long."""
    with faults("execute a command in a container"):
        exec_id = _create(engine, call, {})
        stream = _listen(engine, exec_id, call.limit, stop, lambda _: None)
        return None if stream is None or _exit_code(engine, exec_id) != 0 else stream


def _create(engine: Engine, call: Call, extra: Mapping[str, str]) -> str:
    made = engine.api.exec_create(
        call.container, list(call.argv), user=call.user, environment={**call.env, **extra}, workdir="/"
    )
    return str(made["Id"])


def _listen(engine: Engine, exec_id: str, wait: Seconds, stop: StopSignal, log: Sink) -> bytes | None:
    """Everything on standard output until its end; None when that does not come in time."""
    limit = time.monotonic() + wait
    stream = bytearray()
    frames = _Frames({_STDOUT: stream.extend, _STDERR: log})
    with _hijacked(engine, exec_id) as read:
        while (chunk := read()) is not None:
            frames.feed(chunk)
            stop.check()
            if time.monotonic() > limit:
                return None
            if len(stream) > STREAM_LIMIT:
                return b"no record is as long as this\n"
    return bytes(stream)


@contextlib.contextmanager
def _hijacked(engine: Engine, exec_id: str) -> Iterator[Callable[[], bytes | None]]:
    """Start an exec. What is yielded reads the next bytes of its stream: none when there are none yet, None at its end.

    The SDK's own reader waits for as long as the engine is silent, and drops what arrived together with the answer's
    head; hence the socket below it.
    """
    raw: Any = engine.api.exec_start(exec_id, socket=True)
    connection = getattr(raw, "_sock", raw)
    response = getattr(raw, "_response", None)
    buffered: Any = getattr(getattr(getattr(response, "raw", None), "_fp", None), "fp", None)
    connection.settimeout(0.0)
    early = buffered.read1(_CHUNK) if hasattr(buffered, "read1") else b""
    connection.settimeout(POLL_SECONDS)
    pending = [early] if early else []

    def read() -> bytes | None:
        if pending:
            return pending.pop()
        try:
            chunk: bytes = connection.recv(_CHUNK)
        except TimeoutError:
            return b""
        return chunk or None

    try:
        yield read
    finally:
        if response is not None:
            response.close()
        raw.close()


class _Frames:
    """Takes the engine's framing apart: a byte for the stream, a length, the bytes; cut anywhere."""

    def __init__(self, sinks: Mapping[int, Sink]) -> None:
        self._sinks = sinks
        self._pending = b""
        self._stream = 0
        self._left = 0

    def feed(self, chunk: bytes) -> None:
        self._pending += chunk
        while self._pending:
            if self._left == 0:
                if len(self._pending) < _FRAME.size:
                    return
                self._stream, self._left = _FRAME.unpack_from(self._pending)
                self._pending = self._pending[_FRAME.size :]
            part, self._pending = self._pending[: self._left], self._pending[self._left :]
            self._left -= len(part)
            if part and self._stream in self._sinks:
                self._sinks[self._stream](part)


def _exit_code(engine: Engine, exec_id: str) -> int | None:
    """How an exec ended. The stream's end may be seen a moment before the engine knows."""
    limit = time.monotonic() + _SETTLING
    while True:
        found = engine.api.exec_inspect(exec_id)
        if not found["Running"] or time.monotonic() > limit:
            code = found["ExitCode"]
            return None if code is None else int(code)
        time.sleep(POLL_SECONDS / 4)
