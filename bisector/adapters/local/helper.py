"""Calls the measuring helper on this machine and listens to it."""

import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, cast

from bisector.adapters.measure.answer import Answer
from bisector.adapters.measure.order import PATIENCE_SECONDS, HelperOrder
from bisector.adapters.measure.record import parse
from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal
from bisector.errors import InfraFault

POLL_SECONDS: Seconds = 0.1
_CHUNK = 1 << 16
_MESSAGE_LIMIT = 1 << 14

Sink = Callable[[bytes], None]


def call_helper(
    program: Sequence[str], order: HelperOrder, env: Mapping[str, str], stop: StopSignal, log: Sink | None = None
) -> Answer:
    """Have the helper carry out `order`; what it answered.

    `log` takes what the command prints when the order has no streams. However this is left, the command and all
    that it started have ended.
    """
    nonce = secrets.token_hex(16)
    try:
        process = subprocess.Popen(
            [*program, *order.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**env, "BISECTOR_NONCE": nonce},
            start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on, not the helper's to receive
        )
    except OSError as error:
        raise InfraFault(f"the measuring helper cannot be started: {error}") from error
    try:
        stream, message = _listen(process, time.monotonic() + order.timeout + PATIENCE_SECONDS, stop, log)
        return Answer(record=parse(stream, nonce), exit_code=process.wait(), message=message)
    finally:
        _end(process)


def _listen(
    process: subprocess.Popen[bytes], limit: Seconds, stop: StopSignal, log: Sink | None
) -> tuple[bytes, bytes]:
    stream, message = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(cast("IO[bytes]", process.stdout), selectors.EVENT_READ, stream.extend)
        selector.register(cast("IO[bytes]", process.stderr), selectors.EVENT_READ, log or message.extend)
        while selector.get_map():
            for key, _ in selector.select(POLL_SECONDS):
                chunk = os.read(key.fd, _CHUNK)
                if chunk:
                    key.data(chunk)
                else:
                    selector.unregister(key.fileobj)
            stop.check()
            if time.monotonic() > limit:
                raise InfraFault("the measuring helper does not answer")
    return bytes(stream), bytes(message[-_MESSAGE_LIMIT:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the helper to end its command and itself, and see to it that it does."""
    with process:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
