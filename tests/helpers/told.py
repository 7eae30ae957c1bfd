"""Who is told of answers, on this machine: a repository of GitHub, as its API is documented, and a mail server."""

import contextlib
import json
import socketserver
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.receiver import Received, Reply, serving


@dataclass
class GitHub:
    """As much of GitHub as is talked to: pull requests of a commit, comments of both kinds, statuses."""

    pulls: list[int] = field(default_factory=list)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    login: str = "bisector-bot"
    fails: set[str] = field(default_factory=set)

    def __call__(self, request: Received) -> Reply:
        path, _, query = request.path.partition("?")
        assert request.headers["authorization"] == "Bearer the token"
        if path.rsplit("/", 1)[-1] in self.fails:
            return Reply(502)
        if path == "/user":
            return Reply(body=json.dumps({"login": self.login}).encode()) if self.login else Reply(403)
        parts = path.removeprefix("/repos/shop/app/").split("/")
        match request.method, parts:
            case "GET", ["commits", _, "pulls"]:
                return Reply(body=json.dumps([{"number": number} for number in self.pulls]).encode())
            case "GET", [_, _, "comments"]:
                page = int(query.rpartition("page=")[2])
                found = self.comments.get(path, [])[100 * (page - 1) : 100 * page]
                return Reply(body=json.dumps(found).encode())
            case "PATCH", [*_, "comments", number]:
                return self.edit(int(number), request.json["body"])
            case "POST", [_, _, "comments"]:
                made = self.add(path, request.json["body"], self.login or "app[bot]")
                return Reply(201, json.dumps(made).encode())
            case "POST", ["statuses", sha]:
                self.statuses.append((sha, request.json))
            case _:
                return Reply(404)
        return Reply(201, b"{}")

    def edit(self, number: int, body: str) -> Reply:
        """A comment's new text."""
        for comment in (comment for all_of in self.comments.values() for comment in all_of):
            if comment["id"] == number:
                comment["body"] = body
                comment["edits"] += 1
                return Reply(body=b"{}")
        return Reply(404)

    def add(self, path: str, body: str, login: str) -> dict[str, Any]:
        """A comment."""
        kind = "Bot" if login.endswith("[bot]") else "User"
        number = 1 + sum(len(there) for there in self.comments.values())
        made = {"id": number, "body": body, "user": {"login": login, "type": kind}, "edits": 0}
        self.comments.setdefault(path, []).append(made)
        return made


@dataclass
class Sink:
    """What a mail server was handed."""

    port: int = 0
    letters: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refuses: str = ""


@contextlib.contextmanager
def mail_server() -> Iterator[Sink]:
    """A mail server that takes letters without TLS."""
    sink = Sink()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):
                self.talk()

        def talk(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                sink.said.append(line.decode(errors="replace").strip())
                verb = sink.said[-1].split(":")[0].split(" ")[0].upper()
                if verb == sink.refuses:
                    self.wfile.write(b"451 not now: a secret of the server\r\n")
                elif verb == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (text := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(text)
                    sink.letters.append(b"".join(lines))
                    self.wfile.write(b"250 kept\r\n")
                else:
                    self.wfile.write(b"250 fine\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    with serving(server):
        yield sink
