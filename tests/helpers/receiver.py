"""A server on this machine that receives messages and answers as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is answered: `hang` seconds late, and then a byte every `drip` seconds."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: float = 0.0
    drip: float = 0.0


@dataclass
class Receiver:
    """What came, and what is answered to it: the next of `replies`, or what `answer` says."""

    url: str
    received: list[Received] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    answer: Callable[[Received], Reply] = lambda _: Reply()


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """The server answers, from a thread of its own, for as long as this is entered."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(url="")
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Received(self.command, self.path, headers, body)
            receiver.received.append(request)
            reply = receiver.replies.pop(0) if receiver.replies else receiver.answer(request)
            ended.wait(reply.hang)
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                step = 1 if reply.drip else len(reply.body) or 1
                for start in range(0, len(reply.body), step):
                    self.wfile.write(reply.body[start : start + step])
                    if ended.wait(reply.drip):
                        return
            except OSError:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        try:
            yield receiver
        finally:
            ended.set()


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something that happens in another thread or process; AssertionError when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
