"""Requests go where the settings say and nowhere else, and no answer can hold up or fill the server."""

import ipaddress
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bisector.adapters.notify.web import LONGEST_ANSWER, Exceptions, Refusal, Web, refusal
from bisector.engine.notify import NotSent
from tests.helpers.receiver import Receiver, Reply, receiving, serving


def quick(**exceptions: tuple[str, ...]) -> Web:
    """Loses patience soon."""
    return Web(Exceptions(**exceptions), patience=0.4, deadline=0.8)


def problem(web: Web, url: str) -> NotSent:
    """Why it was not sent."""
    with pytest.raises(NotSent) as caught:
        web.post(url, b"{}", {})
    return caught.value


def test_a_request_arrives_as_it_was_made(receiver: Receiver) -> None:
    answer = quick().post(receiver.url + "/a/b?c=d", b'{"x": 1}', {"Content-Type": "application/json"})
    (received,) = receiver.received
    assert (received.method, received.path, received.body) == ("POST", "/a/b?c=d", b'{"x": 1}')
    assert received.headers["content-type"] == "application/json"
    assert received.headers["host"] == receiver.url.removeprefix("http://")
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize(
    "url",
    [
        "http://bisector.example/hook",
        "file:///etc/passwd",
        "https:///nowhere",
        "https://user:secret@127.0.0.1/",
        "https://127.0.0.1:99999/",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/a\r\nX-Evil: 1",
        "gopher://127.0.0.1/",
        "",
    ],
)
def test_addresses_that_are_not_used(url: str) -> None:
    found = problem(quick(), url)
    assert not found.unsure
    assert "secret" not in found.reason


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.1.2.3", "private"),
        ("192.168.0.1", "private"),
        ("100.64.0.1", "private"),
        ("127.0.0.1", "private"),
        ("::1", "private"),
        ("fd00:ec2::254", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::a00:1", "private"),
        ("2002:a00:1::", "private"),
        ("169.254.169.254", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("0.0.0.0", "link-local"),
        ("224.0.0.1", "link-local"),
        ("8.8.8.8", ""),
        ("2606:4700::1111", ""),
    ],
)
def test_addresses_by_their_kind(address: str, why: str) -> None:
    found = refusal(ipaddress.ip_address(address), here=False)
    assert why in found
    assert bool(found) == bool(why)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str, port: int = 0) -> None:
    """Every name means these addresses."""

    def look_up(_host: str, asked: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or asked)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_name_that_leads_inside_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(receiver.url.rsplit(":", 1)[1])
    resolve_to(monkeypatch, "127.0.0.1", port=port)
    url = "http://hooks.example/x"
    assert "private network" in problem(quick(http=("hooks.example",)), url).reason
    assert "without TLS" in problem(quick(private=("hooks.example",)), url).reason
    assert receiver.received == []
    quick(http=("hooks.example",), private=("hooks.example",)).post(url, b"", {})
    assert len(receiver.received) == 1
    resolve_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    assert "private network" in problem(quick(), "https://hooks.example/").reason


def test_metadata_is_refused_whatever_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "169.254.169.254")
    web = quick(http=("inside.example",), private=("inside.example",))
    assert "link-local" in problem(web, "http://inside.example/latest/meta-data").reason


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.replies = [Reply(307, headers={"Location": other.url})]
        assert "redirects are not followed" in problem(quick(), receiver.url).reason
        assert other.received == []


def test_a_receiver_that_hangs_is_left(receiver: Receiver) -> None:
    receiver.replies = [Reply(hang=30.0)]
    found = problem(quick(), receiver.url)
    assert found.unsure
    assert "in time" in found.reason


def test_a_receiver_that_drips_is_left(receiver: Receiver) -> None:
    receiver.replies = [Reply(body=b"x" * 1000, drip=0.1)]
    began = time.monotonic()
    found = problem(quick(), receiver.url)
    assert found.unsure
    assert "in time" in found.reason
    assert time.monotonic() - began < 20, "a hundred seconds' worth of dripping"


def test_a_huge_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    # The end never comes: whoever reads on finds that the connection broke off.
    receiver.replies = [Reply(body=b"x" * (LONGEST_ANSWER + 1), headers={"Content-Length": str(1 << 30)})]
    assert quick().post(receiver.url, b"", {}).body == b""


@pytest.mark.parametrize("status", [400, 401, 404, 410, 500, 503])
def test_what_a_receiver_says_is_not_repeated(receiver: Receiver, status: int) -> None:
    receiver.replies = [Reply(status, b"a secret of the receiver")]
    found = problem(quick(), receiver.url)
    assert isinstance(found, Refusal)
    assert (found.status, found.unsure, found.after) == (status, False, 0.0)
    assert found.reason == f"127.0.0.1 answered {status}"


def test_a_receiver_may_ask_for_time(receiver: Receiver) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    asked = {"30": 30.0, "999999999": 24 * 3600.0, "soon": 0.0, "-5": 0.0, "²": 0.0, in_an_hour: 3600.0}
    for text, seconds in asked.items():
        receiver.replies = [Reply(429, headers={"Retry-After": text.encode().decode("latin-1")})]
        assert problem(quick(), receiver.url).after == pytest.approx(seconds, abs=10)


def test_nobody_there(receiver: Receiver) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = problem(quick(), f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert not found.unsure
    assert "cannot be reached" in found.reason


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """A TLS server with a certificate that nobody vouches for, and what it was told."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    told: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.requestline.encode())
            self.send_response(200)
            self.end_headers()

    class Server(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """The client went away, as it should."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield server.server_address[1], told


def test_a_certificate_that_nobody_vouches_for(impostor: tuple[int, list[bytes]]) -> None:
    port, told = impostor
    found = problem(Web(Exceptions()), f"https://localhost:{port}/hook")
    assert "TLS" in found.reason
    assert not found.unsure
    assert told == []
